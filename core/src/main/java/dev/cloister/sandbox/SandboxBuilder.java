package dev.cloister.sandbox;

import dev.cloister.ffm.Environment;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.Caller;
import dev.cloister.host.HostFiles;
import dev.cloister.host.HostFiles.SourceException;
import dev.cloister.host.Preset;
import dev.cloister.sandbox.SandboxException.Phase;
import dev.cloister.seccomp.DefaultProfile;
import dev.cloister.spec.Destination;
import dev.cloister.spec.EnvironmentRules;
import dev.cloister.spec.Identity;
import dev.cloister.spec.Limits;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Source;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.Privileges;
import dev.cloister.spec.Processes;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.PlanException;
import dev.cloister.strategy.StrategySelector.NoStrategyException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import java.util.Set;

/**
 * Says what a {@link Sandbox} is to be, in bubblewrap's words and with its meaning: mounts are made
 * in the order in which they are asked for, later ones over earlier ones. At first there is an
 * empty root, this program's identity, environment, network and processes. Whatever is asked for,
 * the command has no capability that was not added, cannot gain privileges, and inherits no
 * descriptor that was not passed.
 *
 * <p>Sources are looked at when the sandbox is built. Used by one thread at a time.
 *
 * <p>A process of the sandbox's own waits for the command where there is a pid namespace, a
 * session, an end with this program, or a limit by a cgroup; else the command is the process
 * itself.
 */
public final class SandboxBuilder {
  private final SandboxSpec.Builder spec = SandboxSpec.builder();
  private final List<Mounts> mounts = new ArrayList<>();
  private final Set<Guarantee> required = EnumSet.noneOf(Guarantee.class);
  private EnvironmentRules environment = EnvironmentRules.INHERIT;
  private Identity identity = Identity.CALLER;
  private Optional<String> strategy = Optional.empty();

  SandboxBuilder() {}

  /** Mounts that are known when all has been said. */
  @FunctionalInterface
  private interface Mounts {
    List<MountOperation> on(Caller caller) throws SandboxException;
  }

  /**
   * Adds a set of mounts: {@code host} (the host's programs, read-only, its devices and kernel file
   * systems, an empty {@code /tmp}, and nothing that belongs to users) or {@code origin}.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public SandboxBuilder preset(String name) {
    Preset preset = Preset.of(name).orElseThrow(() -> wrong("preset", name));
    mounts.add(caller -> presetMounts(preset, caller));
    return this;
  }

  private List<MountOperation> presetMounts(Preset preset, Caller caller) throws SandboxException {
    boolean reallyRoot = caller.uid() == 0 && identity.uid().orElse(0) == 0;
    try {
      return preset.mounts(reallyRoot, spec.unshares(Namespace.PID));
    } catch (SourceException e) {
      throw SandboxException.refused("preset " + preset.word() + ": " + e.getMessage());
    }
  }

  /** Shows a file or directory of the host's, with all mounts below it, at the same path. */
  public SandboxBuilder bind(Path path) {
    return bind(path, path);
  }

  /** The same at another path. What is there can be changed; devices cannot be opened. */
  public SandboxBuilder bind(Path source, Path destination) {
    return bind("bind", source, destination, Access.READ_WRITE);
  }

  /** As {@link #bind(Path)}, and nothing of it can be changed, on any mount below it either. */
  public SandboxBuilder roBind(Path path) {
    return roBind(path, path);
  }

  /** The same at another path. */
  public SandboxBuilder roBind(Path source, Path destination) {
    return bind("roBind", source, destination, Access.READ_ONLY);
  }

  /** As {@link #bind(Path)}, and devices can be opened. */
  public SandboxBuilder devBind(Path path) {
    return devBind(path, path);
  }

  /** The same at another path. */
  public SandboxBuilder devBind(Path source, Path destination) {
    return bind("devBind", source, destination, Access.DEVICES);
  }

