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
import dev.cloister.strategy.Guarantee;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The options of {@code run}. To add one, add a constant. */
enum RunOption implements CliOption {
  MOUNT("--mount", "PATH", "bind PATH and its sub-mounts at the same path, writable") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.mountPath(values.get(0));
    }
  },
  BIND("--bind", "SRC DEST", "bind SRC at DEST, writable") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.bind(this, values, Access.READ_WRITE, false);
    }
  },
  BIND_TRY("--bind-try", "SRC DEST", "the same, if SRC exists") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.bind(this, values, Access.READ_WRITE, true);
    }
  },
  RO_BIND("--ro-bind", "SRC DEST", "bind SRC at DEST, read-only on every sub-mount") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.bind(this, values, Access.READ_ONLY, false);
    }
  },
  RO_BIND_TRY("--ro-bind-try", "SRC DEST", "the same, if SRC exists") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.bind(this, values, Access.READ_ONLY, true);
    }
  },
  DEV_BIND("--dev-bind", "SRC DEST", "bind SRC at DEST, writable, devices allowed") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.bind(this, values, Access.DEVICES, false);
    }
  },
  DEV_BIND_TRY("--dev-bind-try", "SRC DEST", "the same, if SRC exists") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.bind(this, values, Access.DEVICES, true);
    }
  },
  BIND_FD("--bind-fd", "FD DEST", "bind what this descriptor leads to at DEST, writable") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.bindDescriptor(this, values, Access.READ_WRITE);
    }
  },
  RO_BIND_FD("--ro-bind-fd", "FD DEST", "the same, read-only on every sub-mount") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.bindDescriptor(this, values, Access.READ_ONLY);
    }
  },
  FILE("--file", "FD DEST", "copy what can be read from this descriptor to the file DEST") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.dataFile(this, values);
    }
  },
  BIND_DATA("--bind-data", "FD DEST", "copy it to a file of its own that is bound at DEST") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.dataBind(this, values, Access.READ_WRITE);
    }
  },
  RO_BIND_DATA("--ro-bind-data", "FD DEST", "the same, read-only") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.dataBind(this, values, Access.READ_ONLY);
    }
  },
  TMPFS("--tmpfs", "DEST", "mount an empty tmpfs on DEST") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.tmpfs(this, values.get(0));
    }
  },
  DIR("--dir", "DEST", "make the directory DEST") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.directory(this, values.get(0));
    }
  },
  PERMS(
      "--perms", "OCTAL", "for the next option that makes a file or a directory: its permissions") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.modifiers().perms(this, values.get(0));
    }
  },
  SIZE("--size", "BYTES", "for the next --tmpfs: how much it can hold") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.modifiers().size(this, values.get(0));
    }
  },
  SYMLINK("--symlink", "TARGET DEST", "make DEST a symbolic link to TARGET") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.symlink(this, values);
    }
  },
  CHMOD("--chmod", "OCTAL PATH", "change the permissions of what is at PATH in the sandbox") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.permissions(this, values);
    }
  },
  REMOUNT_RO("--remount-ro", "DEST", "make the mount at DEST read-only, and none below it") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.remountReadOnly(this, values.get(0));
    }
  },
  OVERLAY_SRC("--overlay-src", "SRC", "a layer, on those before it, for the next overlay option") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.layer(this, values.get(0));
    }
  },
  OVERLAY("--overlay", "UPPER WORK DEST", "show the layers at DEST; changes go to UPPER") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.overlayKept(this, values);
    }
  },
  TMP_OVERLAY("--tmp-overlay", "DEST", "show the layers at DEST; changes are gone afterwards") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.overlay(this, values.get(0), Changes.FORGOTTEN);
    }
  },
  RO_OVERLAY("--ro-overlay", "DEST", "show the layers, two at least, at DEST, read-only") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.overlay(this, values.get(0), Changes.FORBIDDEN);
    }
  },
  MQUEUE("--mqueue", "DEST", "show POSIX message queues at DEST (with --unshare-ipc)") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.messageQueues(this, values.get(0));
    }
  },
  PROC("--proc", "DEST", "show the process file system at DEST") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.proc(this, values.get(0));
    }
  },
  DEV("--dev", "DEST", "make a minimal /dev at DEST") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.devices(this, values.get(0));
    }
  },
  PRESET("--preset", "NAME", "host, origin or none: mounts to start from") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.preset(
          Preset.of(values.get(0).toString())
              .orElseThrow(
                  () ->
                      new CliException(
                          "--preset %s: not one of host, origin, none"
                              .formatted(Messages.value(values.get(0))))));
    }
  },
  PROFILE("--profile", "FILE", "the options in this file, or of a shipped profile of this name") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {}
  },
  ARGS("--args", "FD", "the options that can be read from this descriptor, each word with a NUL") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.readBefore(this, values.get(0));
    }
  },
  CHDIR("--chdir", "DIR", "start the command in DIR") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      if (values.get(0).isEmpty()) {
        throw new CliException("--chdir '': an empty path");
      }
      run.workingDirectory(values.get(0));
    }
  },
  SETENV("--setenv", "VAR VALUE", "set a variable") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.environment(this, values.get(0), rules -> rules.set(values.get(0), values.get(1)));
    }
  },
  UNSETENV("--unsetenv", "VAR", "unset a variable") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.environment(this, values.get(0), rules -> rules.unset(values.get(0)));
    }
  },
  CLEARENV("--clearenv", "", "unset all variables but those kept or set after this") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.changeEnvironment(EnvironmentRules::clear);
    }
  },
  KEEP_ENV("--keep-env", "VAR", "with --clearenv: keep this one, which must be set") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.keep(this, values.get(0));
    }
  },
  UID("--uid", "UID", "run as this user id (default: the caller's)") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.uid(id(values.get(0)));
    }
  },
  GID("--gid", "GID", "run as this group id (default: the caller's)") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.gid(id(values.get(0)));
    }
  },
  MAP_ROOT_USER("--map-root-user", "", "the same as --uid 0 --gid 0; gives no capabilities") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.uid(0);
      run.gid(0);
    }
  },
  HOSTNAME("--hostname", "NAME", "set the host name, in a UTS namespace") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      OsString name = values.get(0);
      // __NEW_UTS_LEN of linux/utsname.h
      if (name.isEmpty() || name.length() > 64) {
        throw new CliException("--hostname '" + name + "': must have 1 to 64 bytes");
      }
      run.hostname(name);
    }
  },
  CAP_ADD("--cap-add", "CAP", "give the command a capability, or ALL, over what is the sandbox's") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      Set<LinuxConstant> more = CapabilityNames.find(this, values.get(0));
      run.capabilities(had -> had.addAll(more));
    }
  },
  CAP_DROP("--cap-drop", "CAP", "take back a capability that was added, or ALL") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      Set<LinuxConstant> fewer = CapabilityNames.find(this, values.get(0));
      run.capabilities(had -> had.removeAll(fewer));
    }
  },
  DISABLE_USERNS("--disable-userns", "", "let the command make no user namespaces") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.spec().privileges(some -> some.withUserNamespaces(UserNamespaces.DISABLED));
      run.namespaces().disableUser();
    }
  },
  ASSERT_USERNS_DISABLED(
      "--assert-userns-disabled", "", "start the command only if it can make no user namespaces") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      // Who disables them is not content with less.
      run.spec()
          .privileges(
              some ->
                  some.userNamespaces() == UserNamespaces.DISABLED
                      ? some
                      : some.withUserNamespaces(UserNamespaces.ASSERTED_DISABLED));
    }
  },
  UNSHARE_USER("--unshare-user", "", "require a user namespace of the command's own") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.ownUserNamespace();
      run.spec().privileges(Privileges::withOwnUserNamespace);
      run.namespaces().unshareUser(true);
    }
  },
  UNSHARE_USER_TRY("--unshare-user-try", "", "make one wherever it can be made, as always") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.ownUserNamespace();
      run.namespaces().unshareUser(false);
    }
  },
  USERNS("--userns", "FD", "use this user namespace (/proc/PID/ns/user) in place of a new one") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.ownUserNamespace();
      run.namespaces().set(this, values.get(0));
    }
  },
  USERNS2("--userns2", "FD", "when all is made, put the command into this user namespace") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.ownUserNamespace();
      run.namespaces().set(this, values.get(0));
    }
  },
  USERNS_BLOCK_FD(
      "--userns-block-fd",
      "FD",
      "with --info-fd: let others map the ids of --unshare-user, until FD can be read") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.namespaces().set(this, values.get(0));
    }
  },
  PIDNS("--pidns", "FD", "use this pid namespace (/proc/PID/ns/pid), or one below it") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.namespaces().set(this, values.get(0));
    }
  },
  UNSHARE_NET("--unshare-net", "", "give the command a network of its own: loopback only") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.spec().unshare(Namespace.NET);
    }
  },
  UNSHARE_IPC("--unshare-ipc", "", "give the command System V IPC and POSIX queues of its own") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.spec().unshare(Namespace.IPC);
    }
  },
  UNSHARE_UTS("--unshare-uts", "", "give the command a host name of its own") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.spec().unshare(Namespace.UTS);
    }
  },
  UNSHARE_CGROUP("--unshare-cgroup", "", "hide the cgroups above the command's") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.spec().unshare(Namespace.CGROUP);
    }
  },
  UNSHARE_CGROUP_TRY("--unshare-cgroup-try", "", "the same, if the kernel has cgroup namespaces") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      if (run.has(Namespace.CGROUP)) {
        run.spec().unshare(Namespace.CGROUP);
      }
    }
  },
  UNSHARE_PID("--unshare-pid", "", "hide all other processes; the command ends with all its own") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.spec().unshare(Namespace.PID);
    }
  },
  AS_PID_1("--as-pid-1", "", "with --unshare-pid: no init, the command itself is process 1") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.asPid1();
    }
  },
  UNSHARE_ALL("--unshare-all", "", "all of these, the cgroup namespace where there are such") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.ownUserNamespace();
      for (Namespace namespace : Namespace.values()) {
        if (namespace != Namespace.CGROUP || run.has(Namespace.CGROUP)) {
          run.spec().unshare(namespace);
        }
      }
    }
  },
  SHARE_NET("--share-net", "", "after --unshare-all: keep the caller's network") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.spec().share(Namespace.NET);
    }
  },
  DIE_WITH_PARENT(
      "--die-with-parent",
      "",
      "kill the command when the caller ends; with --unshare-pid all that it started, too") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.spec().processes(Processes::dyingWithParent);
    }
  },
  NEW_SESSION("--new-session", "", "give the command a session without the caller's terminal") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.spec().processes(Processes::inNewSession);
    }
  },
  TIMEOUT(
      "--timeout",
      "DURATION",
      "end the command with SIGTERM after so many seconds (or ms, s, m, h, d): status 124") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.timeout(Durations.positive(this, values.get(0)));
    }
  },
  KILL_AFTER("--kill-after", "DURATION", "with --timeout: SIGKILL so much later (default: 5s)") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.killAfter(Durations.of(this, values.get(0)));
    }
  },
  ARGV0("--argv0", "VALUE", "tell the command that this is its name: its argument 0") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.name(values.get(0));
    }
  },
  SYNC_FD("--sync-fd", "FD", "keep this descriptor open as long as the sandbox is there") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.descriptors().hold(this, values.get(0));
    }
  },
  BLOCK_FD("--block-fd", "FD", "start the command once something can be read here, or its end") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.descriptors().await(this, values.get(0));
    }
  },
  LOCK_FILE("--lock-file", "DEST", "hold a read lock on this file as long as the command runs") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.lock(this, values.get(0));
    }
  },
  INFO_FD("--info-fd", "FD", "write the process id and the namespaces there, as JSON") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.namespaces().set(this, values.get(0));
    }
  },
  JSON_STATUS_FD(
      "--json-status-fd",
      "FD",
      "the same in a line; when the command has ended, one with its status") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.namespaces().set(this, values.get(0));
    }
  },
  SECCOMP("--seccomp", "FD", "apply the seccomp filter that can be read from this descriptor") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.readBefore(this, values.get(0));
      run.seccomp().only(values.get(0));
    }
  },
  ADD_SECCOMP_FD("--add-seccomp-fd", "FD", "the same, once for each filter; all apply") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.readBefore(this, values.get(0));
      run.seccomp().add(this, values.get(0));
    }
  },
  SECCOMP_PROFILE("--seccomp-profile", "NAME", "default or none: allow only what programs need") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.seccomp().profile(values.get(0));
    }
  },
  RLIMIT("--rlimit", "NAME=VALUE", "limit each process: nofile=100, fsize=1M, core=0:unlimited") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.limits(new LimitValues(this, values.get(0)).resource(run.limits()));
    }
  },
  MEMORY("--memory", "SIZE", "limit the memory of all processes together, by a cgroup: 64M") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.limits(run.limits().withMemory(new LimitValues(this, values.get(0)).memory()));
    }
  },
  PIDS("--pids", "N", "limit how many processes and threads there are at a time, by a cgroup") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.limits(run.limits().withPids(new LimitValues(this, values.get(0)).pids()));
    }
  },
  CPU("--cpu", "SHARE", "limit processor time, by a cgroup: 1.5 is that of one and a half") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.limits(run.limits().withCpu(new LimitValues(this, values.get(0)).cpu()));
    }
  },
  STRATEGY("--strategy", "NAME", "auto, pivot_root, chroot, bwrap or landlock (default: auto)") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.strategy(values.get(0));
    }
  },
  REQUIRE("--require", "GUARANTEE", "use only a strategy that guarantees this, as listed below") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) throws CliException {
      run.require(values.get(0));
    }
  },
  NO_CACHE("--no-cache", "", "compile a launcher for this call alone, and use none that was kept") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {}
  },
  VERBOSE("--verbose", "", "say which strategy is used, why, and what it guarantees") {
    @Override
    void apply(RunRequest.Builder run, List<OsString> values) {
      run.verbose();
    }
  };

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
  abstract void apply(RunRequest.Builder run, List<OsString> values) throws CliException;

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
    if (text.toString().matches("[0-9]{1,10}")) {
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
