package dev.cloister.probe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.Bwrap;
import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.recipe.Credentials;
import dev.cloister.recipe.NativeProgram;
import dev.cloister.recipe.Steps;
import dev.cloister.spec.Handover;
import dev.cloister.spec.Identity;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Something a host allows or not. Each is found out by a program that does it, in a child process,
 * as far as the effect shows. To add one, add a constant.
 */
public enum Capability {
  USER_NAMESPACE(Group.NAMESPACES, "user, with mapped ids") {
    @Override
    List<Instruction> attempt(HostReport host) {
      if (!host.caller().isPrivileged()) {
        return namespaces(host, Set.of());
      }
      List<Instruction> steps = new ArrayList<>(List.of(Credentials.openProc()));
      steps.addAll(caller(host).becomeCommandUser());
      return steps;
    }
  },

  NESTED_USER_NAMESPACE(Group.NAMESPACES, "user, again in the new root") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return newRoot(host, chroot(), caller(host).becomeCommandUser());
    }
  },

  NET_NAMESPACE(Group.NAMESPACES, "network") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return namespaces(host, Set.of(Namespace.NET));
    }
  },

  IPC_NAMESPACE(Group.NAMESPACES, "IPC") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return namespaces(host, Set.of(Namespace.IPC));
    }
  },

  UTS_NAMESPACE(Group.NAMESPACES, "UTS (host name)") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return namespaces(host, Set.of(Namespace.UTS));
    }
  },

  CGROUP_NAMESPACE(Group.NAMESPACES, "cgroup") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return namespaces(host, Set.of(Namespace.CGROUP));
    }
  },

  PID_NAMESPACE(Group.NAMESPACES, "pid") {
    @Override
    List<Instruction> attempt(HostReport host) {
      List<Instruction> steps = new ArrayList<>(namespaces(host, Set.of()));
      // Only the next child is in it, and is its process 1 (pid_namespaces(7)).
      steps.addAll(inNewPidNamespace(List.of()));
      return steps;
    }
  },

  TIME_NAMESPACE(Group.NAMESPACES, "time") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return with(namespaces(host, Set.of()), unshare(LinuxConstant.CLONE_NEWTIME));
    }
  },

  TMPFS(Group.MOUNTS, "tmpfs in a mount namespace") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return newRoot(host);
    }
  },

  BIND(Group.MOUNTS, "recursive bind") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return newRoot(
          host,
          tree(),
          List.of(
              mkdir("b"),
              Steps.bind(A, B),
              // Without MS_REC the directory the tree's inner mount covers would show.
              Steps.chdir("b/below/inner"),
              Steps.bind(OsString.of("/proc"), OsString.of("."))));
    }
  },

  READ_ONLY(Group.MOUNTS, "read-only, sub-mounts too") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return newRoot(
          host,
          tree(),
          List.of(
              mkdir("b"),
              Steps.bind(A, B),
              Steps.setAttributes(B, LinuxConstant.MOUNT_ATTR_RDONLY),
              // A write that succeeds is repeated, and then fails with another errno.
              mkdir("b/below/written").until(Errno.EROFS)));
    }
  },

  MOVE_MOUNT(Group.MOUNTS, "bind by descriptor") {
    @Override
    List<Instruction> attempt(HostReport host) {
      Slot tree = new Slot("tree");
      return newRoot(
          host,
          tree(),
          List.of(
              mkdir("b"),
              Steps.openTree(A, tree),
              Steps.moveMount(tree, B),
              Steps.chdir("b/below/inner")));
    }
  },

  RESOLVE_IN_ROOT(Group.MOUNTS, "paths that cannot lead out") {
    @Override
    List<Instruction> attempt(HostReport host) {
      // There is no /null: it is found only if /dev is taken for the root.
      return List.of(
          Steps.chdir("/dev"),
          Steps.openInRoot(
              OsString.of("/null"),
              new Slot("null"),
              LinuxConstant.O_PATH,
              LinuxConstant.O_CLOEXEC));
    }
  },

  DEVPTS(Group.MOUNTS, "own terminals (devpts)") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return newRoot(
          host,
          List.of(
              mkdir("pts"),
              Steps.mountDevpts(),
              Call.of(
                  SystemCall.OPENAT,
                  Operand.of(LinuxConstant.AT_FDCWD),
                  Operand.of("pts/ptmx"),
                  Operand.of(LinuxConstant.O_RDWR, LinuxConstant.O_NOCTTY))));
    }
  },

  FRESH_PROC(Group.MOUNTS, "own /proc (procfs)") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return newRoot(
          host,
          inNewPidNamespace(
              List.of(mkdir("proc"), Steps.mountProc(OsString.of("proc")), Steps.chdir("proc/1"))));
    }
  },

  PIVOT_ROOT(Group.MOUNTS, "pivot_root") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return newRoot(
          host,
          List.of(
              Call.of(SystemCall.PIVOT_ROOT, Operand.of("."), Operand.of(".")),
              // The old root lies over the new one (pivot_root(2)).
              Call.of(SystemCall.UMOUNT2, Operand.of("."), Operand.of(LinuxConstant.MNT_DETACH))),
          proveRootIsNew());
    }
  },

  CHROOT(Group.MOUNTS, "chroot") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return newRoot(host, chroot(), proveRootIsNew());
    }
  },

  NO_NEW_PRIVS(Group.PROCESSES, "giving up capabilities") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return Credentials.giveUpCapabilities();
    }
  },

  CLOSE_RANGE(Group.PROCESSES, "closing descriptors") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return NativeProgram.startClean(Handover.NONE);
    }
  },

  SECCOMP(Group.PROCESSES, "seccomp filters") {
    @Override
    List<Instruction> attempt(HostReport host) {
      // A kernel that knows filters looks for one at the null pointer (seccomp(2)).
      return with(
          Credentials.giveUpCapabilities(),
          Call.of(
                  SystemCall.SECCOMP,
                  Operand.of(LinuxConstant.SECCOMP_SET_MODE_FILTER),
                  Operand.of(0),
                  Operand.NULL)
              .until(Errno.EFAULT));
    }
  },

  LANDLOCK(Group.PROCESSES, "Landlock") {
    @Override
    List<Instruction> attempt(HostReport host) {
      return List.of(
          Call.of(
              SystemCall.LANDLOCK_CREATE_RULESET,
              Operand.NULL,
              Operand.of(0),
              Operand.of(LinuxConstant.LANDLOCK_CREATE_RULESET_VERSION)));
    }
  },

  PIDFD(Group.PROCESSES, "process descriptors (pidfd)") {
    @Override
    List<Instruction> attempt(HostReport host) {
      Slot pid = new Slot("pid");
      return List.of(
          Call.of(SystemCall.GETPID).into(pid),
          Call.of(SystemCall.PIDFD_OPEN, Operand.of(pid), Operand.of(0)));
    }
  },

  MEMORY_FILE(Group.PROCESSES, "executable memory files") {
    @Override
    List<Instruction> attempt(HostReport host) {
      Slot file = new Slot("memory_file");
      int descriptor = 11;
      SyscallProgram success = new SyscallProgram("true", List.of(new Instruction.Exit()));
      List<Instruction> steps = new ArrayList<>(Steps.memoryFile(success, file));
      steps.add(Call.of(SystemCall.DUP3, Operand.of(file), Operand.of(descriptor), Operand.of(0)));
      steps.add(
          new Instruction.ExecuteProgram(
              OsString.of("/proc/self/fd/" + descriptor), List.of(OsString.of("true"))));
      return steps;
    }
  },

  BUBBLEWRAP(Group.TOOLS, "bubblewrap (bwrap)") {
    @Override
    boolean isQuiet() {
      return false;
    }

    @Override
    Optional<String> missing(HostReport host) {
      return host.bwrap().isPresent()
          ? Optional.empty()
          : Optional.of("there is no executable bwrap in PATH");
    }

    @Override
    List<Instruction> attempt(HostReport host) {
      OsString bwrap = host.bwrap().map(Bwrap::path).orElseThrow();
      Caller caller = host.caller();
      boolean asRoot = caller.uid() == 0 && caller.isPrivileged();
      List<Instruction> steps = new ArrayList<>();
      if (caller.uid() != 0 && caller.capabilities() != 0) {
        // bubblewrap takes capabilities of another user than root for a broken installation.
        steps.add(Credentials.setCapabilities(List.of()));
      }
      List<OsString> arguments = new ArrayList<>(List.of(OsString.of("bwrap")));
      if (!asRoot) {
        // For uid 0 it makes no user namespace by itself, not even without capabilities.
        arguments.add(OsString.of("--unshare-user"));
      }
      // In the sandbox it runs itself: the one program that is surely there.
      for (String word : List.of("--ro-bind", "/", "/", "--")) {
        arguments.add(OsString.of(word));
      }
      arguments.addAll(List.of(bwrap, OsString.of("--version")));
      steps.add(new Instruction.ExecuteProgram(bwrap, arguments));
      return steps;
    }
  };

  /** What a capability, or a limit, is about. */
  public enum Group {
    NAMESPACES,
    MOUNTS,
    PROCESSES,
    LIMITS,
    TOOLS
  }

  /**
   * Eight bytes that a waiting parent takes for the command's process id, to which it would pass
   * signals on. As a number they are above PID_MAX_LIMIT, so no process ever has it.
   */
  private static final String NO_PROCESS = "~~~~~~~~";

  private static final OsString A = OsString.of("a");
  private static final OsString B = OsString.of("b");

  private final Group group;
  private final String description;

  Capability(Group group, String description) {
    this.group = group;
    this.description = description;
  }

  public Group group() {
    return group;
  }

  /** A few words for a person, under the group's name. */
  public String description() {
    return description;
  }

  /** Why trying is pointless, if it is. */
  Optional<String> missing(HostReport host) {
    return Optional.empty();
  }

  /** Whether the attempt writes nothing, so that it can share standard output with others. */
  boolean isQuiet() {
    return true;
  }

  /** What to do; the capability is there if none of it fails. */
  abstract List<Instruction> attempt(HostReport host);

  private static Credentials caller(HostReport host) {
    return new Credentials(host, Identity.CALLER);
  }

  private static List<Instruction> namespaces(HostReport host, Set<Namespace> namespaces) {
    return caller(host).makeNamespaces(namespaces);
  }

  private static Call unshare(LinuxConstant flag) {
    return Call.of(SystemCall.UNSHARE, Operand.of(flag));
  }

  private static Call mkdir(String path) {
    return Steps.mkdir(OsString.of(path), 0755);
  }

  private static List<Instruction> chroot() {
    return List.of(Call.of(SystemCall.CHROOT, Operand.of(".")));
  }

  /** Every host that Cloister runs on has a /proc (else EEXIST); an empty root has not. */
  private static List<Instruction> proveRootIsNew() {
    return List.of(Steps.chdir("/"), mkdir("/proc"));
  }

  /** A directory {@code a} with a mount at {@code a/below}, and a directory in that. */
  private static List<Instruction> tree() {
    return List.of(
        mkdir("a"),
        mkdir("a/below"),
        Steps.mountTmpfs(OsString.of("a/below"), "mode=0755"),
        mkdir("a/below/inner"));
  }

  /** Does {@code steps} as process 1 of a new pid namespace. */
  private static List<Instruction> inNewPidNamespace(List<Instruction> steps) {
    Slot started = new Slot("started");
    List<Instruction> child = new ArrayList<>(steps);
    child.add(
        Call.of(
            SystemCall.WRITE,
            Operand.of(started),
            Operand.of(NO_PROCESS),
            Operand.of(NO_PROCESS.length())));
    child.add(new Instruction.Exit());
    return List.of(
        unshare(LinuxConstant.CLONE_NEWPID),
        Call.of(
                SystemCall.EVENTFD2,
                Operand.of(0),
                Operand.of(LinuxConstant.EFD_CLOEXEC, LinuxConstant.EFD_NONBLOCK))
            .into(started),
        Instruction.Supervise.of(child)
            .through(
                new Instruction.Supervise.Started(
                    started, "the process in the new pid namespace failed")));
  }

  private static List<Instruction> with(List<Instruction> steps, Instruction last) {
    List<Instruction> longer = new ArrayList<>(steps);
    longer.add(last);
    return longer;
  }

  /** An empty new root, and then {@code parts} with it as the working directory. */
  @SafeVarargs
  private static List<Instruction> newRoot(HostReport host, List<Instruction>... parts) {
    List<Instruction> steps = new ArrayList<>(namespaces(host, Set.of()));
    steps.addAll(NativeProgram.makeNewRoot(host, List.of()));
    for (List<Instruction> part : parts) {
      steps.addAll(part);
    }
    return steps;
  }
}
