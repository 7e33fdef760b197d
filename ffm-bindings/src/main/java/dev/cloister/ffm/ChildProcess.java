package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.CLD_DUMPED;
import static dev.cloister.ffm.LinuxConstant.CLD_EXITED;
import static dev.cloister.ffm.LinuxConstant.P_PID;
import static dev.cloister.ffm.LinuxConstant.SIGCHLD;
import static dev.cloister.ffm.LinuxConstant.SIGKILL;
import static dev.cloister.ffm.LinuxConstant.WEXITED;
import static dev.cloister.ffm.LinuxConstant.WNOHANG;
import static dev.cloister.ffm.LinuxConstant.WNOWAIT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * A process that this JVM started through {@link Spawn}. Its owner waits for it, because it stays a
 * zombie until then, and closes this object when no thread uses it any more.
 *
 * <p>The JDK waits for processes of its own only, by their ids, so it does not interfere.
 *
 * <p>Without pidfd_open(2) (Linux 5.3, or a filter that hides it) the process is known by its id
 * alone. That is as safe, because nobody but this object waits for it, so its id is no other's
 * until then, and nothing is done with the id after that.
 */
public final class ChildProcess implements AutoCloseable {
  /**
   * How a process ended, and what it took.
   *
   * @param usage of the process and of all it waited for
   */
  public record Ended(ExitStatus status, ResourceUsage usage) {}

  private final int pid;
  private final @Nullable Descriptor pidfd;

  /**
   * For reading while something is done with the id, for writing when the process is waited for:
   * from then on it is another's. So nobody asks to write before the process has ended, where
   * somebody may be reading until then.
   */
  private final ReadWriteLock idLock = new ReentrantReadWriteLock();

  private @Nullable Ended ended;

  private ChildProcess(int pid, @Nullable Descriptor pidfd) {
    this.pid = pid;
    this.pidfd = pidfd;
  }

  /** Takes over a child that nobody waits for. If that is impossible, the child is killed. */
  static ChildProcess adopt(int pid) throws LinuxException {
    try {
      KernelCall open = new KernelCall(SystemCall.PIDFD_OPEN).number(pid).flags();
      return new ChildProcess(pid, Descriptor.owning(open));
    } catch (LinuxException e) {
      // EPERM is none of its errors: older container runtimes' filters say it of unknown calls.
      if (e.is(Errno.ENOSYS) || e.is(Errno.EPERM)) {
        return new ChildProcess(pid, null);
      }
      // Too many open files, mostly. Without a handle it could only be lost.
      new KernelCall(SystemCall.KILL).number(pid).flags(SIGKILL).run();
      reap(pid, WEXITED);
      throw e;
    }
  }

  /** The same, with its pidfd, which becomes this object's. */
  static ChildProcess adopt(int pid, Descriptor pidfd) {
    return new ChildProcess(pid, pidfd);
  }

  /**
   * Has the kernel keep the status of children: whoever started the JVM may have ignored SIGCHLD.
   */
  static void expect() throws LinuxException {
    if (Signals.disposition(SIGCHLD) == Signals.Disposition.IGNORED) {
      Signals.reset(SIGCHLD);
    }
  }

  /** The process id, which may be another process's once this one was waited for. */
  public int pid() {
    return pid;
  }

  /**
   * A descriptor that can be read from, as poll(2) and {@link EventQueue} see it, once the process
   * has ended: pidfd_open(2). It stays this object's own, which closes it.
   *
   * @return nothing where the kernel has none
   */
  public Optional<Descriptor> pidfd() {
    return Optional.ofNullable(pidfd);
  }

  /** As {@link #await}, without what the process took. */
  public ExitStatus waitFor() throws LinuxException {
    return await().status();
  }

  /** Waits until the process has ended: ppoll(2), waitid(2). An interrupt does not end the wait. */
  public Ended await() throws LinuxException {
    if (pidfd == null) {
      awaitById();
    } else {
      Descriptor.awaitAny(pidfd);
    }
    return reap(WEXITED).orElseThrow();
  }

