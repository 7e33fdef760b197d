package dev.cloister.sandbox;

import dev.cloister.ffm.ChildProcess;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.ResidentProgram;
import dev.cloister.machine.ResidentImage;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * A launcher in this program's memory (docs/adr/0019-resident-launchers.md), in as many copies as
 * start something at the same time. Safe for use by several threads, but for {@link #close}, which
 * must be the last.
 */
final class ResidentLauncher implements AutoCloseable {
  private final ResidentImage image;
  private final Deque<ResidentProgram> idle = new ArrayDeque<>();
  private int left = ReportSockets.MOST;

  ResidentLauncher(ResidentImage image) {
    this.image = image;
  }

  /**
   * Starts it, and returns when it has executed the command or has ended.
   *
   * @return nothing if that cannot be here, or not right now; then nothing happened
   */
  Optional<ChildProcess> start(List<byte[]> arguments, List<byte[]> environment, int[] moves)
      throws LinuxException {
    Optional<ResidentProgram> copy = take();
    if (copy.isEmpty()) {
      return Optional.empty();
    }
    boolean refused = false;
    try {
      return copy.get().start(arguments, environment, moves);
    } catch (LinuxException e) {
      refused = e.is(Errno.ENOSYS) || e.is(Errno.EINVAL) || e.is(Errno.EPERM);
      if (refused) {
        return Optional.empty();
      }
      throw e;
    } finally {
      giveBack(copy.get(), refused);
    }
  }

  private synchronized Optional<ResidentProgram> take() {
    ResidentProgram known = idle.poll();
    if (known != null || left == 0) {
      return Optional.ofNullable(known);
    }
    Optional<ResidentProgram> made = make();
    left = made.isPresent() ? left - 1 : 0;
    return made;
  }

  /** A security module may forbid it, or a limit of memory; executing a launcher needs neither. */
  private Optional<ResidentProgram> make() {
    try {
      return ResidentProgram.load(image);
    } catch (LinuxException e) {
      return Optional.empty();
    }
  }

  /**
   * Takes a copy back. The one used last is used next: its memory is in the caches.
   *
   * @param refused whether it could not be started, as then none can
   */
  private synchronized void giveBack(ResidentProgram copy, boolean refused) throws LinuxException {
    if (refused) {
      left = 0;
      copy.close();
    } else {
      idle.push(copy);
    }
  }

  @Override
  public synchronized void close() throws LinuxException {
    left = 0;
    for (ResidentProgram copy : idle) {
      copy.close();
    }
    idle.clear();
  }
}
