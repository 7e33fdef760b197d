package dev.cloister.probe;

import dev.cloister.host.HostReport;
import dev.cloister.program.SyscallProgram;
import dev.cloister.strategy.Assessment;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds out which capabilities a host has. */
public final class CapabilityProbe {
  private final ProgramRunner runner;
  private final HostReport host;
  private final Diagnosis diagnosis;

  public CapabilityProbe(ProgramRunner runner, HostReport host, Diagnosis diagnosis) {
    this.runner = runner;
    this.host = host;
    this.diagnosis = diagnosis;
  }

  /** Tries {@code capability}. */
  public Assessment of(Capability capability) {
    Optional<String> missing = capability.missing(host);
    if (missing.isPresent()) {
      return new Assessment.Unusable(missing.get(), "install the package bubblewrap");
    }
    SyscallProgram program = program(capability);
    return diagnosis.of(program, runner.run(program, List.of("probe", "")));
  }

  /** Tries all, with as few processes as can be. */
  public Map<Capability, Assessment> ofAll() {
    List<Capability> quiet =
        Arrays.stream(Capability.values()).filter(Capability::isQuiet).toList();
    List<SyscallProgram> programs = quiet.stream().map(this::program).toList();
    List<Outcome> outcomes = runner.runEach(programs);
    Map<Capability, Assessment> verdicts = new EnumMap<>(Capability.class);
    for (int i = 0; i < outcomes.size(); i++) {
      verdicts.put(quiet.get(i), diagnosis.of(programs.get(i), outcomes.get(i)));
    }
    for (Capability capability : Capability.values()) {
      verdicts.computeIfAbsent(capability, this::of);
    }
    return verdicts;
  }

  private SyscallProgram program(Capability capability) {
    return new SyscallProgram(capability.name(), capability.attempt(host)).ending();
  }
}
