package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.CLD_DUMPED;
import static dev.cloister.ffm.LinuxConstant.CLD_EXITED;
import static dev.cloister.ffm.LinuxConstant.POLLIN;
import static dev.cloister.ffm.LinuxConstant.P_PID;
import static dev.cloister.ffm.LinuxConstant.P_PIDFD;
import static dev.cloister.ffm.LinuxConstant.SIGKILL;
import static dev.cloister.ffm.LinuxConstant.WEXITED;

import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A process that this JVM started through {@link Spawn}. Its owner waits for it, because it stays a
 * zombie until then, and closes this object when no thread uses it any more.
 *
 * <p>The JDK waits for processes of its own only, by their ids, so it does not interfere.
 */
public final class ChildProcess implements AutoCloseable {
  private final int pid;
  private final Descriptor pidfd;
  private @Nullable ExitStatus status;

  private ChildProcess(int pid, Descriptor pidfd) {
    this.pid = pid;
    this.pidfd = pidfd;
  }

  /** Takes over a child that nobody waits for. If that is impossible, the child is killed. */
  static ChildProcess adopt(int pid) throws LinuxException {
    try {
      KernelCall open = new KernelCall(SystemCall.PIDFD_OPEN).number(pid).flags();
      return new ChildProcess(pid, Descriptor.owning(open));
    } catch (LinuxException e) {
      // Too many open files, mostly. Without a handle it could only be lost.
      new KernelCall(SystemCall.KILL).number(pid).flags(SIGKILL).run();
      waitid(P_PID, pid);
      throw e;
    }
  }

  /** The process id, which may be another process's once this one was waited for. */
  public int pid() {
    return pid;
  }

  /** Waits until the process has ended: ppoll(2), waitid(2). An interrupt does not end the wait. */
  public ExitStatus waitFor() throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      poll(arena).nullPointer().nullPointer().number(Long.BYTES).runUninterrupted();
    }
    return reap();
  }

  /**
   * Waits until the process has ended, or for some time: ppoll(2), waitid(2). An interrupt does not
   * end the wait.
   *
   * @param timeout none or a negative one only looks
   * @return nothing if the process still runs
   */
  public Optional<ExitStatus> waitFor(Duration timeout) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      Duration left = timeout.isNegative() ? Duration.ZERO : timeout;
      Structure timespec = Structure.allocate(arena, LinuxStruct.TIMESPEC);
      timespec.set(StructField.TIMESPEC_SEC, left.toSeconds());
      timespec.set(StructField.TIMESPEC_NSEC, left.toNanosPart());
      // The kernel updates the time left, so going on after a signal does not wait any longer.
      long ready =
          poll(arena)
              .memory(timespec.memory(), left.toString())
              .nullPointer()
              .number(Long.BYTES)
              .runUninterrupted();
      return ready == 0 ? Optional.empty() : Optional.of(reap());
    }
  }

  private KernelCall poll(Arena arena) {
    Structure pollfd = Structure.allocate(arena, LinuxStruct.POLLFD);
    pollfd.set(StructField.POLLFD_FD, pidfd.number());
    pollfd.set(StructField.POLLFD_EVENTS, POLLIN.value(KernelCall.HOST));
    return new KernelCall(SystemCall.PPOLL).memory(pollfd.memory(), "{pidfd, POLLIN}").number(1);
  }

  /** The kernel gives the status away once only, and several threads may want it. */
  private synchronized ExitStatus reap() throws LinuxException {
    ExitStatus known = status;
    if (known == null) {
      known = waitid(P_PIDFD, pidfd.number());
      status = known;
    }
    return known;
  }

  private static ExitStatus waitid(LinuxConstant kind, int id) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      Structure info = Structure.allocate(arena, LinuxStruct.SIGINFO);
      new KernelCall(SystemCall.WAITID)
          .flags(kind)
          .number(id)
          .memory(info.memory(), "info")
          .flags(WEXITED)
          .nullPointer()
          .runUninterrupted();
      return decode(info.get(StructField.SIGINFO_CODE), info.get(StructField.SIGINFO_STATUS));
    }
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
    new KernelCall(SystemCall.PIDFD_SEND_SIGNAL)
        .number(pidfd.number())
        .flags(signal)
        .nullPointer()
        .flags()
        .run();
  }

  /** Gives up the handle. The process goes on, and can no longer be waited for. */
  @Override
  public void close() throws LinuxException {
    pidfd.close();
  }
}