  /** As {@link #bind(Path, Path)}, if there is a {@code source} when the sandbox is built. */
  public SandboxBuilder bindTry(Path source, Path destination) {
    return bindTry("bindTry", source, destination, Access.READ_WRITE);
  }

  /** As {@link #roBind(Path, Path)}, if there is a {@code source} when the sandbox is built. */
  public SandboxBuilder roBindTry(Path source, Path destination) {
    return bindTry("roBindTry", source, destination, Access.READ_ONLY);
  }

  /** As {@link #devBind(Path, Path)}, if there is a {@code source} when the sandbox is built. */
  public SandboxBuilder devBindTry(Path source, Path destination) {
    return bindTry("devBindTry", source, destination, Access.DEVICES);
  }

  private SandboxBuilder bind(String what, Path source, Path destination, Access access) {
    Destination place = place(what, destination);
    mounts.add(_ -> List.of(new MountOperation.Bind(inspect(what, source), place, access)));
    return this;
  }

  private SandboxBuilder bindTry(String what, Path source, Path destination, Access access) {
    Destination place = place(what, destination);
    mounts.add(
        _ ->
            Files.notExists(source)
                ? List.of()
                : List.of(new MountOperation.Bind(inspect(what, source), place, access)));
    return this;
  }

  private static Source inspect(String what, Path source) throws SandboxException {
    try {
      return HostFiles.inspect(OsString.of(source));
    } catch (SourceException e) {
      throw SandboxException.refused("%s %s: %s".formatted(what, source, e.getMessage()));
    }
  }

  /** An empty directory in memory. */
  public SandboxBuilder tmpfs(Path destination) {
    return mount(new MountOperation.Tmpfs(place("tmpfs", destination)));
  }

  /**
   * The same with permissions and an end.
   *
   * @param mode such as {@code 01777}, in octal
   * @param maxBytes how much all its files can hold together
   * @throws IllegalArgumentException if the mode has other bits, or the size is not positive
   */
  public SandboxBuilder tmpfs(Path destination, int mode, long maxBytes) {
    if (maxBytes <= 0) {
      throw new IllegalArgumentException("tmpfs %s: %d bytes".formatted(destination, maxBytes));
    }
    Destination place = place("tmpfs", destination);
    return mount(new MountOperation.Tmpfs(place, mode("tmpfs", mode), OptionalLong.of(maxBytes)));
  }

  /** A directory, with its parents; one that is there is left as it is. */
  public SandboxBuilder dir(Path destination) {
    return dir(destination, 0755);
  }

  /**
   * The same with permissions. Parents that are missing can be passed by whom the mode names.
   *
   * @param mode such as {@code 0700}, in octal
   * @throws IllegalArgumentException if it has other bits
   */
  public SandboxBuilder dir(Path destination, int mode) {
    return mount(new MountOperation.Directory(place("dir", destination), mode("dir", mode)));
  }

  /**
   * Changes the permissions of what is there by then: also of a file of the host's, if it is bound
   * and can be changed.
   *
   * @param mode such as {@code 0700}, in octal
   * @throws IllegalArgumentException if it has other bits
   */
  public SandboxBuilder chmod(Path destination, int mode) {
    return mount(new MountOperation.Permissions(place("chmod", destination), mode("chmod", mode)));
  }

  private static int mode(String what, int mode) {
    if ((mode & ~07777) != 0) {
      throw new IllegalArgumentException("%s: 0%o are no permissions".formatted(what, mode));
    }
    return mode;
  }

  /** Makes what is mounted there by then read-only, but not what is mounted below it. */
  public SandboxBuilder remountRo(Path destination) {
    return mount(new MountOperation.RemountReadOnly(place("remountRo", destination)));
  }

  /** POSIX message queues, of the sandbox's own if it has {@link #unshareIpc IPC of its own}. */
  public SandboxBuilder mqueue(Path destination) {
    return mount(new MountOperation.MessageQueues(place("mqueue", destination)));
  }

