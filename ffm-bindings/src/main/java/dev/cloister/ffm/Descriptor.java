package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.AT_FDCWD;
import static dev.cloister.ffm.LinuxConstant.EFD_CLOEXEC;
import static dev.cloister.ffm.LinuxConstant.EFD_NONBLOCK;
import static dev.cloister.ffm.LinuxConstant.F_DUPFD_CLOEXEC;
import static dev.cloister.ffm.LinuxConstant.F_SETFL;
import static dev.cloister.ffm.LinuxConstant.O_CLOEXEC;
import static dev.cloister.ffm.LinuxConstant.O_CREAT;
import static dev.cloister.ffm.LinuxConstant.O_NONBLOCK;
import static dev.cloister.ffm.LinuxConstant.POLLIN;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An open file descriptor, owned by this object, which closes it exactly once.
 *
 * <p>Once it is closed, every method but {@link #close} throws {@link IllegalStateException}. One
 * thread must not close it while another uses it: the kernel may have given the number to another
 * file by then.
 */
public final class Descriptor implements AutoCloseable {
  /** What {@link #tryRead} and {@link #tryWrite} return where they would have to wait. */
  public static final int WOULD_BLOCK = -2;

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
   * Makes one that can be read from once 8 bytes, a number that is not 0, were written to it:
   * eventfd2(2).
   */
  public static Descriptor event() throws LinuxException {
    return owning(new KernelCall(SystemCall.EVENTFD2).number(0).flags(EFD_CLOEXEC, EFD_NONBLOCK));
  }

  /** Waits until one of several can be read from: ppoll(2). An interrupt does not end the wait. */
  public static void awaitAny(Descriptor... descriptors) throws LinuxException {
    pollWithoutLimit(POLLIN.value(KernelCall.HOST), descriptors);
  }

  /**
   * Waits until nobody has the other end of a pipe or socket any more: ppoll(2) for no event but
   * that one, so that what is written meanwhile wakes nobody.
   */
  public void awaitHangup() throws LinuxException {
    pollWithoutLimit(0, this);
  }

  private static void pollWithoutLimit(long events, Descriptor... descriptors)
      throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      poll(arena, events, descriptors)
          .nullPointer()
          .nullPointer()
          .number(Long.BYTES)
          .runUninterrupted();
    }
  }

  /** The call as far as its descriptors; the time follows. */
  private static KernelCall poll(Arena arena, long events, Descriptor... descriptors) {
    int size = LinuxStruct.POLLFD.size();
    MemorySegment all =
        arena.allocate((long) size * descriptors.length, LinuxStruct.POLLFD.alignment());
    for (int i = 0; i < descriptors.length; i++) {
      Structure pollfd = new Structure(all.asSlice((long) size * i, size));
      pollfd.set(StructField.POLLFD_FD, descriptors[i].number());
      pollfd.set(StructField.POLLFD_EVENTS, events);
    }
    return new KernelCall(SystemCall.PPOLL)
        .memory(all, Arrays.toString(descriptors))
        .number(descriptors.length);
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

  /**
   * Reads what is there, up to 64 KiB at once: read(2). Does not block if {@link #setNonBlocking}
   * was called.
   *
   * @return how many bytes are in {@code buffer} from {@code offset} on now, -1 at the end of the
   *     file, or {@link #WOULD_BLOCK}; 0 only if {@code length} is
   */
  public int tryRead(byte[] buffer, int offset, int length) throws LinuxException {
    Objects.checkFromIndexSize(offset, length, buffer.length);
    if (length == 0) {
      return 0;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment chunk = arena.allocate(Math.min(length, CHUNK));
      int count = tryTransfer(SystemCall.READ, chunk);
      if (count > 0) {
        MemorySegment.copy(chunk, ValueLayout.JAVA_BYTE, 0, buffer, offset, count);
      }
      return count == 0 ? -1 : count;
    }
  }

  /**
   * Writes what fits, up to 64 KiB at once: write(2). Does not block if {@link #setNonBlocking} was
   * called.
   *
   * @return how many of the bytes were taken, or {@link #WOULD_BLOCK}; 0 only if {@code length} is
   */
  public int tryWrite(byte[] buffer, int offset, int length) throws LinuxException {
    Objects.checkFromIndexSize(offset, length, buffer.length);
    if (length == 0) {
      return 0;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment chunk = arena.allocate(Math.min(length, CHUNK));
      MemorySegment.copy(buffer, offset, chunk, ValueLayout.JAVA_BYTE, 0, (int) chunk.byteSize());
      return tryTransfer(SystemCall.WRITE, chunk);
    }
  }

  private long transfer(SystemCall direction, MemorySegment chunk, long size)
      throws LinuxException {
    return transferring(direction, chunk, size).runUninterrupted();
  }

  private int tryTransfer(SystemCall direction, MemorySegment chunk) throws LinuxException {
    return (int)
        transferring(direction, chunk, chunk.byteSize())
            .runUninterrupted(Errno.EAGAIN, WOULD_BLOCK);
  }

  private KernelCall transferring(SystemCall direction, MemorySegment chunk, long size) {
    return new KernelCall(direction).number(number()).memory(chunk, "buffer").number(size);
  }

  /**
   * Lets {@link #tryRead} and {@link #tryWrite} return where they would have to wait: fcntl(2) with
   * {@code O_NONBLOCK}. That holds for the open file, so for every copy of this descriptor too, in
   * other processes as well; and reading and writing otherwise fail with EAGAIN then. For a pipe or
   * a socket of this program's own, which has no other such flag: they are not asked for.
   */
  public void setNonBlocking() throws LinuxException {
    new KernelCall(SystemCall.FCNTL).number(number()).flags(F_SETFL).flags(O_NONBLOCK).run();
  }

  /**
   * Another descriptor for the same open file, closed on exec, which the caller owns: fcntl(2) with
   * {@code F_DUPFD_CLOEXEC}.
   *
   * @param number of a descriptor that this process has, perhaps without an object that owns it
   * @param lowest number that it may have; it has the first one from there on that is free
   * @throws LinuxException with EBADF if there is none with this number
   */
  public static Descriptor duplicateOf(int number, int lowest) throws LinuxException {
    return owning(
        new KernelCall(SystemCall.FCNTL).number(number).flags(F_DUPFD_CLOEXEC).number(lowest));
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
