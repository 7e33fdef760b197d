package dev.cloister.probe;

import dev.cloister.host.HostReport;
import dev.cloister.program.SyscallProgram;
import dev.cloister.strategy.Assessment;
import java.util.ArrayList;
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
    return diagnosis.of(program, runner.run(program));
  }

  /** Tries all: those that can share a process in one, the others meanwhile. */
  public Map<Capability, Assessment> ofAll() {
    Meanwhile<Map<Capability, Assessment>> together =
        Meanwhile.find("quiet capabilities", this::ofQuiet);
    Map<Capability, Assessment> verdicts = new EnumMap<>(Capability.class);
    for (Capability capability : Capability.values()) {
      if (!capability.isQuiet()) {
        verdicts.put(capability, of(capability));
      }
    }
    verdicts.putAll(together.result());
    for (Capability capability : Capability.values()) {
      verdicts.computeIfAbsent(capability, this::of);
    }
    return verdicts;
  }

  private Map<Capability, Assessment> ofQuiet() {
    List<Capability> quiet = new ArrayList<>();
    List<SyscallProgram> programs = new ArrayList<>();
    for (Capability capability : Capability.values()) {
      if (capability.isQuiet()) {
        quiet.add(capability);
        programs.add(program(capability));
      }
    }
    List<Outcome> outcomes = runner.runEach(programs);
    Map<Capability, Assessment> verdicts = new EnumMap<>(Capability.class);
    for (int i = 0; i < outcomes.size(); i++) {
      verdicts.put(quiet.get(i), diagnosis.of(programs.get(i), outcomes.get(i)));
    }
    return verdicts;
  }

  private SyscallProgram program(Capability capability) {
    return program(capability, host);
  }

  static SyscallProgram program(Capability capability, HostReport host) {
    return new SyscallProgram(capability.name(), capability.attempt(host)).ending();
  }
}