  /**
   * Several directories of the host's as one. What the command changes goes to {@code upper}, the
   * others stay as they are. Needs Linux 5.11 where this program is not root.
   *
   * @param lower the lowest first: where a name is in several, the last of them has it
   * @param upper above all of these
   * @param work an empty directory on the same file system as {@code upper}, for the kernel alone
   */
  public SandboxBuilder overlay(List<Path> lower, Path upper, Path work, Path destination) {
    return overlay(
        "overlay",
        lower,
        () -> MountOperation.Changes.keptIn(overlaid("overlay", upper), overlaid("overlay", work)),
        1,
        destination);
  }

  /** The same where the changes are in memory, and gone with the sandbox. */
  public SandboxBuilder tmpOverlay(List<Path> lower, Path destination) {
    return overlay("tmpOverlay", lower, MountOperation.Changes.FORGOTTEN, destination);
  }

  /**
   * The same where nothing can be changed.
   *
   * @param lower two at least
   */
  public SandboxBuilder roOverlay(List<Path> lower, Path destination) {
    return overlay("roOverlay", lower, MountOperation.Changes.FORBIDDEN, destination);
  }

  private SandboxBuilder overlay(
      String what, List<Path> lower, MountOperation.Changes changes, Path destination) {
    return overlay(what, lower, () -> changes, changes.leastLayers(), destination);
  }

  /** What is known of changes when the sandbox is built. */
  @FunctionalInterface
  private interface ChangesSource {
    MountOperation.Changes get() throws SandboxException;
  }

  private SandboxBuilder overlay(
      String what, List<Path> lower, ChangesSource changes, int least, Path destination) {
    int most = MountOperation.Overlay.MAX_LAYERS;
    if (lower.size() < least || lower.size() > most) {
      throw new IllegalArgumentException(
          "%s: needs %d to %d directories, not %d".formatted(what, least, most, lower.size()));
    }
    List<Path> directories = List.copyOf(lower);
    Destination place = place(what, destination);
    mounts.add(
        _ -> {
          List<Source> layers = new ArrayList<>();
          for (Path directory : directories) {
            layers.add(overlaid(what, directory));
          }
          return List.of(new MountOperation.Overlay(layers, changes.get(), place));
        });
    return this;
  }

  private static Source overlaid(String what, Path directory) throws SandboxException {
    Source source = inspect(what, directory);
    if (!source.directory()) {
      throw SandboxException.refused("%s %s: not a directory".formatted(what, directory));
    }
    return source;
  }

  /** A symbolic link at {@code destination} that says {@code target}. */
  public SandboxBuilder symlink(String target, Path destination) {
    if (target.isEmpty()) {
      throw wrong("symlink", target);
    }
    OsString says = word("symlink", target);
    return mount(new MountOperation.Symlink(says, place("symlink", destination)));
  }

  /** The process file system: of the sandbox's own pid namespace, if it has one. */
  public SandboxBuilder proc(Path destination) {
    return mount(new MountOperation.Proc(place("proc", destination)));
  }

  /** A minimal {@code /dev}: null, zero, full, random, urandom, tty, pts, shm. */
  public SandboxBuilder dev(Path destination) {
    return mount(new MountOperation.Devices(place("dev", destination)));
  }

  private SandboxBuilder mount(MountOperation operation) {
    mounts.add(_ -> List.of(operation));
    return this;
  }

  private static Destination place(String what, Path path) {
    try {
      return Destination.of(OsString.of(path));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("%s %s: %s".formatted(what, path, e.getMessage()), e);
    }
  }

  /** A network of its own, in which only the loopback device exists. */
  public SandboxBuilder unshareNet() {
    return unshare(Namespace.NET);
  }

  /** Processes of its own: it sees no other, and all end when the command does. */
  public SandboxBuilder unsharePid() {
    return unshare(Namespace.PID);
  }

