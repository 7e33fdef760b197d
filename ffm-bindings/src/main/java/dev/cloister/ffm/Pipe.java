package dev.cloister.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A pipe: what is written to one end can be read from the other. Its owner closes both ends.
 *
 * @param readEnd is at its end once every copy of {@code writeEnd} is closed
 */
public record Pipe(Descriptor readEnd, Descriptor writeEnd) implements AutoCloseable {
  /** Makes a pipe whose ends are closed on exec: pipe2(2). */
  public static Pipe open() throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ends = arena.allocate(JAVA_INT, 2);
      new KernelCall(SystemCall.PIPE2).memory(ends, "ends").flags(LinuxConstant.O_CLOEXEC).run();
      return new Pipe(
          Descriptor.owning(ends.getAtIndex(JAVA_INT, 0)),
          Descriptor.owning(ends.getAtIndex(JAVA_INT, 1)));
    }
  }

  /** Closes the ends that are still open. */
  @Override
  public void close() throws LinuxException {
    try (readEnd) {
      writeEnd.close();
    }
  }
}
