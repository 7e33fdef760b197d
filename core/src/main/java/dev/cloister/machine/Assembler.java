package dev.cloister.machine;

/**
 * The instructions every architecture must encode: just those that launchers need. Values are 64
 * bits wide. Routines are written once against this interface.
 */
interface Assembler {
  /** Puts {@code label} here. */
  void place(Label label);

  /** {@code to = value}. */
  void set(Register to, long value);

  /** {@code to = from}. */
  void copy(Register to, Register from);

  /** {@code to = address of label}. */
  void address(Register to, Label label);

  /** {@code to = memory[base + offset]}, extended with zeros. */
  void load(Register to, Register base, int offset, Width width);

  /** {@code to = the 8 bytes at label}, which is a multiple of 8; may change SCRATCH. */
  void load(Register to, Label label);

  /** {@code memory[base + offset] = from}. */
  void store(Register base, int offset, Register from, Width width);

  /** {@code to += value}. */
  void add(Register to, int value);

  /** {@code to += value}. */
  void add(Register to, Register value);

  /** {@code to -= value}. */
  void subtract(Register to, Register value);

  /** {@code to = -to}. */
  void negate(Register to);

  /** {@code to &= value}, where {@code value} is 2^k-1 or its complement. */
  void and(Register to, int value);

  /** {@code to <<= bits}. */
  void shiftLeft(Register to, int bits);

  /** {@code to >>= bits}, filling with zeros. */
  void shiftRight(Register to, int bits);

  /** {@code RESULT, A2 = RESULT / divisor, RESULT % divisor}, unsigned; changes SCRATCH. */
  void divide(int divisor);

  /** Goes to {@code target} if the comparison holds. */
  void branch(Condition condition, Register left, Register right, Label target);

  /** Goes to {@code target} if the comparison with {@code right}, a signed 32-bit number, holds. */
  void branch(Condition condition, Register left, int right, Label target);

  /** Goes to {@code target}. */
  void jump(Label target);

  /** Calls the routine at {@code target}, which starts with {@link #enter}. */
  void call(Label target);

  /** Starts a routine: keeps the return address on the stack. */
  void enter();

  /** Ends a routine. */
  void leave();

  /** {@code to = stack pointer}. */
  void stackPointer(Register to);

  /** {@code stack pointer -= bytes}, where {@code bytes} is a multiple of 16. */
  void reserveStack(Register bytes);

  /** Makes system call {@code number}; the result or negative errno is in RESULT. */
  void systemCall(int number);

  /** Stops the process if control ever gets here. */
  void trap();

  /**
   * The finished code, with its references to labels still open.
   *
   * @param small whether to make it as short as it can be; that takes a while
   */
  Code finish(boolean small);
}
