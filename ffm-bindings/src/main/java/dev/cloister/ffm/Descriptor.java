package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.AT_FDCWD;
import static dev.cloister.ffm.LinuxConstant.O_CLOEXEC;
import static dev.cloister.ffm.LinuxConstant.O_CREAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An open file descriptor, owned by this object, which closes it exactly once.
 *
 * <p>Once it is closed, every method but {@link #close} throws {@link IllegalStateException}. One
 * thread must not close it while another uses it: the kernel may have given the number to another
 * file by then.
 */
public final class Descriptor implements AutoCloseable {
  private static final int CLOSED = -1;

  /** How much is copied to or from native memory at once: what a pipe holds. */
  private static final int CHUNK = 65536;

  /** Of linux/limits.h; the kernel writes no longer path. */
  private static final int PATH_MAX = 4096;

  private final AtomicInteger number;

  private Descriptor(int number) {
    this.number = new AtomicInteger(number);
  }

  /** Takes over an open descriptor; the caller no longer closes it. */
  public static Descriptor owning(int number) {
    if (number < 0) {
      throw new IllegalArgumentException("not a descriptor: " + number);
    }
    return new Descriptor(number);
  }

  static Descriptor owning(KernelCall call) throws LinuxException {
    return owning((int) call.runUninterrupted());
  }

  /**
   * Opens an existing file: open(2), with {@code O_CLOEXEC} in addition to the flags.
   *
   * @param path in whatever encoding the file system has; relative to the JVM's working directory
   */
  public static Descriptor open(byte[] path, LinuxConstant... flags) throws LinuxException {
    return owning(openat(path, List.of(flags)).permissions(0));
  }

  /**
   * Opens a file and creates it if there is none: open(2), with {@code O_CREAT|O_CLOEXEC} in
   * addition to the flags.
   *
   * @param permissions of a new file, before the umask
   */
  public static Descriptor create(byte[] path, int permissions, LinuxConstant... flags)
      throws LinuxException {
    List<LinuxConstant> all = new ArrayList<>(List.of(flags));
    all.add(O_CREAT);
    return owning(openat(path, all).permissions(permissions));
  }

  /**
   * The absolute path of the open file, free of symbolic links: readlinkat(2) of its entry in
   * {@code /proc/self/fd}. Ends with {@code " (deleted)"} if the file is gone (proc_pid_fd(5)).
   */
  public byte[] path() throws LinuxException {
    byte[] entry = ("/proc/self/fd/" + number()).getBytes(StandardCharsets.US_ASCII);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(PATH_MAX);
      long size =
          new KernelCall(SystemCall.READLINKAT)
              .flags(AT_FDCWD)
              .text(entry)
              .memory(buffer, "buffer")
              .number(PATH_MAX)
              .run();
      return buffer.asSlice(0, size).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static KernelCall openat(byte[] path, List<LinuxConstant> flags) {
    List<LinuxConstant> all = new ArrayList<>(flags);
    all.add(O_CLOEXEC);
    return new KernelCall(SystemCall.OPENAT).flags(AT_FDCWD).text(path).flags(all);
  }

  /** The number that the kernel knows it by, for as long as it is open. */
  public int number() {
    int current = number.get();
    if (current == CLOSED) {
      throw new IllegalStateException("closed");
    }
    return current;
  }

  /**
   * Reads some bytes, at least one unless {@code buffer} is empty: read(2). Blocks until there are
   * any.
   *
   * @return how many bytes are at the start of {@code buffer} now, or -1 at the end of the file
   */
  public int read(byte[] buffer) throws LinuxException {
    if (buffer.length == 0) {
      return 0;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment chunk = arena.allocate(Math.min(buffer.length, CHUNK));
      int count = (int) transfer(SystemCall.READ, chunk, chunk.byteSize());
      MemorySegment.copy(chunk, ValueLayout.JAVA_BYTE, 0, buffer, 0, count);
      return count == 0 ? -1 : count;
    }
  }

  /**
   * Writes all the bytes: write(2) as often as it takes. Blocks until they are taken; after a
   * failure some may have been written.
   */
  public void write(byte[] bytes) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment chunk = arena.allocate(Math.min(bytes.length, CHUNK));
      int written = 0;
      while (written < bytes.length) {
        int size = Math.min(bytes.length - written, CHUNK);
        MemorySegment.copy(bytes, written, chunk, ValueLayout.JAVA_BYTE, 0, size);
        written += (int) transfer(SystemCall.WRITE, chunk, size);
      }
    }
  }

  private long transfer(SystemCall direction, MemorySegment chunk, long size)
      throws LinuxException {
    return new KernelCall(direction)
        .number(number())
        .memory(chunk, "buffer")
        .number(size)
        .runUninterrupted();
  }

  /**
   * Closes the descriptor, unless that was done: close(2).
   *
   * @throws LinuxException if an earlier write failed; the descriptor is closed nevertheless
   */
  @Override
  public void close() throws LinuxException {
    int current = number.getAndSet(CLOSED);
    if (current == CLOSED) {
      return;
    }
    try {
      // Never again after EINTR: Linux has closed it by then, and the number may be another file's.
      new KernelCall(SystemCall.CLOSE).number(current).run();
    } catch (LinuxException e) {
      if (!e.is(Errno.EINTR)) {
        throw e;
      }
    }
  }

  @Override
  public String toString() {
    int current = number.get();
    return current == CLOSED ? "closed descriptor" : "descriptor " + current;
  }
}
