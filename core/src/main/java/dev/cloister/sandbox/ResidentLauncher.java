package dev.cloister.sandbox;

import dev.cloister.ffm.ChildProcess;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.ResidentProgram;
import dev.cloister.ffm.SocketPair;
import dev.cloister.machine.ResidentImage;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * A launcher in this program's memory (docs/adr/0019-resident-launchers.md), in as many copies as
 * start something at the same time, but no more than there are processors. Safe for use by several
 * threads, but for {@link #close}, which must be the last.
 */
final class ResidentLauncher implements AutoCloseable {
  private final ResidentImage image;
  private final Deque<Copy> idle = new ArrayDeque<>();
  private int left = Runtime.getRuntime().availableProcessors();

  ResidentLauncher(ResidentImage image) {
    this.image = image;
  }

  /**
   * One copy.
   *
   * @param report sockets that serve one start after the other: what is said is there when the
   *     start returns, and then read to its end
   */
  record Copy(ResidentProgram program, SocketPair report) implements AutoCloseable {
    /**
     * Starts it, and returns when it has executed the command or has ended.
     *
     * @return nothing if that cannot be here; then nothing happened
     */
    Optional<ChildProcess> start(List<byte[]> arguments, List<byte[]> environment, int[] moves)
        throws LinuxException {
      try {
        return program.start(arguments, environment, moves);
      } catch (LinuxException e) {
        if (e.is(Errno.ENOSYS) || e.is(Errno.EINVAL) || e.is(Errno.EPERM)) {
          return Optional.empty();
        }
        throw e;
      }
    }

    @Override
    public void close() throws LinuxException {
      try (report) {
        program.close();
      }
    }
  }

  /** A copy that nobody uses, if there is one; it is to be given back. */
  synchronized Optional<Copy> take() throws LinuxException {
    Copy known = idle.poll();
    if (known != null || left == 0) {
      return Optional.ofNullable(known);
    }
    Optional<Copy> made = make();
    left = made.isPresent() ? left - 1 : 0;
    return made;
  }

  private Optional<Copy> make() throws LinuxException {
    Optional<ResidentProgram> program = ResidentProgram.load(image);
    if (program.isEmpty()) {
      return Optional.empty();
    }
    try {
      SocketPair report = SocketPair.open();
      report.first().setNonBlocking();
      return Optional.of(new Copy(program.get(), report));
    } catch (LinuxException e) {
      program.get().close();
      throw e;
    }
  }

  /** The one used last is used next: its memory is in the caches. */
  synchronized void giveBack(Copy copy) {
    idle.push(copy);
  }

  @Override
  public synchronized void close() throws LinuxException {
    left = 0;
    for (Copy copy : idle) {
      copy.close();
    }
    idle.clear();
  }
}
