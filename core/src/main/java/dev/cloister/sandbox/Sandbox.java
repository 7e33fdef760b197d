package dev.cloister.sandbox;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.ChildProcess;
import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Environment;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.MemoryFile;
import dev.cloister.ffm.Spawn;
import dev.cloister.host.Caller;
import dev.cloister.host.Evidence;
import dev.cloister.host.HostReport;
import dev.cloister.launch.HiddenLaunchers;
import dev.cloister.launch.PrivateDirectory;
import dev.cloister.launch.ReadOnlyCgroups;
import dev.cloister.launch.StaleCgroups;
import dev.cloister.machine.ElfImage;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.machine.Reporting;
import dev.cloister.probe.Diagnosis;
import dev.cloister.probe.ProgramRunner;
import dev.cloister.probe.StrategyTrial;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.PlanException;
import dev.cloister.strategy.StrategySelector;
import dev.cloister.strategy.StrategySelector.Choice;
import dev.cloister.strategy.StrategySelector.NoStrategyException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * A sandbox that was compiled for this host: a launcher in a file without a name, in memory where
 * that is allowed, which every start executes anew. Safe for use by several threads.
 */
public final class Sandbox implements AutoCloseable {
  private static final int MAX_BUSY = 1000;
  private static final long BUSY_NANOS = 1_000_000;

  private final Choice choice;
  private final Descriptor launcher;

  private Sandbox(Choice choice, Descriptor launcher) {
    this.choice = choice;
    this.launcher = launcher;
  }

  /**
   * Chooses a strategy by trying, plans, and compiles.
   *
   * @param strategies in order of preference
   * @throws NoStrategyException if none of them can make this sandbox here; it says why
   * @throws PlanException if the specification contradicts itself
   * @throws IOException if this host lacks what a trial needs, such as {@code /proc}
   */
  public static Sandbox compile(SandboxSpec spec, List<IsolationStrategy> strategies)
      throws NoStrategyException, PlanException, IOException {
    return compile(spec, strategies, Set.of());
  }

  /**
   * The same with a strategy that guarantees all that is required.
   *
   * @param strategies in order of preference
   * @param required what the sandbox must be good for; {@link #choice} says what else it is
   * @throws NoStrategyException if none of them can make such a sandbox here; its message says why,
   *     for each
   * @throws PlanException if the specification contradicts itself
   * @throws IOException if this host lacks what a trial needs, such as {@code /proc}
   */
  public static Sandbox compile(
      SandboxSpec spec, List<IsolationStrategy> strategies, Set<Guarantee> required)
      throws NoStrategyException, PlanException, IOException {
    Caller caller = Caller.current();
    HostReport host = HostReport.of(caller, System.getenv().getOrDefault("PATH", "/usr/bin:/bin"));
    PrivateDirectory directory = directory(caller.uid());
    SandboxSpec safe = ReadOnlyCgroups.in(HiddenLaunchers.in(spec, directory, caller.uid()), host);
    StaleCgroups.removeFor(spec.limits(), host);
    ProgramRunner runner = new ProgramRunner(directory);
    Diagnosis diagnosis = new Diagnosis(caller, Evidence::collect).with(runner);
    StrategyTrial trial = new StrategyTrial(runner, host, diagnosis);
    Choice choice =
        new StrategySelector(strategies, host, trial).choose(safe, Optional.empty(), required);
    ElfImage image =
        ProgramCompiler.compile(
            choice.strategy().plan(safe, choice.host()),
            ProgramCompiler.Options.plain(Architecture.host(), Reporting.TEXT, "library"));
    return new Sandbox(choice, hold(image, directory));
  }

  /** A memory file; one without a name where sysctl vm.memfd_noexec or a filter forbids that. */
  private static Descriptor hold(ElfImage image, PrivateDirectory directory) throws IOException {
    try {
      return MemoryFile.executable("cloister", image.bytes());
    } catch (LinuxException e) {
      if (e.is(Errno.EACCES) || e.is(Errno.EPERM) || e.is(Errno.ENOSYS)) {
        return directory.unnamed(image);
      }
      throw e;
    }
  }

  private static PrivateDirectory directory(long uid) throws IOException {
    return PrivateDirectory.in(PrivateDirectory.places(System.getenv()), uid)
        .orElseThrow(
            () -> new IOException("no directory for launchers is writable and allows execution"));
  }

  /** The strategy that makes this sandbox, why it was chosen, and what it guarantees. */
  public Choice choice() {
    return choice;
  }

  /**
   * Starts a command in a new sandbox, with this process's environment and standard streams.
   *
   * @return the process, for which the caller waits; it ends with 125 if the sandbox could not be
   *     made, 126 if the command cannot be executed and 127 if it is not found
   */
  public ChildProcess start(String... command) throws LinuxException {
    List<byte[]> arguments = new ArrayList<>();
    arguments.add(OsString.of("cloister").bytes());
    for (String argument : command) {
      arguments.add(OsString.of(argument).bytes());
    }
    byte[] path = OsString.of("/proc/self/fd/" + launcher.number()).bytes();
    return start(Spawn.of(path, arguments, Environment.variables()));
  }

  /**
   * A process that this JVM started while the launcher was written to a file has it open for
   * writing until it executes another program, and meanwhile nobody can execute it (execve(2)).
   */
  private static ChildProcess start(Spawn spawn) throws LinuxException {
    for (int tries = 0; tries < MAX_BUSY; tries++) {
      try {
        return spawn.start();
      } catch (LinuxException e) {
        if (!e.is(Errno.ETXTBSY)) {
          throw e;
        }
        LockSupport.parkNanos(BUSY_NANOS);
      }
    }
    return spawn.start();
  }

  /** Frees the launcher. Processes that were started go on. */
  @Override
  public void close() throws LinuxException {
    launcher.close();
  }
}
