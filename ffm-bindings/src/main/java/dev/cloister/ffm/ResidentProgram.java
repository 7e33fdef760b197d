package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.CLONE_CLEAR_SIGHAND;
import static dev.cloister.ffm.LinuxConstant.CLONE_PIDFD;
import static dev.cloister.ffm.LinuxConstant.CLONE_VFORK;
import static dev.cloister.ffm.LinuxConstant.CLONE_VM;
import static dev.cloister.ffm.LinuxConstant.MAP_ANONYMOUS;
import static dev.cloister.ffm.LinuxConstant.MAP_PRIVATE;
import static dev.cloister.ffm.LinuxConstant.PROT_EXEC;
import static dev.cloister.ffm.LinuxConstant.PROT_NONE;
import static dev.cloister.ffm.LinuxConstant.PROT_READ;
import static dev.cloister.ffm.LinuxConstant.PROT_WRITE;
import static dev.cloister.ffm.LinuxConstant.SIGCHLD;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * A program in this process's own memory, which runs there as a new process until it executes
 * another: that saves an execve(2), and clone3(2) has whatever it does first seen at once.
 *
 * <p>The new process shares the memory of this one, and the calling thread is stopped until it has
 * its own or has ended (vfork(2)); other threads go on. All else is its own: descriptors, signals,
 * root and working directory, credentials. The program must change nothing that belongs to the
 * memory (such as {@code PR_SET_DUMPABLE}), and write to no memory but what is loaded here.
 *
 * <p>Used by one thread at a time.
 */
public final class ResidentProgram implements AutoCloseable {
  /** In bytes; what is started has as much, less what it is given. */
  private static final int STACK = 256 * 1024;

  /** Of {@link #STACK}, what no argument may take. */
  private static final int WORKING_STACK = 64 * 1024;

  /** The largest page of the architectures, so that no page has two kinds of access. */
  public static final int PAGE = 0x10000;

  /** Where to look for memory that 31 bits can address, as code may do; in bytes. */
  private static final long LOWEST = 0x1000_0000L;

  private static final long HIGHEST = 0x7000_0000L;
  private static final long STRIDE = 0x100_0000L;

  private static final int ALIGNMENT = 16;

  /** Which access a part of the program needs. */
  public enum Access {
    READ,
    EXECUTE,
    WRITE
  }

  /**
   * A part of a program.
   *
   * @param offset from the beginning of the program, a multiple of {@link #PAGE}
   * @param content followed by zeros
   * @param size in bytes, of content and zeros
   */
  public record Part(int offset, ByteBuffer content, int size, Access access) {}

  /** A program that is not yet bound to an address. */
  public interface Image {
    /** In bytes. */
    int size();

    /**
     * What to load at an address. The part that is executed begins with a function of C, which
     * takes the address of a {@link ResidentStart} and does what is said there.
     */
    List<Part> parts(long address);
  }

  private static final class Function {
    private static final MethodHandle HANDLE =
        Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
  }

  private final MemorySegment memory;
  private final MemorySegment zeroed;
  private final MemorySegment stack;
  private final MemorySegment entry;

  private ResidentProgram(MemorySegment memory, Image image) throws LinuxException {
    this.memory = memory;
    MemorySegment written = MemorySegment.NULL;
    MemorySegment executed = MemorySegment.NULL;
    for (Part part : image.parts(memory.address())) {
      MemorySegment place = memory.asSlice(part.offset(), part.size());
      load(part, place);
      switch (part.access()) {
        case EXECUTE -> executed = place;
        case WRITE -> written = place;
        case READ -> {}
      }
    }
    this.zeroed = written;
    this.entry = executed;
    // The page below it stays without access: who needs more stack than there is, is killed.
    this.stack = memory.asSlice(memory.byteSize() - STACK, STACK);
    protect(stack, PROT_READ, PROT_WRITE);
  }