  /** Leaves the process a zombie, whose id is its own, so that it can be killed meanwhile. */
  private void awaitById() throws LinuxException {
    idLock.readLock().lock();
    try {
      if (ended == null) {
        reap(pid, WEXITED, WNOWAIT);
      }
    } finally {
      idLock.readLock().unlock();
    }
  }

  /**
   * Looks whether the process has ended, without waiting: waitid(2). Several threads may ask, and
   * as often as they like.
   *
   * @return nothing if the process still runs
   */
  public Optional<Ended> ended() throws LinuxException {
    return pidfd == null && !hasEndedById() ? Optional.empty() : reap(WEXITED, WNOHANG);
  }

  private boolean hasEndedById() throws LinuxException {
    idLock.readLock().lock();
    try {
      return ended != null || reap(pid, WEXITED, WNOHANG, WNOWAIT).isPresent();
    } finally {
      idLock.readLock().unlock();
    }
  }

  /** The kernel gives the status away once only, and several threads may want it. */
  private Optional<Ended> reap(LinuxConstant... flags) throws LinuxException {
    idLock.writeLock().lock();
    try {
      if (ended == null) {
        ended = reap(pid, flags).orElse(null);
      }
      return Optional.ofNullable(ended);
    } finally {
      idLock.writeLock().unlock();
    }
  }

  /**
   * Waits for a process, or with WNOWAIT only looks at it.
   *
   * @return nothing if it still runs, which only WNOHANG allows
   */
  private static Optional<Ended> reap(int pid, LinuxConstant... flags) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      Structure info = Structure.allocate(arena, LinuxStruct.SIGINFO);
      Structure usage = Structure.allocate(arena, LinuxStruct.RUSAGE);
      waitid(pid, info.memory(), flags).memory(usage.memory(), "usage").runUninterrupted();
      if (info.get(StructField.SIGINFO_PID) == 0) {
        return Optional.empty();
      }
      ExitStatus status =
          decode(info.get(StructField.SIGINFO_CODE), info.get(StructField.SIGINFO_STATUS));
      return Optional.of(new Ended(status, ResourceUsage.of(usage)));
    }
  }

  /**
   * Lacks its last operand, the resource usage, which the kernel's call has and glibc's has not.
   *
   * @param pid is the child's own until it was waited for; a pidfd would do since Linux 5.4 only
   */
  private static KernelCall waitid(int pid, MemorySegment info, LinuxConstant... flags) {
    return new KernelCall(SystemCall.WAITID)
        .flags(P_PID)
        .number(pid)
        .memory(info, "info")
        .flags(flags);
  }

  private static ExitStatus decode(long code, long status) {
    return code == CLD_EXITED.value(KernelCall.HOST)
        ? new ExitStatus.Exited((int) status)
        : new ExitStatus.Killed((int) status, code == CLD_DUMPED.value(KernelCall.HOST));
  }

  /**
   * Sends the process a signal, and never another one that got its id: pidfd_send_signal(2).
   *
   * @throws LinuxException with ESRCH if it was waited for, with EPERM if it now runs as another
   *     user
   */
  public void signal(LinuxConstant signal) throws LinuxException {
    if (pidfd == null) {
      kill(signal);
      return;
    }
    new KernelCall(SystemCall.PIDFD_SEND_SIGNAL)
        .number(pidfd.number())
        .flags(signal)
        .nullPointer()
        .flags()
        .run();
  }

  private void kill(LinuxConstant signal) throws LinuxException {
    KernelCall call = new KernelCall(SystemCall.KILL).number(pid).flags(signal);
    idLock.readLock().lock();
    try {
      if (ended != null) {
        throw new LinuxException(call.toString(), Errno.ESRCH.number());
      }
      call.run();
    } finally {
      idLock.readLock().unlock();
    }
  }

  /** Gives up the handle. The process goes on, and can no longer be waited for. */
  @Override
  public void close() throws LinuxException {
    if (pidfd != null) {
      pidfd.close();
    }
  }
}
