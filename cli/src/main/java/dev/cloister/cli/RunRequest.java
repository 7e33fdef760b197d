package dev.cloister.cli;

import dev.cloister.cli.MountOptions.PresetView;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.Caller;
import dev.cloister.host.CallerKind;
import dev.cloister.host.HostFiles;
import dev.cloister.host.Preset;
import dev.cloister.program.Instruction;
import dev.cloister.spec.Destination;
import dev.cloister.spec.EnvironmentRules;
import dev.cloister.spec.Identity;
import dev.cloister.spec.Limits;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.Processes;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.spec.SeccompFilter;
import dev.cloister.spec.Timeout;
import dev.cloister.strategies.Strategies;
import dev.cloister.strategy.Guarantee;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * What {@code run} was asked for.
 *
 * @param strategy the strategy's name, or empty for the best
 * @param required what the strategy must guarantee
 * @param command index of the command among the arguments
 * @param absent the sources that were not there, and need not be
 * @param kept the variables that must be set
 */
record RunRequest(
    SandboxSpec spec,
    Optional<String> strategy,
    Set<Guarantee> required,
    boolean verbose,
    int command,
    List<OsString> absent,
    List<OsString> kept) {

  RunRequest {
    absent = List.copyOf(absent);
    kept = List.copyOf(kept);
  }

  /** How long a command has to end by itself once its time is over. */
  private static final Duration DEFAULT_GRACE = Duration.ofSeconds(5);

  /** Makes a request of parsed options. */
  static RunRequest of(ParsedOptions<RunOption> parsed, Invocation invocation, Caller caller)
      throws CliException {
    return of(parsed, invocation, caller, Dialect.CLOISTER);
  }

  /** The same of a command line in some dialect. */
  static RunRequest of(
      ParsedOptions<RunOption> parsed, Invocation invocation, Caller caller, Dialect dialect)
      throws CliException {
    Builder builder = new Builder(invocation, dialect, /* late= */ false);
    if (dialect == Dialect.BUBBLEWRAP) {
      BubblewrapRules.start(builder, caller);
    }
    builder.apply(parsed.options());
    if (parsed.command() >= invocation.arguments().size()) {
      throw new CliException("no command given (try --help)");
    }
    if (dialect == Dialect.BUBBLEWRAP) {
      BubblewrapRules.finish(builder, caller);
    }
    return builder.build(parsed.command(), caller.uid() == 0);
  }

  /**
   * What the options ask for where neither the host nor the caller is known yet.
   *
   * @param specs one for each kind of callers
   * @param conditions what must hold of the caller
   */
  record Late(
      Map<CallerKind, SandboxSpec> specs,
      List<Instruction.RequireVariable> conditions,
      Optional<String> strategy,
      Set<Guarantee> required) {
    Late {
      specs = Map.copyOf(specs);
      conditions = List.copyOf(conditions);
    }
  }

  /** Makes such a request. */
  static Late late(List<ParsedOptions.Use<RunOption>> uses, Invocation invocation)
      throws CliException {
    Map<CallerKind, SandboxSpec> specs = new EnumMap<>(CallerKind.class);
    for (CallerKind kind : CallerKind.values()) {
      Builder builder = applyLate(uses, invocation);
      specs.put(kind, builder.build(0, kind.isUserZero()).spec());
    }
    Builder any = applyLate(uses, invocation);
    return new Late(specs, any.conditions, any.strategy, any.required);
  }

  private static Builder applyLate(List<ParsedOptions.Use<RunOption>> uses, Invocation invocation)
      throws CliException {
    Builder builder = new Builder(invocation, Dialect.CLOISTER, /* late= */ true);
    builder.apply(uses);
    return builder;
  }

  /** Collects options in their order. */
  static final class Builder {
    private final Invocation invocation;
    private final Dialect dialect;
    private final boolean late;
    private final List<Instruction.RequireVariable> conditions = new ArrayList<>();
    private final SandboxSpec.Builder spec = SandboxSpec.builder();
    private final Modifiers modifiers = new Modifiers();
    private final MountOptions mounts;
    private EnvironmentRules environment = EnvironmentRules.INHERIT;
    private final List<OsString> kept = new ArrayList<>();
    private Identity identity = Identity.CALLER;
    private Limits limits = Limits.NONE;
    private Optional<String> strategy = Optional.empty();
    private final Set<Guarantee> required = new TreeSet<>();
    private Optional<SeccompFilters> seccomp = Optional.empty();
    private Optional<DescriptorOptions> descriptors = Optional.empty();
    private Optional<OsString> name = Optional.empty();
    private boolean locks;
    private Optional<NamespaceOptions> namespaces = Optional.empty();
    private boolean verbose;
    private boolean asPid1;
    private Optional<Duration> timeout = Optional.empty();
    private Optional<Duration> killAfter = Optional.empty();
    private Optional<OsString> hostname = Optional.empty();
    private Optional<OsString> workingDirectory = Optional.empty();
    private boolean ownUserNamespace;
    private boolean changesCapabilities;

    private Builder(Invocation invocation, Dialect dialect, boolean late) {
      this.invocation = invocation;
      this.dialect = dialect;
      this.late = late;
      this.mounts = new MountOptions(invocation, dialect, late, modifiers);
    }

    private void apply(List<ParsedOptions.Use<RunOption>> uses) throws CliException {
      for (ParsedOptions.Use<RunOption> use : uses) {
        try {
          use.option().apply(this, use.values());
          modifiers.requireTakenBy(use.option());
        } catch (CliException e) {
          throw use.wrong(e);
        }
      }
      modifiers.requireTaken();
    }

    /** What was said of the next option. */
    Modifiers modifiers() {
      return modifiers;
    }

    /** Whether the host has this kind of namespaces; a host that is not known yet will. */
    boolean has(Namespace namespace) {
      return late || HostFiles.hasNamespace(namespace);
    }

    MountOptions mounts() {
      return mounts;
    }

    SandboxSpec.Builder spec() {
      return spec;
    }

    void environment(RunOption option, OsString name, UnaryOperator<EnvironmentRules> change)
        throws CliException {
      if (name.isEmpty() || name.indexOf('=') >= 0) {
        throw new CliException(
            "%s '%s': not the name of a variable".formatted(option.word(), name));
      }
      changeEnvironment(change);
    }

    void changeEnvironment(UnaryOperator<EnvironmentRules> change) {
      environment = change.apply(environment);
    }

    void keep(RunOption option, OsString name) throws CliException {
      environment(option, name, rules -> rules.keep(name));
      if (late) {
        String missing = option.word() + " " + name + ": this variable is not set";
        conditions.add(new Instruction.RequireVariable(name, missing));
      } else if (invocation.variable(name).isEmpty()) {
        throw new CliException("%s %s: this variable is not set".formatted(option.word(), name));
      }
      kept.add(name);
    }

    Limits limits() {
      return limits;
    }

    void limits(Limits value) {
      limits = value;
    }

    EnvironmentRules environment() {
      return environment;
    }

    void environment(EnvironmentRules value) {
      environment = value;
    }

    Identity identity() {
      return identity;
    }

    void hostname(OsString name) {
      hostname = Optional.of(name);
    }

    Optional<OsString> hostname() {
      return hostname;
    }

    void workingDirectory(OsString directory) {
      workingDirectory = Optional.of(directory);
    }

    Optional<OsString> workingDirectory() {
      return workingDirectory;
    }

    /** Some option asks for a user namespace, required or not. */
    void ownUserNamespace() {
      ownUserNamespace = true;
    }

    boolean hasOwnUserNamespace() {
      return ownUserNamespace;
    }

    boolean changesCapabilities() {
      return changesCapabilities;
    }

    void uid(long id) {
      identity = identity.withUid(id);
    }

    void gid(long id) {
      identity = identity.withGid(id);
    }

    void capabilities(Consumer<Set<LinuxConstant>> change) {
      changesCapabilities = true;
      spec.privileges(
          some -> {
            Set<LinuxConstant> capabilities = EnumSet.noneOf(LinuxConstant.class);
            capabilities.addAll(some.capabilities());
            change.accept(capabilities);
            return some.withCapabilities(capabilities);
          });
    }

    void strategy(OsString value) throws CliException {
      String name = value.toString();
      if (name.equals("auto")) {
        strategy = Optional.empty();
      } else if (Strategies.find(name).isPresent()) {
        strategy = Optional.of(name);
      } else {
        throw new CliException(
            "--strategy %s: not one of auto, %s"
                .formatted(Messages.value(value), Strategies.names()));
      }
    }

    void require(OsString value) throws CliException {
      Optional<Guarantee> guarantee = Guarantee.of(value.toString());
      if (guarantee.isEmpty()) {
        throw new CliException(
            "--require %s: not one of %s"
                .formatted(Messages.value(value), Guarantee.words(Guarantee.allBut(Set.of()))));
      }
      required.add(guarantee.get());
    }

    SeccompFilters seccomp() {
      if (seccomp.isEmpty()) {
        seccomp = Optional.of(new SeccompFilters(dialect));
      }
      return seccomp.get();
    }

    /** What this program has read itself is not for the command, which would inherit it. */
    void readBefore(RunOption option, OsString descriptor) throws CliException {
      if (dialect == Dialect.BUBBLEWRAP) {
        int number = DescriptorOptions.number(option, descriptor);
        spec.descriptors(some -> some.using(option.word(), number));
      }
    }

    DescriptorOptions descriptors() {
      if (descriptors.isEmpty()) {
        descriptors = Optional.of(new DescriptorOptions());
      }
      return descriptors.get();
    }

    void name(OsString value) throws CliException {
      if (name.isPresent()) {
        throw new CliException(
            "--argv0 %s: the command has a name already, %s"
                .formatted(Messages.value(value), Messages.value(name.get())));
      }
      name = Optional.of(value);
      spec.processes(processes -> processes.called(value));
    }

    void lock(RunOption option, OsString path) throws CliException {
      Destination file = mounts.destination(option, path);
      locks = true;
      spec.processes(processes -> processes.locking(file));
    }

    NamespaceOptions namespaces() {
      if (namespaces.isEmpty()) {
        namespaces = Optional.of(new NamespaceOptions());
      }
      return namespaces.get();
    }

    void asPid1() {
      asPid1 = true;
    }

    void timeout(Duration limit) {
      timeout = Optional.of(limit);
    }

    void killAfter(Duration grace) {
      killAfter = Optional.of(grace);
    }

    /** Adds what several options say together. */
    private void setProcesses() throws CliException {
      if (asPid1) {
        if (!spec.unshares(Namespace.PID)) {
          throw new CliException(
              "--as-pid-1: means nothing without --unshare-pid",
              "Specifying --as-pid-1 requires --unshare-pid");
        }
        if (locks) {
          throw new CliException(
              "--as-pid-1: cannot be combined with --lock-file, which needs another process");
        }
        spec.processes(Processes::withCommandAsInit);
      }
      if (timeout.isPresent()) {
        Timeout limit = new Timeout(timeout.get(), killAfter.orElse(DEFAULT_GRACE));
        spec.processes(processes -> processes.within(limit));
      } else if (killAfter.isPresent()) {
        throw new CliException("--kill-after: means nothing without --timeout");
      }
    }

    void verbose() {
      verbose = true;
    }

    private boolean inPlace() {
      return strategy.isPresent() && !Strategies.find(strategy.get()).orElseThrow().hasOwnView();
    }

    private RunRequest build(int command, boolean isUserZero) throws CliException {
      if (!kept.isEmpty() && environment.inherit()) {
        throw new CliException(
            "--keep-env %s: means nothing without --clearenv".formatted(kept.getLast()));
      }
      setProcesses();
      if (hostname.isPresent()) {
        spec.hostname(hostname.get());
      }
      if (workingDirectory.isPresent()) {
        spec.workingDirectory(workingDirectory.get());
      }
      boolean othersMapIds = false;
      boolean otherPids = spec.unshares(Namespace.PID);
      if (namespaces.isPresent()) {
        namespaces.get().addTo(spec);
        // Another id in a user namespace that others have mapped may be the kernel's root, too.
        othersMapIds = namespaces.get().othersMapIds();
        otherPids |= namespaces.get().givesPids();
      }
      boolean reallyRoot = isUserZero && (identity.uid().orElse(0) == 0 || othersMapIds);
      PresetView view = new PresetView(reallyRoot, otherPids, inPlace(), late);
      if (mounts.areInHost()) {
        spec.mounts(view.of(Preset.HOST));
      }
      List<MountOperation> operations = mounts.all(view);
      BindTypes.check(operations);
      if (seccomp.isPresent()) {
        List<SeccompFilter> filters = seccomp.get().read(invocation);
        spec.privileges(privileges -> privileges.withFilters(filters));
      }
      if (descriptors.isPresent()) {
        spec.descriptors(descriptors.get()::addTo);
      }
      // For a host that is known, HiddenLaunchers does it.
      spec.mounts(late ? LateLaunchers.hide(operations) : operations);
      spec.identity(identity).environment(environment).limits(_ -> limits);
      SandboxSpec built = spec.build();
      if (!late) {
        DescriptorOptions.check(built.descriptors(), invocation);
      }
      return new RunRequest(built, strategy, required, verbose, command, mounts.absent(), kept);
    }
  }
}
