package dev.cloister.machine;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import dev.cloister.program.Operand;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * Which system calls a launcher may make in memory that it shares with the process that started it:
 * those that change nothing of it. A change of ids does, as the kernel takes from such memory that
 * others of its user may look at it (commit_creds of kernel/cred.c, prctl(2) PR_SET_DUMPABLE).
 */
final class SharedMemory implements CallWriting {
  private static final Set<SystemCall> ALLOWED =
      EnumSet.of(
          SystemCall.CAPSET,
          SystemCall.CHDIR,
          SystemCall.CHROOT,
          SystemCall.CLOSE,
          SystemCall.CLOSE_RANGE,
          SystemCall.DUP3,
          SystemCall.EXECVE,
          SystemCall.EXIT_GROUP,
          SystemCall.FACCESSAT,
          SystemCall.FCHDIR,
          SystemCall.FCHMOD,
          SystemCall.FCNTL,
          SystemCall.FSTAT,
          SystemCall.FSTATFS,
          SystemCall.GETCWD,
          SystemCall.GETDENTS64,
          SystemCall.GETPID,
          SystemCall.GETPPID,
          SystemCall.IOCTL,
          SystemCall.LANDLOCK_ADD_RULE,
          SystemCall.LANDLOCK_CREATE_RULESET,
          SystemCall.LANDLOCK_RESTRICT_SELF,
          SystemCall.LSEEK,
          SystemCall.MKDIRAT,
          SystemCall.MKNODAT,
          SystemCall.MOUNT,
          SystemCall.MOUNT_SETATTR,
          SystemCall.MOVE_MOUNT,
          SystemCall.NANOSLEEP,
          SystemCall.OPEN_TREE,
          SystemCall.OPENAT,
          SystemCall.OPENAT2,
          SystemCall.PIDFD_OPEN,
          SystemCall.PIVOT_ROOT,
          SystemCall.PRCTL,
          SystemCall.PREAD64,
          SystemCall.PRLIMIT64,
          SystemCall.READ,
          SystemCall.READLINKAT,
          SystemCall.RT_SIGACTION,
          SystemCall.RT_SIGPROCMASK,
          SystemCall.SECCOMP,
          SystemCall.SENDMSG,
          SystemCall.SETGROUPS,
          SystemCall.SETHOSTNAME,
          SystemCall.SETNS,
          SystemCall.SIGNALFD4,
          SystemCall.SOCKET,
          SystemCall.STATFS,
          SystemCall.STATX,
          SystemCall.SYMLINKAT,
          SystemCall.UMASK,
          SystemCall.UMOUNT2,
          SystemCall.UNLINKAT,
          SystemCall.UNSHARE,
          SystemCall.WRITE);

  /** Thrown while a launcher is compiled that may not run in such memory. */
  static final class Unfit extends RuntimeException {
    private static final long serialVersionUID = 1;

    private Unfit(SystemCall call) {
      super(call + " in shared memory");
    }
  }

  @Override
  public void write(Emitter emitter, SystemCall call, Optional<Instruction.Call> instruction) {
    if (!ALLOWED.contains(call) || instruction.filter(SharedMemory::changesMemory).isPresent()) {
      throw new Unfit(call);
    }
    emitter.make(call);
  }

  private static boolean changesMemory(Instruction.Call call) {
    return call.call() == SystemCall.PRCTL
        && call.operands().getFirst().equals(Operand.of(LinuxConstant.PR_SET_DUMPABLE));
  }
}
