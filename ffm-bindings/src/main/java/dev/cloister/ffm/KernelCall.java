package dev.cloister.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.cloister.ffm.generated.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A system call with its operands: what the kernel takes, and how a person reads it in an error.
 *
 * <p>All calls go through syscall(2). Each new function type that is linked costs the JVM several
 * milliseconds, and this way there is only one.
 */
final class KernelCall {
  /** The architecture whose values the operands have. */
  static final Architecture HOST = Architecture.host();

  private static final int MAX_OPERANDS = 6;

  /** Of linux/err.h: a result from -4095 to -1 is an error, any other a success. */
  private static final int MAX_ERRNO = 4095;

  private sealed interface Operand {
    record Word(long value, String text) implements Operand {}

    record Flags(List<LinuxConstant> constants) implements Operand {}

    record Text(CString string) implements Operand {}

    record Arguments(List<CString> strings) implements Operand {}

    record Environment(List<CString> strings) implements Operand {}
  }

  /** Links syscall(2) when the first call is made. */
  private static final class Syscall {
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final long ERRNO_OFFSET = STATE.byteOffset(PathElement.groupElement("errno"));
    private static final MethodHandle HANDLE = link();

    private static MethodHandle link() {
      MemoryLayout[] words = new MemoryLayout[1 + MAX_OPERANDS];
      Arrays.fill(words, Libc.C_LONG);
      return Linker.nativeLinker()
          .downcallHandle(
              Libc.syscall.address(),
              FunctionDescriptor.of(Libc.C_LONG, words),
              Linker.Option.captureCallState("errno"),
              Linker.Option.firstVariadicArg(1));
    }
  }

  private final SystemCall call;
  private final List<Operand> operands = new ArrayList<>(MAX_OPERANDS);

  KernelCall(SystemCall call) {
    this.call = call;
  }

  KernelCall number(long value) {
    return word(value, Long.toString(value));
  }

  KernelCall permissions(int mode) {
    return word(mode, mode == 0 ? "0" : "0" + Integer.toOctalString(mode));
  }

  /** A constant, or several combined with {@code |}; 0 for none. */
  KernelCall flags(LinuxConstant... constants) {
    return flags(List.of(constants));
  }

  KernelCall flags(List<LinuxConstant> constants) {
    return operand(new Operand.Flags(constants));
  }

  KernelCall nullPointer() {
    return word(0, "NULL");
  }

  /** A copy of the bytes as a C string, which lives as long as the call. */
  KernelCall text(byte[] bytes) {
    return operand(new Operand.Text(CString.of(bytes)));
  }

  /** The {@code argv} and {@code envp} of a new program, copies which live as long as the call. */
  KernelCall program(List<byte[]> arguments, List<byte[]> environment) {
    return operand(new Operand.Arguments(CString.listOf(arguments)))
        .operand(new Operand.Environment(CString.listOf(environment)));
  }

  /** The address of memory that the caller keeps alive until the call was made. */
  KernelCall memory(MemorySegment memory, String text) {
    return word(memory.address(), text);
  }

  private KernelCall word(long value, String text) {
    return operand(new Operand.Word(value, text));
  }

  private KernelCall operand(Operand operand) {
    operands.add(operand);
    return this;
  }

  /** Makes the call and gives its result, which is not negative unless the call says so. */
  long run() throws LinuxException {
    return succeeded(attempt());
  }

  /** As {@link #run}, and again whenever a signal handler (the JVM has several) interrupts it. */
  long runUninterrupted() throws LinuxException {
    return succeeded(attemptUninterrupted());
  }

  /**
   * As {@link #runUninterrupted}, but gives {@code otherwise} where the call fails with one error
   * that is expected often: an exception costs more than most calls.
   */
  long runUninterrupted(Errno expected, long otherwise) throws LinuxException {
    long result = attemptUninterrupted();
    return result == -expected.number() ? otherwise : succeeded(result);
  }

  private long attemptUninterrupted() {
    long result;
    do {
      result = attempt();
    } while (result == -Errno.EINTR.number());
    return result;
  }

  /** The result, or the negation of an error number, as the kernel itself returns it. */
  private long attempt() {
    try (Arena arena = Arena.ofConfined()) {
      long[] words = new long[MAX_OPERANDS];
      for (int i = 0; i < operands.size(); i++) {
        words[i] = materialize(arena, operands.get(i));
      }
      MemorySegment state = arena.allocate(Syscall.STATE);
      long result = invoke(state, words);
      return result == -1 ? -state.get(JAVA_INT, Syscall.ERRNO_OFFSET) : result;
    }
  }

  private long succeeded(long result) throws LinuxException {
    if (result < 0 && result >= -MAX_ERRNO) {
      throw new LinuxException(toString(), (int) -result);
    }
    return result;
  }

  private long invoke(MemorySegment state, long[] words) {
    try {
      return (long)
          Syscall.HANDLE.invokeExact(
              state,
              (long) call.number(HOST),
              words[0],
              words[1],
              words[2],
              words[3],
              words[4],
              words[5]);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws no checked exception", e);
    }
  }

  private static long materialize(Arena arena, Operand operand) {
    return switch (operand) {
      case Operand.Word word -> word.value();
      case Operand.Flags flags -> LinuxConstant.or(HOST, flags.constants());
      case Operand.Text text -> text.string().allocate(arena).address();
      case Operand.Arguments(var strings) -> CString.allocateArray(arena, strings).address();
      case Operand.Environment(var strings) -> CString.allocateArray(arena, strings).address();
    };
  }

  /** The call as C. */
  @Override
  public String toString() {
    return operands.stream()
        .map(KernelCall::describe)
        .collect(Collectors.joining(", ", call.cName() + "(", ")"));
  }

  private static String describe(Operand operand) {
    return switch (operand) {
      case Operand.Word word -> word.text();
      case Operand.Flags flags -> names(flags.constants());
      case Operand.Text text -> text.string().toString();
      case Operand.Arguments arguments -> CString.arguments(arguments.strings());
      case Operand.Environment environment -> CString.environment(environment.strings());
    };
  }

  private static String names(List<LinuxConstant> constants) {
    return constants.isEmpty()
        ? "0"
        : constants.stream().map(LinuxConstant::name).collect(Collectors.joining("|"));
  }
}
