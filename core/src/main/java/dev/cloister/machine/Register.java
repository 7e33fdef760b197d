package dev.cloister.machine;

/**
 * The registers that routines are written with, whatever the architecture calls them.
 *
 * <p>A system call changes {@link #RESULT}, {@link #SCRATCH} and, as far as a routine may rely on
 * it, every argument register; it keeps {@link #V0} to {@link #V5}.
 */
enum Register {
  /** The arguments of a system call. */
  A0,
  A1,
  A2,
  A3,
  A4,
  A5,
  /** The result of a system call. */
  RESULT,
  /** For a few instructions. */
  SCRATCH,
  /** Values that outlive system calls. */
  V0,
  V1,
  V2,
  V3,
  V4,
  V5;

  /** {@link #values} makes a copy for every call. */
  private static final Register[] ALL = values();

  /** Argument register number {@code index}, 0 to 5. */
  static Register argument(int index) {
    return ALL[index];
  }
}
