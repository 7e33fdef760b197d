package dev.cloister.probe;

import dev.cloister.host.HostReport;
import dev.cloister.launch.PrivateDirectory;
import dev.cloister.program.Instruction;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.PlanException;
import dev.cloister.strategy.StrategySelector;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Tries a strategy with a complete small sandbox: mounts, a new root, no capabilities, and a
 * command that really runs. A single call that succeeds proves little: AppArmor lets anyone make a
 * user namespace and refuses the first thing done with it.
 */
public final class StrategyTrial implements StrategySelector.Trial {
  private static final String PLACE = "/trial";

  private final ProgramRunner runner;
  private final HostReport host;
  private final Diagnosis diagnosis;

  public StrategyTrial(ProgramRunner runner, HostReport host, Diagnosis diagnosis) {
    this.runner = runner;
    this.host = host;
    this.diagnosis = diagnosis;
  }

  @Override
  public Assessment of(IsolationStrategy strategy) {
    PrivateDirectory directory = runner.directory();
    try {
      SyscallProgram success = new SyscallProgram("trial", List.of(new Instruction.Exit()));
      Path command = directory.reserve();
      try {
        directory.write(command, ProgramRunner.compile(success));
        SyscallProgram program = strategy.plan(specification(directory), host);
        String inside = PLACE + "/" + command.getFileName();
        return diagnosis.of(program, runner.run(program, List.of(inside, "")));
      } finally {
        Files.deleteIfExists(command);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (PlanException e) {
      throw new IllegalStateException("the trial's own specification", e);
    }
  }

  private static SandboxSpec specification(PrivateDirectory directory) {
    OsString path = OsString.of(directory.path());
    return SandboxSpec.builder()
        .mount(
            new MountOperation.Bind(
                new MountOperation.Source(path, true, false),
                Destination.of(PLACE),
                MountOperation.Access.READ_ONLY))
        .build();
  }
}
