package dev.cloister.cli;

import dev.cloister.host.Caller;
import dev.cloister.host.Evidence;
import dev.cloister.host.HostReport;
import dev.cloister.host.HostState;
import dev.cloister.launch.PrivateDirectory;
import dev.cloister.launch.Safeguards;
import dev.cloister.probe.Diagnosis;
import dev.cloister.probe.ProgramRunner;
import dev.cloister.probe.StrategyTrial;
import dev.cloister.probe.VerdictStore;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.Strategies;
import dev.cloister.strategy.PlanException;
import dev.cloister.strategy.StrategySelector;
import dev.cloister.strategy.StrategySelector.Choice;
import dev.cloister.strategy.StrategySelector.NoStrategyException;
import dev.cloister.strategy.StrategySelector.Rejection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What the subcommands that deal with sandboxes do alike: look at the host, choose, plan.
 *
 * @param directory where launchers are written
 */
record Sandboxing(HostReport host, PrivateDirectory directory) {

  /** A strategy and the program it makes. */
  record Planned(Choice choice, SyscallProgram program) {}

  /** Looks at this host. */
  static Sandboxing prepare(Invocation invocation) throws CliException {
    Caller caller = caller();
    return new Sandboxing(
        HostReport.of(caller, searchPath(invocation)),
        LauncherPlace.open(invocation, caller.uid()));
  }

  /** Where tools are looked for. */
  static String searchPath(Invocation invocation) {
    Optional<OsString> value = invocation.variable("PATH");
    if (value.isEmpty()) {
      return "/usr/bin:/bin";
    }
    Optional<Path> directories = value.get().toPath();
    // Of one that the locale cannot express, the other directories still count.
    return directories.isPresent() ? directories.get().toString() : value.get().toString();
  }

  /** Who calls. A set-user-ID caller's environment and arguments are someone else's: refused. */
  private static Caller caller() throws CliException {
    try {
      Caller caller = Caller.current();
      if (caller.setuid()) {
        throw new CliException("refuses to run set-user-ID or set-group-ID");
      }
      return caller;
    } catch (IOException e) {
      throw new CliException("cannot read /proc/self/status: is /proc mounted?");
    }
  }

  /** Chooses a strategy for what was asked, and plans it. */
  Planned plan(RunRequest request) throws CliException {
    try {
      SandboxSpec spec = Safeguards.in(request.spec(), directory, host);
      Choice choice = selector().choose(spec, request.strategy(), request.required());
      return new Planned(choice, choice.strategy().plan(spec, choice.host()));
    } catch (NoStrategyException e) {
      throw new CliException(explain(request, e));
    } catch (PlanException e) {
      throw new CliException(e.getMessage());
    } catch (IOException e) {
      throw new CliException("cannot look at a source or at the launchers' directory: " + e);
    } catch (UncheckedIOException e) {
      throw new CliException("cannot try what works here: " + e.getMessage());
    }
  }

  private StrategySelector selector() {
    VerdictStore verdicts = verdicts();
    return new StrategySelector(Strategies.ALL, verdicts.remembering(host), verdicts);
  }

  /** The remembered verdicts on strategies. */
  private VerdictStore verdicts() {
    return verdicts(trial(diagnosis()));
  }

  /**
   * The same.
   *
   * @param trial who is asked for those that are not known
   */
  VerdictStore verdicts(StrategySelector.Trial trial) {
    return new VerdictStore(directory, HostState.of(host, programVersion()), trial);
  }

  StrategyTrial trial(Diagnosis diagnosis) {
    return new StrategyTrial(runner(), host, diagnosis);
  }

  ProgramRunner runner() {
    return new ProgramRunner(directory);
  }

  Diagnosis diagnosis() {
    return new Diagnosis(host.caller(), Evidence::collect).with(runner());
  }

  /** A new build may find out other things, even under the same number. */
  static String programVersion() {
    String classPath = System.getProperty("java.class.path", "");
    try {
      return Version.current()
          + " "
          + Files.getLastModifiedTime(Path.of(classPath.split(":", -1)[0])).toMillis();
    } catch (IOException e) {
      return Version.current();
    }
  }

  private static String explain(RunRequest request, NoStrategyException e) {
    if (request.strategy().isPresent()) {
      Rejection only = e.rejections().getFirst();
      return "--strategy " + only + only.attachment();
    }
    return e.getMessage();
  }
}
