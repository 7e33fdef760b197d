package dev.cloister.probe;

import dev.cloister.host.HostReport;
import dev.cloister.program.SyscallProgram;
import dev.cloister.strategy.Assessment;
import java.util.List;
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
    SyscallProgram program =
        new SyscallProgram(capability.name(), capability.attempt(host)).ending();
    return diagnosis.of(program, runner.run(program, List.of("probe", "")));
  }
}
