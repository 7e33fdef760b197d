package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.AF_UNIX;
import static dev.cloister.ffm.LinuxConstant.SOCK_CLOEXEC;
import static dev.cloister.ffm.LinuxConstant.SOCK_STREAM;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Two connected sockets, unix(7): what is written to one can be read from the other, in order and
 * without boundaries. Its owner closes both.
 *
 * <p>Once every copy of one is closed, the other is at its end; or, if the closed one had something
 * that nobody read, its first read is ECONNRESET.
 */
public record SocketPair(Descriptor first, Descriptor second) implements AutoCloseable {
  /** Makes two connected stream sockets which are closed on exec: socketpair(2). */
  public static SocketPair open() throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sockets = arena.allocate(JAVA_INT, 2);
      new KernelCall(SystemCall.SOCKETPAIR)
          .flags(AF_UNIX)
          .flags(SOCK_STREAM, SOCK_CLOEXEC)
          .number(0)
          .memory(sockets, "sockets")
          .run();
      return new SocketPair(
          Descriptor.owning(sockets.getAtIndex(JAVA_INT, 0)),
          Descriptor.owning(sockets.getAtIndex(JAVA_INT, 1)));
    }
  }

  /** Closes the sockets that are still open. */
  @Override
  public void close() throws LinuxException {
    try (first) {
      second.close();
    }
  }
}
