package dev.cloister.probe;

import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
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
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tries a strategy with a complete small sandbox: mounts, a new root, no capabilities, and a
 * command that really runs. A single call that succeeds proves little: AppArmor lets anyone make a
 * user namespace and refuses the first thing done with it.
 */
public final class StrategyTrial implements StrategySelector.Trial {
  private static final OsString PLACE = OsString.of("/trial");

  /** The newest first. */
  private static final List<Set<Workaround>> OLDER_LANDLOCKS =
      List.of(
          Set.of(Workaround.LANDLOCK_WITHOUT_SCOPES),
          Set.of(Workaround.LANDLOCK_WITHOUT_SCOPES, Workaround.LANDLOCK_WITHOUT_IOCTL));

  private final ProgramRunner runner;
  private final HostReport host;
  private final Diagnosis diagnosis;
  private @Nullable Set<Workaround> workarounds;

  public StrategyTrial(ProgramRunner runner, HostReport host, Diagnosis diagnosis) {
    this.runner = runner;
    this.host = host;
    this.diagnosis = diagnosis;
  }

  /**
   * A trial that was made.
   *
   * @param program what was run; its steps have the numbers that the assessment speaks of
   */
  public record Tried(SyscallProgram program, Assessment assessment) {}

  @Override
  public Assessment of(IsolationStrategy strategy) {
    return tryOut(strategy).assessment();
  }

  /** As {@link #of}, and shows the program. */
  public Tried tryOut(IsolationStrategy strategy) {
    return strategy.hasOwnView() ? tryOutMounts(strategy) : tryOutInPlace(strategy);
  }

  /** Each kernel's Landlock knows more than the one before; what it knows is found by trying. */
  private Tried tryOutInPlace(IsolationStrategy strategy) {
    Tried tried = attempt(strategy, host);
    for (Set<Workaround> older : OLDER_LANDLOCKS) {
      if (tried.assessment() instanceof Assessment.Usable) {
        return tried;
      }
      tried = attempt(strategy, host.with(older));
    }
    return tried;
  }

  private Tried tryOutMounts(IsolationStrategy strategy) {
    Tried plain = attempt(strategy, host);
    if (plain.assessment() instanceof Assessment.Usable) {
      return plain;
    }
    Set<Workaround> needed = needed();
    return needed.isEmpty() ? plain : attempt(strategy, host.with(needed));
  }

  /** Looked for when the first strategy fails, and then the same for all. */
  private Set<Workaround> needed() {
    Set<Workaround> found = workarounds;
    if (found == null) {
      found = new WorkaroundSearch(runner, host).needed();
      workarounds = found;
    }
    return found;
  }

  private Tried attempt(IsolationStrategy strategy, HostReport host) {
    PrivateDirectory directory = runner.directory();
    try {
      SyscallProgram success = new SyscallProgram("trial", List.of(new Instruction.Exit()));
      Path command = directory.reserve();
      try {
        directory.write(command, ProgramRunner.compile(success));
        OsString place = strategy.hasOwnView() ? PLACE : OsString.of(directory.path());
        SyscallProgram program = strategy.plan(specification(directory, place), host);
        String inside = place + "/" + command.getFileName();
        Assessment verdict = diagnosis.of(program, runner.run(program, List.of(inside, "")));
        return new Tried(
            program,
            verdict instanceof Assessment.Usable
                ? new Assessment.Usable(host.workarounds())
                : verdict);
      } finally {
        Files.deleteIfExists(command);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (PlanException e) {
      throw new IllegalStateException("the trial's own specification", e);
    }
  }

  private static SandboxSpec specification(PrivateDirectory directory, OsString place) {
    MountOperation.Source source =
        new MountOperation.Source(OsString.of(directory.path()), true, false);
    Destination destination = Destination.of(place);
    SandboxSpec.Builder spec =
        SandboxSpec.builder()
            .mount(new MountOperation.Bind(source, destination, MountOperation.Access.READ_ONLY));
    if (place.equals(PLACE)) {
      // It is there already: what destinations below a bind are found with has work to do.
      spec.mount(new MountOperation.Directory(destination, 0755));
    }
    return spec.build();
  }
}
