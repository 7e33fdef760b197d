package dev.cloister.sandbox;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.MemoryFile;
import dev.cloister.host.Caller;
import dev.cloister.host.Evidence;
import dev.cloister.host.HostReport;
import dev.cloister.launch.PrivateDirectory;
import dev.cloister.launch.Safeguards;
import dev.cloister.launch.StaleCgroups;
import dev.cloister.machine.ElfImage;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.probe.Diagnosis;
import dev.cloister.probe.ProgramRunner;
import dev.cloister.probe.StrategyTrial;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.Handover;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.PlanException;
import dev.cloister.strategy.SplitPlan;
import dev.cloister.strategy.StrategySelector;
import dev.cloister.strategy.StrategySelector.Choice;
import dev.cloister.strategy.StrategySelector.NoStrategyException;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The launchers of one sandbox, each compiled when it is first needed and then held: in a file
 * without a name, in memory where that is allowed. Safe for use by several threads, but for {@link
 * #close}, which must be the last.
 */
final class Launchers implements AutoCloseable {
  private final SandboxSpec spec;
  private final Choice choice;
  private final PrivateDirectory directory;
  private final Optional<SplitPlan> split;
  private final Map<Kind, Descriptor> files = new HashMap<>();
  private final Map<Kind, Optional<ResidentLauncher>> residents = new HashMap<>();

  /** What a launcher does of a sandbox's whole program. */
  enum Stage {
    WHOLE,
    /** {@link SplitPlan#setUp}. */
    SET_UP,
    /** {@link SplitPlan#command}. */
    COMMAND
  }

  /** What is one launcher, and not another. */
  record Kind(Stage stage, Handover handover) {
    static Kind whole(Handover handover) {
      return new Kind(Stage.WHOLE, handover);
    }
  }

  private Launchers(SandboxSpec spec, Choice choice, PrivateDirectory directory)
      throws PlanException {
    this.spec = spec;
    this.choice = choice;
    this.directory = directory;
    this.split = choice.strategy().split(spec, choice.host());
  }

  /**
   * Chooses a strategy by trying, for a sandbox on this host.
   *
   * @param strategies in order of preference
   * @param name the only one to consider, or empty for all
   * @param required what the sandbox must be good for; {@link #choice} says what else it is
   * @throws NoStrategyException if none of them can make such a sandbox here; its message says why,
   *     for each
   * @throws PlanException if the specification contradicts itself
   * @throws IOException if this host lacks what a trial needs, such as {@code /proc}
   */
  static Launchers choose(
      SandboxSpec spec,
      List<IsolationStrategy> strategies,
      Optional<String> name,
      Set<Guarantee> required)
      throws NoStrategyException, PlanException, IOException {
    Caller caller = Caller.current();
    HostReport host = HostReport.of(caller, System.getenv().getOrDefault("PATH", "/usr/bin:/bin"));
    PrivateDirectory directory =
        PrivateDirectory.in(PrivateDirectory.places(System.getenv()), caller.uid())
            .orElseThrow(
                () -> new IOException("no directory for launchers is writable and executable"));
    SandboxSpec safe = Safeguards.in(spec, directory, host);
    ProgramRunner runner = new ProgramRunner(directory);
    Diagnosis diagnosis = new Diagnosis(caller, Evidence::collect).with(runner);
    StrategyTrial trial = new StrategyTrial(runner, host, diagnosis);
    Choice choice = new StrategySelector(strategies, host, trial).choose(safe, name, required);
    StaleCgroups.removeFor(spec.limits(), host);
    Launchers launchers = new Launchers(safe, choice, directory);
    // What contradicts itself is refused before anything is started.
    launchers.make(Kind.whole(Handover.library(Set.of())));
    return launchers;
  }

  /** The strategy that makes this sandbox, why it was chosen, and what it guarantees. */
  Choice choice() {
    return choice;
  }

  /** Whether a process of the launcher's waits for the command, and then says how it ended. */
  boolean someoneWaits() {
    return !choice.guarantees().contains(Guarantee.IN_PLACE);
  }

  /** How many namespaces a sandbox is that the command's process enters later, if it can. */
  OptionalInt namespacesToEnter() {
    return split.isPresent()
        ? OptionalInt.of(split.get().entering().namespaces())
        : OptionalInt.empty();
  }

  /** The launcher for such a start, which stays this object's. */
  synchronized Descriptor file(Kind kind) throws IOException {
    Descriptor known = files.get(kind);
    try {
      return known == null ? make(kind) : known;
    } catch (PlanException e) {
      throw contradiction(e);
    }
  }

  private Descriptor make(Kind kind) throws PlanException, IOException {
    Descriptor file = hold(ProgramCompiler.compile(plan(kind), options(kind.handover())));
    files.put(kind, file);
    return file;
  }

  private SyscallProgram plan(Kind kind) throws PlanException {
    return switch (kind.stage()) {
      case WHOLE -> choice.strategy().plan(spec.with(kind.handover()), choice.host());
      case SET_UP -> split.orElseThrow().setUp();
      case COMMAND -> split.orElseThrow().command();
    };
  }

  private static ProgramCompiler.Options options(Handover handover) {
    return ProgramCompiler.Options.library(
        Architecture.host(), handover, ProcessHandle.current().pid());
  }

  /** The launcher for such a start in this program's memory, if it can be there. */
  synchronized Optional<ResidentLauncher> resident(Kind kind) {
    Optional<ResidentLauncher> known = residents.get(kind);
    if (known == null) {
      known = makeResident(kind);
      residents.put(kind, known);
    }
    return known;
  }

  /** On aarch64 nobody has tried it with a JVM so far. */
  private Optional<ResidentLauncher> makeResident(Kind kind) {
    if (Architecture.host() != Architecture.X86_64) {
      return Optional.empty();
    }
    try {
      return ProgramCompiler.compileResident(plan(kind), options(kind.handover()))
          .map(ResidentLauncher::new);
    } catch (PlanException e) {
      throw contradiction(e);
    }
  }

  private static IllegalStateException contradiction(PlanException e) {
    return new IllegalStateException("what is handed over contradicts nothing", e);
  }

  /** A memory file; one without a name where sysctl vm.memfd_noexec or a filter forbids that. */
  private Descriptor hold(ElfImage image) throws IOException {
    try {
      return MemoryFile.executable("cloister", image.bytes());
    } catch (LinuxException e) {
      if (e.is(Errno.EACCES) || e.is(Errno.EPERM) || e.is(Errno.ENOSYS)) {
        return directory.unnamed(image);
      }
      throw e;
    }
  }

  @Override
  public synchronized void close() throws LinuxException {
    for (Descriptor file : files.values()) {
      file.close();
    }
    files.clear();
    for (Optional<ResidentLauncher> each : residents.values()) {
      if (each.isPresent()) {
        each.get().close();
      }
    }
    residents.clear();
  }
}