  /** System V shared memory, semaphores and message queues of its own. */
  public SandboxBuilder unshareIpc() {
    return unshare(Namespace.IPC);
  }

  /** A cgroup namespace of its own. */
  public SandboxBuilder unshareCgroup() {
    return unshare(Namespace.CGROUP);
  }

  /**
   * A host name of its own.
   *
   * @throws IllegalArgumentException if it has not 1 to 64 bytes, or a NUL
   */
  public SandboxBuilder hostname(String name) {
    spec.hostname(word("hostname", name));
    return this;
  }

  /** All of these. */
  public SandboxBuilder unshareAll() {
    for (Namespace namespace : Namespace.values()) {
      unshare(namespace);
    }
    return this;
  }

  private SandboxBuilder unshare(Namespace namespace) {
    spec.unshare(namespace);
    return this;
  }

  /** The command's user id, 0 to 2^32-2. */
  public SandboxBuilder uid(long id) {
    identity = identity.withUid(id);
    return this;
  }

  /** The command's group id, 0 to 2^32-2. */
  public SandboxBuilder gid(long id) {
    identity = identity.withGid(id);
    return this;
  }

  /**
   * Gives the command a capability in its own user namespace.
   *
   * @param name such as {@code CAP_NET_BIND_SERVICE}
   * @throws IllegalArgumentException if there is none of that name
   */
  public SandboxBuilder capAdd(String name) {
    LinuxConstant capability = named("capAdd", name, "CAP_", Privileges.allCapabilities());
    spec.privileges(
        some -> {
          Set<LinuxConstant> more = EnumSet.of(capability);
          more.addAll(some.capabilities());
          return some.withCapabilities(more);
        });
    return this;
  }

  /** Allows only the system calls that programs need: {@code docs/seccomp.md}. */
  public SandboxBuilder seccomp() {
    spec.privileges(some -> some.withFilters(List.of(DefaultProfile.INSTANCE)));
    return this;
  }

  /** Starts with no variables, rather than this program's. Forgets those that were set. */
  public SandboxBuilder clearEnv() {
    environment = environment.clear();
    return this;
  }

  /** Sets a variable. */
  public SandboxBuilder setEnv(String name, String value) {
    environment = environment.set(variable("setEnv", name), word("setEnv", value));
    return this;
  }

  /** Removes a variable. */
  public SandboxBuilder unsetEnv(String name) {
    environment = environment.unset(variable("unsetEnv", name));
    return this;
  }

  /**
   * Keeps a variable of this program's that {@link #clearEnv} would remove. One that is not set
   * when a command starts is not set for the command either.
   */
  public SandboxBuilder keepEnv(String name) {
    environment = environment.keep(variable("keepEnv", name));
    return this;
  }

  private static OsString variable(String what, String name) {
    if (name.isEmpty() || name.indexOf('=') >= 0) {
      throw wrong(what, name);
    }
    return word(what, name);
  }

