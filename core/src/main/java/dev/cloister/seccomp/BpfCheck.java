package dev.cloister.seccomp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Whether the kernel takes a filter: what bpf_check_classic of its net/core/filter.c and
 * seccomp_check_filter of kernel/seccomp.c look at. The kernel says EINVAL to everything; this says
 * which instruction and why, before anything runs.
 */
final class BpfCheck {
  private static final int ALL_WORDS = 0xffff;

  private final ByteBuffer code;
  private final int length;

  private BpfCheck(byte[] bytes) {
    this.code = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    this.length = bytes.length / Bpf.INSTRUCTION_SIZE;
  }

  static void check(byte[] bytes) throws MalformedFilterException {
    if (bytes.length == 0) {
      throw new MalformedFilterException("it is empty");
    }
    if (bytes.length > BpfProgram.MAX_SIZE) {
      throw new MalformedFilterException(
          "it is longer than " + Bpf.MAX_INSTRUCTIONS + " instructions");
    }
    if (bytes.length % Bpf.INSTRUCTION_SIZE != 0) {
      throw new MalformedFilterException(
          "its %d bytes are not a multiple of %d, the size of an instruction"
              .formatted(bytes.length, Bpf.INSTRUCTION_SIZE));
    }
    BpfCheck check = new BpfCheck(bytes);
    for (int at = 0; at < check.length; at++) {
      check.instruction(at);
    }
    check.end();
    check.memory();
  }

  private int operation(int at) {
    return Short.toUnsignedInt(code.getShort(at * Bpf.INSTRUCTION_SIZE));
  }

  private int ifTrue(int at) {
    return at + 1 + Byte.toUnsignedInt(code.get(at * Bpf.INSTRUCTION_SIZE + 2));
  }

  private int ifFalse(int at) {
    return at + 1 + Byte.toUnsignedInt(code.get(at * Bpf.INSTRUCTION_SIZE + 3));
  }

  private long constant(int at) {
    return Integer.toUnsignedLong(code.getInt(at * Bpf.INSTRUCTION_SIZE + 4));
  }

  private void instruction(int at) throws MalformedFilterException {
    long k = constant(at);
    switch (operation(at)) {
      case Bpf.LOAD_DATA ->
          require(
              k < Bpf.DATA_SIZE && k % 4 == 0,
              at,
              "loads from offset %d, where no word of the %d bytes of a call is"
                  .formatted(k, Bpf.DATA_SIZE));
      case Bpf.LOAD_MEMORY, Bpf.LOAD_INDEX_MEMORY, Bpf.STORE, Bpf.STORE_INDEX ->
          require(
              k < Bpf.MEMORY_WORDS,
              at,
              "uses word %d of a memory of %d".formatted(k, Bpf.MEMORY_WORDS));
      case Bpf.DIVIDE -> require(k != 0, at, "divides by 0");
      case Bpf.SHIFT_LEFT, Bpf.SHIFT_RIGHT ->
          require(k < Integer.SIZE, at, "shifts by %d of 32 bits".formatted(k));
      case Bpf.JUMP -> requireInside(at, at + 1 + k);
      case Bpf.JUMP_IF_EQUAL,
          Bpf.JUMP_IF_ABOVE,
          Bpf.JUMP_IF_NOT_BELOW,
          Bpf.JUMP_IF_ANY_BIT,
          Bpf.JUMP_IF_EQUAL | Bpf.WITH_INDEX,
          Bpf.JUMP_IF_ABOVE | Bpf.WITH_INDEX,
          Bpf.JUMP_IF_NOT_BELOW | Bpf.WITH_INDEX,
          Bpf.JUMP_IF_ANY_BIT | Bpf.WITH_INDEX -> {
        requireInside(at, ifTrue(at));
        requireInside(at, ifFalse(at));
      }
      case Bpf.LOAD,
          Bpf.LOAD_SIZE,
          Bpf.LOAD_INDEX,
          Bpf.LOAD_INDEX_SIZE,
          Bpf.TO_INDEX,
          Bpf.FROM_INDEX,
          Bpf.ADD,
          Bpf.SUBTRACT,
          Bpf.MULTIPLY,
          Bpf.OR,
          Bpf.AND,
          Bpf.XOR,
          Bpf.NEGATE,
          Bpf.ADD | Bpf.WITH_INDEX,
          Bpf.SUBTRACT | Bpf.WITH_INDEX,
          Bpf.MULTIPLY | Bpf.WITH_INDEX,
          Bpf.DIVIDE | Bpf.WITH_INDEX,
          Bpf.OR | Bpf.WITH_INDEX,
          Bpf.AND | Bpf.WITH_INDEX,
          Bpf.XOR | Bpf.WITH_INDEX,
          Bpf.SHIFT_LEFT | Bpf.WITH_INDEX,
          Bpf.SHIFT_RIGHT | Bpf.WITH_INDEX,
          Bpf.RETURN,
          Bpf.RETURN_ACCUMULATOR -> {}
      default ->
          throw malformed(
              at, "has operation 0x%x, which seccomp does not know".formatted(operation(at)));
    }
  }

  private void requireInside(int at, long target) throws MalformedFilterException {
    require(target < length, at, "jumps beyond the end");
  }

  private void end() throws MalformedFilterException {
    int last = operation(length - 1);
    require(
        last == Bpf.RETURN || last == Bpf.RETURN_ACCUMULATOR,
        length - 1,
        "is the last one and does not return");
  }

  /**
   * No word may be read that is not written on every way there. As the kernel counts: what stands
   * behind a return still knows what was written before it.
   */
  private void memory() throws MalformedFilterException {
    int[] known = new int[length];
    Arrays.fill(known, ALL_WORDS);
    int written = 0;
    for (int at = 0; at < length; at++) {
      written &= known[at];
      switch (operation(at)) {
        case Bpf.STORE, Bpf.STORE_INDEX -> written |= 1 << constant(at);
        case Bpf.LOAD_MEMORY, Bpf.LOAD_INDEX_MEMORY ->
            require(
                (written & 1 << constant(at)) != 0,
                at,
                "reads word %d of the memory, which may not be written yet"
                    .formatted(constant(at)));
        case Bpf.JUMP -> {
          known[at + 1 + (int) constant(at)] &= written;
          written = ALL_WORDS;
        }
        default -> {
          if (isComparison(at)) {
            known[ifTrue(at)] &= written;
            known[ifFalse(at)] &= written;
            written = ALL_WORDS;
          }
        }
      }
    }
  }

  /** BPF_JMP is class 5, of which JUMP and these are left. */
  private boolean isComparison(int at) {
    return (operation(at) & 7) == Bpf.JUMP;
  }

  private static void require(boolean good, int at, String what) throws MalformedFilterException {
    if (!good) {
      throw malformed(at, what);
    }
  }

  private static MalformedFilterException malformed(int at, String what) {
    return new MalformedFilterException("its instruction " + at + " " + what);
  }
}
