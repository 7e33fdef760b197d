package dev.cloister.strategies;

import static dev.cloister.ffm.Errno.*;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.SystemCall;
import dev.cloister.machine.Faults.Site;
import dev.cloister.program.Instruction.Call;
import java.util.Collection;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What each system call may say, by its manual page, as far as it can happen to a launcher. */
final class PlausibleErrnos {
  /** Of every call: a kernel that does not know it, and seccomp filters of two kinds. */
  private static final List<Errno> ANY = List.of(ENOSYS, EPERM);

  private static final List<Errno> PATHS =
      List.of(EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENOMEM, EIO);
  private static final List<Errno> NEW_FILE = List.of(EEXIST, ENOSPC, EDQUOT, EROFS, EMLINK);
  private static final List<Errno> NEW_DESCRIPTOR = List.of(EMFILE, ENFILE, ENOMEM);

  private static final Map<SystemCall, Set<Errno>> TABLE = new EnumMap<>(SystemCall.class);

  static {
    add(SystemCall.CAPSET, List.of(EINVAL));
    add(SystemCall.CHDIR, PATHS);
    add(SystemCall.CHROOT, PATHS);
    add(SystemCall.CLONE, List.of(EAGAIN, ENOMEM, ENOSPC));
    add(SystemCall.CLONE3, List.of(EAGAIN, ENOMEM, ENOSPC));
    add(SystemCall.CLOSE_RANGE, List.of(EMFILE, ENOMEM, EINVAL));
    add(SystemCall.DUP3, List.of(EBADF, EBUSY, EINTR, EMFILE));
    add(SystemCall.EVENTFD2, NEW_DESCRIPTOR, List.of(EINVAL, ENODEV));
    // Not ENOEXEC: then a shell reads the file, as for execvp(3).
    add(SystemCall.EXECVE, PATHS, List.of(E2BIG, EAGAIN, EINVAL, ETXTBSY, EMFILE, ENFILE));
    add(SystemCall.FACCESSAT, PATHS, List.of(EROFS));
    add(SystemCall.FCHMODAT, PATHS, List.of(EROFS));
    add(SystemCall.FCHDIR, List.of(EACCES, EBADF, ENOTDIR));
    add(SystemCall.FCNTL, List.of(EBADF, EMFILE, EINVAL));
    add(SystemCall.GETCWD, List.of(EACCES, ENOENT, ENOMEM, ERANGE, ENAMETOOLONG));
    add(SystemCall.GETDENTS64, List.of(EBADF, EINVAL, ENOENT, ENOTDIR));
    add(SystemCall.IOCTL, List.of(ENODEV, EACCES, ENOTTY));
    add(SystemCall.KILL, List.of(ESRCH));
    add(SystemCall.LANDLOCK_ADD_RULE, List.of(EOPNOTSUPP, EINVAL, ENOMSG, EBADF, EBADFD, ENOMEM));
    add(SystemCall.LANDLOCK_CREATE_RULESET, NEW_DESCRIPTOR, List.of(EOPNOTSUPP, EINVAL, ENOMSG));
    add(SystemCall.LANDLOCK_RESTRICT_SELF, List.of(EOPNOTSUPP, EINVAL, EBADF, E2BIG));
    add(SystemCall.LSEEK, List.of(EBADF, EINVAL, ESPIPE));
    add(SystemCall.MEMFD_CREATE, NEW_DESCRIPTOR, List.of(EINVAL, EACCES));
    add(SystemCall.MKDIRAT, PATHS, NEW_FILE);
    add(SystemCall.MKNODAT, PATHS, NEW_FILE);
    add(
        SystemCall.MOUNT,
        PATHS,
        List.of(EBUSY, EINVAL, EMFILE, ENODEV, ENOTBLK, ENXIO, EROFS, ENOSPC));
    add(SystemCall.MMAP, List.of(EACCES, EAGAIN, EINVAL, ENODEV, ENOMEM));
    add(SystemCall.MOUNT_SETATTR, List.of(EBADF, EBUSY, EINVAL, ENOENT, ENOMEM, ENOSPC));
    add(SystemCall.MOVE_MOUNT, PATHS, List.of(EBADF, EBUSY, EINVAL, ENOSPC));
    add(SystemCall.OPENAT, PATHS, NEW_DESCRIPTOR, List.of(EBUSY, EINTR, EROFS, ENXIO, EOVERFLOW));
    add(SystemCall.OPENAT2, PATHS, NEW_DESCRIPTOR, List.of(E2BIG, EAGAIN, EINVAL, EXDEV, EINTR));
    add(SystemCall.OPEN_TREE, PATHS, NEW_DESCRIPTOR, List.of(EINVAL, EBADF, ENOSPC));
    add(SystemCall.PIDFD_OPEN, NEW_DESCRIPTOR, List.of(EINVAL, ENODEV, ESRCH));
    add(SystemCall.PIPE2, NEW_DESCRIPTOR, List.of(EINVAL));
    add(SystemCall.PIVOT_ROOT, PATHS, List.of(EBUSY, EINVAL));
    add(SystemCall.PPOLL, List.of(EINTR, EINVAL, ENOMEM));
    add(SystemCall.PRCTL, List.of(EINVAL, EACCES));
    add(SystemCall.PRLIMIT64, List.of(EINVAL, ESRCH));
    add(SystemCall.PWRITE64, List.of(EINTR, EIO, ENOSPC, EFBIG, EBADF));
    add(SystemCall.READ, List.of(EAGAIN, EBADF, EINTR, EINVAL, EIO));
    add(SystemCall.READLINKAT, PATHS, List.of(EINVAL));
    // Not ECONNRESET: then nobody is left who could be told, and the launcher ends without a word.
    add(SystemCall.RECVMSG, List.of(EAGAIN, EBADF, EINTR, EINVAL, ENOMEM, ENOTSOCK));
    add(SystemCall.RT_SIGACTION, List.of(EINVAL));
    add(SystemCall.RT_SIGPROCMASK, List.of(EINVAL));
    add(SystemCall.SECCOMP, List.of(EACCES, EBUSY, EINVAL, ENOMEM, ESRCH));
    // Of sockets that can pass descriptors also unix(7).
    add(
        SystemCall.SENDMSG,
        List.of(EAGAIN, EBADF, EINTR, EINVAL, EMSGSIZE, ENOBUFS, ENOMEM, EPIPE, ETOOMANYREFS));
    add(SystemCall.SETGROUPS, List.of(EINVAL, ENOMEM));
    add(SystemCall.SETHOSTNAME, List.of(EINVAL));
    add(SystemCall.SETNS, List.of(EBADF, EINVAL, ENOMEM));
    add(SystemCall.SETRESGID, List.of(EINVAL));
    add(SystemCall.SETRESUID, List.of(EINVAL, EAGAIN));
    add(SystemCall.SIGNALFD4, NEW_DESCRIPTOR, List.of(EINVAL, ENODEV));
    add(SystemCall.SOCKET, NEW_DESCRIPTOR, List.of(EACCES, EAFNOSUPPORT, ENOBUFS));
    add(SystemCall.STATX, PATHS, List.of(EBADF, EINVAL));
    add(SystemCall.SYMLINKAT, PATHS, NEW_FILE);
    add(SystemCall.TIMERFD_CREATE, NEW_DESCRIPTOR, List.of(EINVAL, ENODEV));
    add(SystemCall.TIMERFD_SETTIME, List.of(EBADF, EINVAL, ECANCELED));
    add(SystemCall.UMOUNT2, PATHS, List.of(EBUSY, EINVAL));
    add(SystemCall.UNLINKAT, PATHS, List.of(EBUSY, EISDIR, EROFS));
    add(SystemCall.UNSHARE, List.of(EINVAL, ENOMEM, ENOSPC, EUSERS));
    add(SystemCall.WRITE, List.of(EACCES, EBADF, EINVAL, EIO, ENOSPC, EAGAIN, EINTR));
    // No filter refuses it: nothing would run at all. EBADF only where the program expects it.
    TABLE.put(SystemCall.CLOSE, EnumSet.of(EINTR, EIO, ENOSPC, EDQUOT));
    // With WNOHANG, as who waits makes it, it fails only where there is no child.
    TABLE.put(SystemCall.WAIT4, EnumSet.noneOf(Errno.class));
    // It does not come back.
    TABLE.put(SystemCall.EXIT_GROUP, EnumSet.noneOf(Errno.class));
  }