  private static OsString word(String what, String text) {
    try {
      return OsString.of(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(what + ": " + e.getMessage(), e);
    }
  }

  /**
   * Where commands start, in the sandbox.
   *
   * @throws IllegalArgumentException if it is the empty path
   */
  public SandboxBuilder chdir(Path directory) {
    if (directory.toString().isEmpty()) {
      throw new IllegalArgumentException("chdir: an empty path");
    }
    spec.workingDirectory(OsString.of(directory));
    return this;
  }

  /** A session without a terminal. */
  public SandboxBuilder newSession() {
    spec.processes(Processes::inNewSession);
    return this;
  }

  /** Kills the command when this program ends, however that comes about. */
  public SandboxBuilder dieWithParent() {
    spec.processes(Processes::dyingWithParent);
    return this;
  }

  /**
   * Limits what each process may use: setrlimit(2).
   *
   * @param resource such as {@code nofile}, {@code as} or {@code cpu}
   * @param limit soft and hard, in the resource's unit
   * @throws IllegalArgumentException if there is no such resource, or the limit is negative
   */
  public SandboxBuilder rlimit(String resource, long limit) {
    if (limit < 0) {
      throw wrong("rlimit " + resource, Long.toString(limit));
    }
    LinuxConstant which = named("rlimit", resource, "RLIMIT_", Limits.known());
    spec.limits(some -> some.with(which, new Limits.ResourceLimit(limit, limit)));
    return this;
  }

  /** Limits the memory of all processes together, in bytes: by a cgroup, or not at all. */
  public SandboxBuilder memory(long bytes) {
    spec.limits(some -> some.withMemory(bytes));
    return this;
  }

  /** Limits how many processes and threads there are at once: by a cgroup. */
  public SandboxBuilder pids(long number) {
    spec.limits(some -> some.withPids(number));
    return this;
  }

  /**
   * Makes it with this strategy or not at all.
   *
   * @param name as {@code cloister probe} lists them
   */
  public SandboxBuilder strategy(String name) {
    strategy = Optional.of(name);
    return this;
  }

  /**
   * Considers only strategies that guarantee this.
   *
   * @param guarantee as {@code docs/guarantees.md} lists them
   * @throws IllegalArgumentException if there is none of that name
   */
  public SandboxBuilder require(String guarantee) {
    required.add(Guarantee.of(guarantee).orElseThrow(() -> wrong("require", guarantee)));
    return this;
  }

  /** By its name in any case, with or without the prefix. */
  private static LinuxConstant named(
      String what, String name, String prefix, Set<LinuxConstant> known) {
    String upper = name.toUpperCase(Locale.ROOT);
    for (LinuxConstant constant : known) {
      if (constant.name().equals(upper) || constant.name().equals(prefix + upper)) {
        return constant;
      }
    }
    throw wrong(what, name);
  }

  private static IllegalArgumentException wrong(String what, String value) {
    return new IllegalArgumentException(what + ": there is no '" + value + "'");
  }

  /**
   * Finds a strategy that can make it here, by trying, and compiles it.
   *
   * @throws SandboxException if that is impossible; the message says why, for each strategy. Also
   *     if this thread is interrupted while something is tried; it stays interrupted
   */
  public Sandbox build() throws SandboxException {
    try {
      SandboxSpec complete = complete(Caller.current());
      Launchers launchers = Launchers.choose(complete, strategies(), strategy, required);
      return new Sandbox(launchers, environment.applyTo(variables()));
    } catch (NoStrategyException | PlanException e) {
      throw SandboxException.refused(e);
    } catch (SandboxException e) {
      throw e;
    } catch (IOException e) {
      throw SandboxException.of(Phase.BUILD, e);
    } catch (UncheckedIOException e) {
      // What is tried comes through interfaces that know no IOException.
      throw SandboxException.of(Phase.BUILD, Objects.requireNonNull(e.getCause()));
    }
  }

  private SandboxSpec complete(Caller caller) throws SandboxException {
    List<MountOperation> operations = new ArrayList<>();
    for (Mounts some : mounts) {
      operations.addAll(some.on(caller));
    }
    SandboxSpec base = spec.identity(identity).build();
    return base.withMounts(operations);
  }

  private List<IsolationStrategy> strategies() throws SandboxException {
    List<IsolationStrategy> all = new ArrayList<>();
    ServiceLoader.load(IsolationStrategy.class, IsolationStrategy.class.getClassLoader())
        .forEach(all::add);
    if (strategy.isPresent() && all.stream().noneMatch(it -> it.name().equals(strategy.get()))) {
      throw SandboxException.refused("there is no strategy '" + strategy.get() + "'");
    }
    return all;
  }

  private static List<OsString> variables() {
    List<OsString> variables = new ArrayList<>();
    for (byte[] variable : Environment.variables()) {
      variables.add(OsString.ofBytes(variable));
    }
    return variables;
  }
}
