package dev.cloister.seccomp;

/**
 * The classic BPF machine as seccomp(2) uses it: an accumulator A, an index register X, 16 words of
 * scratch memory, and the call it judges as read-only memory. An instruction is an operation (16
 * bits), where to go on if a comparison holds and where if not (8 bits each), and a number K (32
 * bits): {@code struct sock_filter} of linux/filter.h.
 */
final class Bpf {
  static final int INSTRUCTION_SIZE = 8;

  /** BPF_MAXINSNS of linux/bpf_common.h. */
  static final int MAX_INSTRUCTIONS = 4096;

  /** BPF_MEMWORDS of linux/filter.h. */
  static final int MEMORY_WORDS = 16;

  /** Of {@code struct seccomp_data}. */
  static final int DATA_SIZE = 64;

  /** Where the number of the call is in it. */
  static final int NUMBER = 0;

  /** Where the architecture is in it. */
  static final int ARCHITECTURE = 4;

  /** The furthest that a comparison can jump. */
  static final int MAX_JUMP = 255;

  /** A = the word at K of the call. */
  static final int LOAD_DATA = 0x20;

  /** A = the size of the call's data. */
  static final int LOAD_SIZE = 0x80;

  /** A = K. */
  static final int LOAD = 0x00;

  /** A = memory[K]. */
  static final int LOAD_MEMORY = 0x60;

  /** X = the size of the call's data. */
  static final int LOAD_INDEX_SIZE = 0x81;

  /** X = K. */
  static final int LOAD_INDEX = 0x01;

  /** X = memory[K]. */
  static final int LOAD_INDEX_MEMORY = 0x61;

  /** memory[K] = A. */
  static final int STORE = 0x02;

  /** memory[K] = X. */
  static final int STORE_INDEX = 0x03;

  /** X = A. */
  static final int TO_INDEX = 0x07;

  /** A = X. */
  static final int FROM_INDEX = 0x87;

  /** To an arithmetic operation or a comparison: with X in place of K. */
  static final int WITH_INDEX = 0x08;

  static final int ADD = 0x04;
  static final int SUBTRACT = 0x14;
  static final int MULTIPLY = 0x24;
  static final int DIVIDE = 0x34;
  static final int OR = 0x44;
  static final int AND = 0x54;
  static final int SHIFT_LEFT = 0x64;
  static final int SHIFT_RIGHT = 0x74;
  static final int NEGATE = 0x84;
  static final int XOR = 0xa4;

  /** K instructions are left out. */
  static final int JUMP = 0x05;

  static final int JUMP_IF_EQUAL = 0x15;

  /** Unsigned, as all numbers. */
  static final int JUMP_IF_ABOVE = 0x25;

  static final int JUMP_IF_NOT_BELOW = 0x35;

  /** If A has one of the bits of K. */
  static final int JUMP_IF_ANY_BIT = 0x45;

  /** The verdict is K. */
  static final int RETURN = 0x06;

  /** The verdict is A. */
  static final int RETURN_ACCUMULATOR = 0x16;

  private Bpf() {}

  /** Where the lower half of argument {@code index} is in the call's data (little-endian). */
  static int argument(int index) {
    return 16 + 8 * index;
  }
}