  private PlausibleErrnos() {}

  @SafeVarargs
  private static void add(SystemCall call, Collection<Errno>... errnos) {
    Set<Errno> all = EnumSet.copyOf(ANY);
    for (Collection<Errno> some : errnos) {
      all.addAll(some);
    }
    TABLE.put(call, all);
  }

  static Set<Errno> of(SystemCall call) {
    return TABLE.getOrDefault(call, EnumSet.copyOf(ANY));
  }

  private static boolean isRemount(Call call) {
    return call.call() == SystemCall.MOUNT
        && call.operands().get(3).text().startsWith("MS_REMOUNT|MS_BIND");
  }

  /** Those that a call at some place may say. */
  static Set<Errno> at(Site site) {
    return site.instruction().map(PlausibleErrnos::of).orElse(of(site.call()));
  }

  /** One of them, which is another at the next place, and those that the program goes on after. */
  static Set<Errno> someAt(Site site) {
    Set<Errno> all = at(site);
    Set<Errno> some = EnumSet.noneOf(Errno.class);
    site.instruction().ifPresent(call -> some.addAll(expected(call)));
    some.retainAll(all);
    all.stream().skip(site.number() % Math.max(1, all.size())).findFirst().ifPresent(some::add);
    return some;
  }

  private static Set<Errno> expected(Call call) {
    Set<Errno> all = EnumSet.noneOf(Errno.class);
    all.addAll(call.recoveries().keySet());
    all.addAll(call.retried());
    call.until().ifPresent(all::add);
    return all;
  }

  /** With those that the program itself expects. */
  static Set<Errno> of(Call call) {
    Set<Errno> all = EnumSet.copyOf(of(call.call()));
    all.addAll(expected(call));
    if (call.call() == SystemCall.MOUNT_SETATTR || isRemount(call)) {
      // Tolerated after a bind that had nothing to bind; then there is nothing to restrict either.
      all.remove(ENOENT);
    }
    all.addAll(call.hints().keySet());
    return all;
  }
}
