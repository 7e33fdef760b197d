package dev.cloister.cli;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.Preset;
import dev.cloister.spec.EnvironmentRules;
import dev.cloister.spec.Identity;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Changes;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.Privileges;
import dev.cloister.spec.Privileges.UserNamespaces;
import dev.cloister.spec.Processes;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Guarantee;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The options of {@code run}. To add one, add a constant and what it does to {@link #apply}: a
 * class for each would have to be loaded at each start.
 */
enum RunOption implements CliOption {
  MOUNT("--mount", "PATH", "bind PATH and its sub-mounts at the same path, writable"),
  BIND("--bind", "SRC DEST", "bind SRC at DEST, writable"),
  BIND_TRY("--bind-try", "SRC DEST", "the same, if SRC exists"),
  RO_BIND("--ro-bind", "SRC DEST", "bind SRC at DEST, read-only on every sub-mount"),
  RO_BIND_TRY("--ro-bind-try", "SRC DEST", "the same, if SRC exists"),
  DEV_BIND("--dev-bind", "SRC DEST", "bind SRC at DEST, writable, devices allowed"),
  DEV_BIND_TRY("--dev-bind-try", "SRC DEST", "the same, if SRC exists"),
  BIND_FD("--bind-fd", "FD DEST", "bind what this descriptor leads to at DEST, writable"),
  RO_BIND_FD("--ro-bind-fd", "FD DEST", "the same, read-only on every sub-mount"),
  FILE("--file", "FD DEST", "copy what can be read from this descriptor to the file DEST"),
  BIND_DATA("--bind-data", "FD DEST", "copy it to a file of its own that is bound at DEST"),
  RO_BIND_DATA("--ro-bind-data", "FD DEST", "the same, read-only"),
  TMPFS("--tmpfs", "DEST", "mount an empty tmpfs on DEST"),
  DIR("--dir", "DEST", "make the directory DEST"),
  PERMS(
      "--perms", "OCTAL", "for the next option that makes a file or a directory: its permissions"),
  SIZE("--size", "BYTES", "for the next --tmpfs: how much it can hold"),
  SYMLINK("--symlink", "TARGET DEST", "make DEST a symbolic link to TARGET"),
  CHMOD("--chmod", "OCTAL PATH", "change the permissions of what is at PATH in the sandbox"),
  REMOUNT_RO("--remount-ro", "DEST", "make the mount at DEST read-only, and none below it"),
  OVERLAY_SRC("--overlay-src", "SRC", "a layer, on those before it, for the next overlay option"),
  OVERLAY("--overlay", "UPPER WORK DEST", "show the layers at DEST; changes go to UPPER"),
  TMP_OVERLAY("--tmp-overlay", "DEST", "show the layers at DEST; changes are gone afterwards"),
  RO_OVERLAY("--ro-overlay", "DEST", "show the layers, two at least, at DEST, read-only"),
  MQUEUE("--mqueue", "DEST", "show POSIX message queues at DEST (with --unshare-ipc)"),
  PROC("--proc", "DEST", "show the process file system at DEST"),
  DEV("--dev", "DEST", "make a minimal /dev at DEST"),
  PRESET("--preset", "NAME", "host, origin or none: mounts to start from"),
  PROFILE("--profile", "FILE", "the options in this file, or of a shipped profile of this name"),
  ARGS("--args", "FD", "the options that can be read from this descriptor, each word with a NUL"),
  CHDIR("--chdir", "DIR", "start the command in DIR"),
  SETENV("--setenv", "VAR VALUE", "set a variable"),
  UNSETENV("--unsetenv", "VAR", "unset a variable"),
  CLEARENV("--clearenv", "", "unset all variables but those kept or set after this"),
  KEEP_ENV("--keep-env", "VAR", "with --clearenv: keep this one, which must be set"),
  UID("--uid", "UID", "run as this user id (default: the caller's)"),
  GID("--gid", "GID", "run as this group id (default: the caller's)"),
  MAP_ROOT_USER("--map-root-user", "", "the same as --uid 0 --gid 0; gives no capabilities"),
  HOSTNAME("--hostname", "NAME", "set the host name, in a UTS namespace"),
  CAP_ADD("--cap-add", "CAP", "give the command a capability, or ALL, over what is the sandbox's"),
  CAP_DROP("--cap-drop", "CAP", "take back a capability that was added, or ALL"),
  DISABLE_USERNS("--disable-userns", "", "let the command make no user namespaces"),
  ASSERT_USERNS_DISABLED(
      "--assert-userns-disabled", "", "start the command only if it can make no user namespaces"),
  UNSHARE_USER("--unshare-user", "", "require a user namespace of the command's own"),
  UNSHARE_USER_TRY("--unshare-user-try", "", "make one wherever it can be made, as always"),
  USERNS("--userns", "FD", "use this user namespace (/proc/PID/ns/user) in place of a new one"),
  USERNS2("--userns2", "FD", "when all is made, put the command into this user namespace"),
  USERNS_BLOCK_FD(
      "--userns-block-fd",
      "FD",
      "with --info-fd: let others map the ids of --unshare-user, until FD can be read"),
  PIDNS("--pidns", "FD", "use this pid namespace (/proc/PID/ns/pid), or one below it"),
  UNSHARE_NET("--unshare-net", "", "give the command a network of its own: loopback only"),
  UNSHARE_IPC("--unshare-ipc", "", "give the command System V IPC and POSIX queues of its own"),
  UNSHARE_UTS("--unshare-uts", "", "give the command a host name of its own"),
  UNSHARE_CGROUP("--unshare-cgroup", "", "hide the cgroups above the command's"),
  UNSHARE_CGROUP_TRY("--unshare-cgroup-try", "", "the same, if the kernel has cgroup namespaces"),
  UNSHARE_PID("--unshare-pid", "", "hide all other processes; the command ends with all its own"),
  AS_PID_1("--as-pid-1", "", "with --unshare-pid: no init, the command itself is process 1"),
  UNSHARE_ALL("--unshare-all", "", "all of these, the cgroup namespace where there are such"),
  SHARE_NET("--share-net", "", "after --unshare-all: keep the caller's network"),
  DIE_WITH_PARENT(
      "--die-with-parent",
      "",
      "kill the command when the caller ends; with --unshare-pid all that it started, too"),
  NEW_SESSION("--new-session", "", "give the command a session without the caller's terminal"),
  TIMEOUT(
      "--timeout",
      "DURATION",
      "end the command with SIGTERM after so many seconds (or ms, s, m, h, d): status 124"),
  KILL_AFTER("--kill-after", "DURATION", "with --timeout: SIGKILL so much later (default: 5s)"),
  ARGV0("--argv0", "VALUE", "tell the command that this is its name: its argument 0"),
  SYNC_FD("--sync-fd", "FD", "keep this descriptor open as long as the sandbox is there"),
  BLOCK_FD("--block-fd", "FD", "start the command once something can be read here, or its end"),
  LOCK_FILE("--lock-file", "DEST", "hold a read lock on this file as long as the command runs"),
  INFO_FD("--info-fd", "FD", "write the process id and the namespaces there, as JSON"),
  JSON_STATUS_FD(
      "--json-status-fd",
      "FD",
      "the same in a line; when the command has ended, one with its status"),
  SECCOMP("--seccomp", "FD", "apply the seccomp filter that can be read from this descriptor"),
  ADD_SECCOMP_FD("--add-seccomp-fd", "FD", "the same, once for each filter; all apply"),
  SECCOMP_PROFILE("--seccomp-profile", "NAME", "default or none: allow only what programs need"),
  RLIMIT("--rlimit", "NAME=VALUE", "limit each process: nofile=100, fsize=1M, core=0:unlimited"),
  MEMORY("--memory", "SIZE", "limit the memory of all processes together, by a cgroup: 64M"),
  PIDS("--pids", "N", "limit how many processes and threads there are at a time, by a cgroup"),
  CPU("--cpu", "SHARE", "limit processor time, by a cgroup: 1.5 is that of one and a half"),
  STRATEGY("--strategy", "NAME", "auto, pivot_root, chroot, bwrap or landlock (default: auto)"),
  REQUIRE("--require", "GUARANTEE", "use only a strategy that guarantees this, as listed below"),
  NO_CACHE("--no-cache", "", "compile a launcher for this call alone, and use none that was kept"),
  VERBOSE("--verbose", "", "say which strategy is used, why, and what it guarantees");

  private final String word;
  private final String operands;
  private final String help;

  RunOption(String word, String operands, String help) {
    this.word = word;
    this.operands = operands;
    this.help = help;
  }

  /**
   * Not where something is said or read meanwhile, or what the option means depends on more than
   * {@link Caching} looks at: descriptors, limits and cgroups of the caller, and which process it
   * is.
   */
  @Override
  public boolean cacheable() {
    return switch (this) {
      case NO_CACHE, VERBOSE, ARGS, SECCOMP, ADD_SECCOMP_FD, DIE_WITH_PARENT -> false;
      case BIND_FD, RO_BIND_FD -> false;
      case RLIMIT, MEMORY, PIDS, CPU -> false;
      default -> true;
    };
  }

  /** Adds what this option with these values asks for. */
  void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
    switch (this) {
      case MOUNT -> run.mounts().mountPath(values.get(0));
      case BIND -> run.mounts().bind(this, values, Access.READ_WRITE, false);
      case BIND_TRY -> run.mounts().bind(this, values, Access.READ_WRITE, true);
      case RO_BIND -> run.mounts().bind(this, values, Access.READ_ONLY, false);
      case RO_BIND_TRY -> run.mounts().bind(this, values, Access.READ_ONLY, true);
      case DEV_BIND -> run.mounts().bind(this, values, Access.DEVICES, false);
      case DEV_BIND_TRY -> run.mounts().bind(this, values, Access.DEVICES, true);
      case BIND_FD ->
          run.mounts().bindDescriptor(this, run.descriptors(), values, Access.READ_WRITE);
      case RO_BIND_FD ->
          run.mounts().bindDescriptor(this, run.descriptors(), values, Access.READ_ONLY);
      case FILE -> run.mounts().dataFile(this, run.descriptors(), values);
      case BIND_DATA -> run.mounts().dataBind(this, run.descriptors(), values, Access.READ_WRITE);
      case RO_BIND_DATA -> run.mounts().dataBind(this, run.descriptors(), values, Access.READ_ONLY);
      case TMPFS -> run.mounts().tmpfs(this, values.get(0));
      case DIR -> run.mounts().directory(this, values.get(0));
      case PERMS -> run.modifiers().perms(this, values.get(0));
      case SIZE -> run.modifiers().size(this, values.get(0));
      case SYMLINK -> run.mounts().symlink(this, values);
      case CHMOD -> run.mounts().permissions(this, values);
      case REMOUNT_RO -> run.mounts().remountReadOnly(this, values.get(0));
      case OVERLAY_SRC -> run.mounts().layer(this, values.get(0));
      case OVERLAY -> run.mounts().overlayKept(this, values);
      case TMP_OVERLAY -> run.mounts().overlay(this, values.get(0), Changes.FORGOTTEN);
      case RO_OVERLAY -> run.mounts().overlay(this, values.get(0), Changes.FORBIDDEN);
      case MQUEUE -> run.mounts().messageQueues(this, values.get(0));
      case PROC -> run.mounts().proc(this, values.get(0));
      case DEV -> run.mounts().devices(this, values.get(0));
      case PRESET -> run.mounts().preset(preset(values.get(0)));
      case PROFILE, NO_CACHE -> {}
      case ARGS -> run.readBefore(this, values.get(0));
      case CHDIR -> run.workingDirectory(notEmpty(values.get(0)));
      case SETENV ->
          run.environment(this, values.get(0), rules -> rules.set(values.get(0), values.get(1)));
      case UNSETENV -> run.environment(this, values.get(0), rules -> rules.unset(values.get(0)));
      case CLEARENV -> run.changeEnvironment(EnvironmentRules::clear);
      case KEEP_ENV -> run.keep(this, values.get(0));
      case UID -> run.uid(id(values.get(0)));
      case GID -> run.gid(id(values.get(0)));
      case MAP_ROOT_USER -> {
        run.uid(0);
        run.gid(0);
      }
      case HOSTNAME -> run.hostname(hostname(values.get(0)));
      case CAP_ADD -> {
        Set<LinuxConstant> more = CapabilityNames.find(this, values.get(0));
        run.capabilities(had -> had.addAll(more));
      }
      case CAP_DROP -> {
        Set<LinuxConstant> fewer = CapabilityNames.find(this, values.get(0));
        run.capabilities(had -> had.removeAll(fewer));
      }
      case DISABLE_USERNS -> {
        run.spec().privileges(some -> some.withUserNamespaces(UserNamespaces.DISABLED));
        run.namespaces().disableUser();
      }
      case ASSERT_USERNS_DISABLED -> run.spec().privileges(RunOption::assertingNoUserNamespaces);
      case UNSHARE_USER -> {
        run.ownUserNamespace();
        run.spec().privileges(Privileges::withOwnUserNamespace);
        run.namespaces().unshareUser(true);
      }
      case UNSHARE_USER_TRY -> {
        run.ownUserNamespace();
        run.namespaces().unshareUser(false);
      }
      case USERNS, USERNS2 -> {
        run.ownUserNamespace();
        run.namespaces().set(this, values.get(0));
      }
      case USERNS_BLOCK_FD, PIDNS, INFO_FD, JSON_STATUS_FD ->
          run.namespaces().set(this, values.get(0));
      case UNSHARE_NET -> run.spec().unshare(Namespace.NET);
      case UNSHARE_IPC -> run.spec().unshare(Namespace.IPC);
      case UNSHARE_UTS -> run.spec().unshare(Namespace.UTS);
      case UNSHARE_CGROUP -> run.spec().unshare(Namespace.CGROUP);
      case UNSHARE_CGROUP_TRY -> unshareCgroupIfAny(run);
      case UNSHARE_PID -> run.spec().unshare(Namespace.PID);
      case AS_PID_1 -> run.asPid1();
      case UNSHARE_ALL -> unshareAll(run);
      case SHARE_NET -> run.spec().share(Namespace.NET);
      case DIE_WITH_PARENT -> run.spec().processes(Processes::dyingWithParent);
      case NEW_SESSION -> run.spec().processes(Processes::inNewSession);
      case TIMEOUT -> run.timeout(Durations.positive(this, values.get(0)));
      case KILL_AFTER -> run.killAfter(Durations.of(this, values.get(0)));
      case ARGV0 -> run.name(values.get(0));
      case SYNC_FD -> run.descriptors().hold(this, values.get(0));
      case BLOCK_FD -> run.descriptors().await(this, values.get(0));
      case LOCK_FILE -> run.lock(this, values.get(0));
      case SECCOMP -> {
        run.readBefore(this, values.get(0));
        run.seccomp().only(values.get(0));
      }
      case ADD_SECCOMP_FD -> {
        run.readBefore(this, values.get(0));
        run.seccomp().add(this, values.get(0));
      }
      case SECCOMP_PROFILE -> run.seccomp().profile(values.get(0));
      case RLIMIT -> run.limits(new LimitValues(this, values.get(0)).resource(run.limits()));
      case MEMORY ->
          run.limits(run.limits().withMemory(new LimitValues(this, values.get(0)).memory()));
      case PIDS -> run.limits(run.limits().withPids(new LimitValues(this, values.get(0)).pids()));
      case CPU -> run.limits(run.limits().withCpu(new LimitValues(this, values.get(0)).cpu()));
      case STRATEGY -> run.strategy(values.get(0));
      case REQUIRE -> run.require(values.get(0));
      case VERBOSE -> run.verbose();
    }
  }

  private static Preset preset(OsString name) throws CliException {
    return Preset.of(name.toString())
        .orElseThrow(
            () ->
                new CliException(
                    "--preset %s: not one of host, origin, none".formatted(Messages.value(name))));
  }

  private static OsString notEmpty(OsString directory) throws CliException {
    if (directory.isEmpty()) {
      throw new CliException("--chdir '': an empty path");
    }
    return directory;
  }

  private static OsString hostname(OsString name) throws CliException {
    if (!SandboxSpec.isHostname(name)) {
      throw new CliException("--hostname '" + name + "': must have 1 to 64 bytes");
    }
    return name;
  }

  /** Who disables them is not content with less. */
  private static Privileges assertingNoUserNamespaces(Privileges some) {
    return some.userNamespaces() == UserNamespaces.DISABLED
        ? some
        : some.withUserNamespaces(UserNamespaces.ASSERTED_DISABLED);
  }

  private static void unshareCgroupIfAny(RunRequest.Builder run) {
    if (run.has(Namespace.CGROUP)) {
      run.spec().unshare(Namespace.CGROUP);
    }
  }

  private static void unshareAll(RunRequest.Builder run) {
    run.ownUserNamespace();
    for (Namespace namespace : Namespace.values()) {
      if (namespace != Namespace.CGROUP) {
        run.spec().unshare(namespace);
      }
    }
    unshareCgroupIfAny(run);
  }

  @Override
  public String word() {
    return word;
  }

  @Override
  public List<String> operands() {
    return operands.isEmpty() ? List.of() : List.of(operands.split(" ", -1));
  }

  @Override
  public String help() {
    return help;
  }

  static Optional<RunOption> find(String word) {
    return CliOption.find(values(), word);
  }

  /** All options and what {@code --require} takes. */
  static String helpText() {
    StringBuilder text = new StringBuilder(CliOption.helpText(List.of(values())));
    text.append("\nWhat a sandbox can guarantee (docs/guarantees.md):\n\n");
    for (Guarantee guarantee : Guarantee.values()) {
      text.append("  %-26s %s%n".formatted(guarantee.word(), guarantee.meaning()));
    }
    return text.toString();
  }

  long id(OsString text) throws CliException {
    // Long.parseLong would also take a sign and the digits of other scripts.
    if (Digits.only(text.toString(), 10)) {
      long id = Long.parseLong(text.toString());
      if (id <= Identity.MAX_ID) {
        return id;
      }
    }
    throw new CliException(
        "%s %s: not a number from 0 to %d".formatted(word, Messages.value(text), Identity.MAX_ID),
        "Invalid %s: %s".formatted(word.substring(2), text));
  }
}
