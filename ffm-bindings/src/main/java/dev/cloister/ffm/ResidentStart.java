package dev.cloister.ffm;

/**
 * What {@link ResidentProgram} tells the machine code that it calls, in memory that both write to;
 * where each part of it is, in bytes from its beginning.
 *
 * <p>The code is a function of C. It blocks {@link #ALL_SIGNALS}, keeps those that were blocked in
 * {@link #BLOCKED_SIGNALS}, and calls clone3(2) with the {@code struct clone_args} at the
 * beginning. The parent restores the signals and returns the result of clone3. The child copies
 * descriptors, blocks {@link #NO_SIGNALS}, and goes on with the program, the stack as execve(2)
 * leaves it.
 */
public final class ResidentStart {
  /** 64 bits that are set. */
  public static final int ALL_SIGNALS = 88;

  /** Room for as many. */
  public static final int BLOCKED_SIGNALS = 96;

  /** 64 bits that are not. */
  public static final int NO_SIGNALS = 104;

  /** The address of pairs of 32-bit numbers, for dup3(2). */
  public static final int MOVES = 112;

  /** How many pairs, in 64 bits. */
  public static final int MOVE_COUNT = 120;

  /** Where the child leaves the negative errno of a dup3(2) that failed, and then ends. */
  public static final int ERROR = 128;

  /** Where clone3(2) leaves the descriptor of the child, 32 bits. */
  public static final int PIDFD = 136;

  /** Of all, a multiple of 16. */
  static final int SIZE = 144;

  private ResidentStart() {}
}