  /**
   * Loads a program.
   *
   * @return nothing if there is no memory where it must be
   */
  public static Optional<ResidentProgram> load(Image image) throws LinuxException {
    long size = align(image.size(), PAGE) + PAGE + STACK;
    Optional<MemorySegment> memory = reserve(size);
    if (memory.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new ResidentProgram(memory.get(), image));
    } catch (LinuxException e) {
      release(memory.get());
      throw e;
    }
  }

  /** An address that is wished for is given where it is free (mmap(2)). */
  private static Optional<MemorySegment> reserve(long size) throws LinuxException {
    for (long wish = LOWEST; wish + size < HIGHEST; wish += STRIDE) {
      MemorySegment memory = map(wish, size);
      if (memory.address() + size < HIGHEST) {
        return Optional.of(memory);
      }
      release(memory);
    }
    return Optional.empty();
  }

  private static MemorySegment map(long wish, long size) throws LinuxException {
    long address =
        new KernelCall(SystemCall.MMAP)
            .number(wish)
            .number(size)
            .flags(PROT_NONE)
            .flags(MAP_PRIVATE, MAP_ANONYMOUS)
            .number(-1)
            .number(0)
            .run();
    return MemorySegment.ofAddress(address).reinterpret(size);
  }

  private static void release(MemorySegment memory) throws LinuxException {
    new KernelCall(SystemCall.MUNMAP).memory(memory, "memory").number(memory.byteSize()).run();
  }

  private static void load(Part part, MemorySegment place) throws LinuxException {
    protect(place, PROT_READ, PROT_WRITE);
    place.copyFrom(MemorySegment.ofBuffer(part.content()));
    switch (part.access()) {
      case READ -> protect(place, PROT_READ);
      case EXECUTE -> protect(place, PROT_READ, PROT_EXEC);
      case WRITE -> {}
    }
  }

  private static void protect(MemorySegment memory, LinuxConstant... access) throws LinuxException {
    new KernelCall(SystemCall.MPROTECT)
        .memory(memory, "memory")
        .number(memory.byteSize())
        .flags(access)
        .run();
  }

  private static long align(long value, long alignment) {
    return (value + alignment - 1) & -alignment;
  }

  /**
   * Starts the program, and returns when it has executed another one or has ended. It blocks no
   * signals.
   *
   * @param moves pairs of numbers: a copy of this process's descriptor of the first becomes the new
   *     one's of the second, one after the other as by dup2(2); the same number twice only keeps it
   *     open
   * @return the process, for which the caller waits; nothing if the arguments are too long for
   *     this, and nothing happened
   * @throws LinuxException if there is no process; with ENOSYS, EINVAL or EPERM where clone3(2) is
   *     missing, too old, or hidden by a filter
   */
  public Optional<ChildProcess> start(List<byte[]> arguments, List<byte[]> environment, int[] moves)
      throws LinuxException {
    ChildProcess.expect();
    Start start = new Start(arguments, environment, moves);
    if (!start.fits()) {
      return Optional.empty();
    }
    zeroed.fill((byte) 0);
    start.write();
    long result = call(start.address());
    if (result < 0) {
      throw new LinuxException("clone3(CLONE_VM|CLONE_VFORK)", (int) -result);
    }
    ChildProcess child = ChildProcess.adopt((int) result, start.pidfd());
    start.requireMoves(child);
    return Optional.of(child);
  }

  private long call(long argument) {
    try {
      return (long) Function.HANDLE.invokeExact(entry, argument);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws no checked exception", e);
    }
  }

  /**
   * One start's data, at the end of the stack: what is to be done, and what execve(2) would put
   * there.
   */
  private final class Start {
    private final List<byte[]> arguments;
    private final List<byte[]> environment;
    private final int[] moves;
    private final long size;
    private final long vectors;
    private long nextPointer;
    private long nextString;

    Start(List<byte[]> arguments, List<byte[]> environment, int[] moves) {
      this.arguments = arguments;
      this.environment = environment;
      this.moves = moves;
      // The count, both vectors with their ends, and an empty auxiliary vector.
      this.vectors = Long.BYTES * (5L + arguments.size() + environment.size());
      this.size =
          ResidentStart.SIZE + 4L * moves.length + vectors + sum(arguments) + sum(environment);
    }

    private static long sum(List<byte[]> strings) {
      long sum = 0;
      for (byte[] string : strings) {
        sum += string.length + 1;
      }
      return sum;
    }

    /** The program may copy its vectors, more than once. */
    boolean fits() {
      return size + 4 * vectors + WORKING_STACK <= STACK;
    }

    /** Of the count of the arguments, below which the stack grows. */
    private long top() {
      return (STACK - size) & -ALIGNMENT;
    }

    private long start() {
      return STACK - ResidentStart.SIZE;
    }

    private long movesStart() {
      return top() + vectors;
    }

    long address() {
      return stack.address() + start();
    }

    void write() {
      nextPointer = top();
      nextString = movesStart() + 4L * moves.length;
      pointer(arguments.size());
      vector(arguments);
      vector(environment);
      pointer(0);
      pointer(0);
      MemorySegment.copy(moves, 0, stack, JAVA_INT, movesStart(), moves.length);
      writeStart();
    }

    private void vector(List<byte[]> strings) {
      for (byte[] string : strings) {
        pointer(stack.address() + nextString);
        MemorySegment.copy(string, 0, stack, JAVA_BYTE, nextString, string.length);
        nextString += string.length;
        stack.set(JAVA_BYTE, nextString++, (byte) 0);
      }
      pointer(0);
    }

    private void pointer(long value) {
      stack.set(JAVA_LONG, nextPointer, value);
      nextPointer += Long.BYTES;
    }

    private void writeStart() {
      stack.asSlice(start(), ResidentStart.SIZE).fill((byte) 0);
      Structure clone = new Structure(stack.asSlice(start(), LinuxStruct.CLONE_ARGS.size()));
      clone.set(
          StructField.CLONE_ARGS_FLAGS,
          LinuxConstant.or(
              KernelCall.HOST, List.of(CLONE_VM, CLONE_VFORK, CLONE_PIDFD, CLONE_CLEAR_SIGHAND)));
      clone.set(StructField.CLONE_ARGS_PIDFD, address() + ResidentStart.PIDFD);
      clone.set(StructField.CLONE_ARGS_EXIT_SIGNAL, SIGCHLD.value(KernelCall.HOST));
      clone.set(StructField.CLONE_ARGS_STACK, stack.address());
      clone.set(StructField.CLONE_ARGS_STACK_SIZE, top());
      set(ResidentStart.ALL_SIGNALS, -1);
      set(ResidentStart.MOVES, stack.address() + movesStart());
      set(ResidentStart.MOVE_COUNT, moves.length / 2);
    }

    private void set(int offset, long value) {
      stack.set(JAVA_LONG, start() + offset, value);
    }

    Descriptor pidfd() {
      return Descriptor.owning(stack.get(JAVA_INT, start() + ResidentStart.PIDFD));
    }

    void requireMoves(ChildProcess child) throws LinuxException {
      int error = (int) stack.get(JAVA_LONG, start() + ResidentStart.ERROR);
      if (error != 0) {
        try (child) {
          child.await();
        }
        throw new LinuxException("dup3()", -error);
      }
    }
  }

  /** Frees the memory. Nothing that was started here needs it any more. */
  @Override
  public void close() throws LinuxException {
    release(memory);
  }
}
