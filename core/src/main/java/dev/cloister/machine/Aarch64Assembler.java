package dev.cloister.machine;

import java.util.ArrayList;
import java.util.List;

/**
 * Encodes for aarch64 (Arm Architecture Reference Manual, A64). Arguments of a system call are
 * where syscall(2) wants them; its result, which would overwrite the first of them, is moved to a
 * register of its own.
 *
 * <p>Instructions that refer to a label come in two forms. The near one is one instruction that
 * reaches as far as nearly every launcher needs; linking throws {@link OutOfReach} where it does
 * not. The far one reaches everything and takes one instruction more.
 */
final class Aarch64Assembler implements Assembler {
  private static final int NUMBER = 8;
  private static final int TEMPORARY = 10;
  private static final int STACK = 31;

  /** An immediate of an arithmetic instruction has 12 bits. */
  private static final int IMMEDIATE = 1 << 12;

  /** The bits by which the codes of a condition and of its opposite differ. */
  private static final int OPPOSITE = 1;

  private final ByteBuilder code = new ByteBuilder();
  private final List<Code.Reference> references = new ArrayList<>();
  private final boolean isFar;

  Aarch64Assembler(boolean isFar) {
    this.isFar = isFar;
  }

  private static int number(Register register) {
    return switch (register) {
      case A0 -> 0;
      case A1 -> 1;
      case A2 -> 2;
      case A3 -> 3;
      case A4 -> 4;
      case A5 -> 5;
      case RESULT -> 9;
      case SCRATCH -> 16;
      case V0 -> 19;
      case V1 -> 20;
      case V2 -> 21;
      case V3 -> 22;
      case V4 -> 23;
      case V5 -> 24;
    };
  }

  @Override
  public void place(Label label) {
    label.place(Label.Section.TEXT, code.size());
  }

  @Override
  public void set(Register to, long value) {
    set(number(to), value);
  }

  /** Starts with whichever of movz and movn leaves fewer of the four quarters to movk. */
  private void set(int to, long value) {
    int ones = 0;
    int zeros = 0;
    for (int quarter = 0; quarter < 4; quarter++) {
      ones += quarter(value, quarter) == 0xffff ? 1 : 0;
      zeros += quarter(value, quarter) == 0 ? 1 : 0;
    }
    boolean isInverted = ones > zeros;
    int filling = isInverted ? 0xffff : 0;
    long different = isInverted ? ~value : value;
    int first = different == 0 ? 0 : Long.numberOfTrailingZeros(different) / 16;
    // movz or movn
    int start = isInverted ? 0x92800000 : 0xd2800000;
    word(start | first << 21 | (quarter(value, first) ^ filling) << 5 | to);
    for (int quarter = first + 1; quarter < 4; quarter++) {
      if (quarter(value, quarter) != filling) {
        word(0xf2800000 | quarter << 21 | quarter(value, quarter) << 5 | to); // movk
      }
    }
  }

  private static int quarter(long value, int index) {
    return (int) (value >>> (16 * index)) & 0xffff;
  }

  @Override
  public void copy(Register to, Register from) {
    if (to != from) {
      copy(number(to), number(from));
    }
  }

  private void copy(int to, int from) {
    word(0xaa0003e0 | from << 16 | to);
  }

  @Override
  public void address(Register to, Label label) {
    int register = number(to);
    if (isFar) {
      refer(label, Aarch64Assembler::page);
      word(0x90000000 | register); // adrp
      refer(label, Aarch64Assembler::inPage);
      word(0x91000000 | register << 5 | register); // add
    } else {
      refer(label, Aarch64Assembler::nearAddress);
      word(0x10000000 | register); // adr
    }
  }

  private static void nearAddress(byte[] bytes, int position, long place, long address) {
    long distance = address - place;
    check(distance, 21);
    orSplit(bytes, position, (int) distance);
  }

  private static void page(byte[] bytes, int position, long place, long address) {
    long pages = (address >> 12) - (place >> 12);
    check(pages, 21);
    orSplit(bytes, position, (int) pages);
  }

  /** The two low bits of the number are apart from the others in adr and adrp. */
  private static void orSplit(byte[] bytes, int position, int value) {
    or(bytes, position, (value & 3) << 29 | (value >> 2 & 0x7ffff) << 5);
  }

  private static void inPage(byte[] bytes, int position, long place, long address) {
    or(bytes, position, (int) (address & 0xfff) << 10);
  }

  @Override
  public void load(Register to, Register base, int offset, Width width) {
    memory(1 << 22, number(to), number(base), offset, size(width));
  }

  @Override
  public void load(Register to, Label label) {
    if (isFar) {
      address(Register.SCRATCH, label);
      load(to, Register.SCRATCH, 0, Width.DOUBLE);
    } else {
      referNear(0x58000000 | number(to), 19, label); // ldr relative to the instruction
    }
  }

  @Override
  public void store(Register base, int offset, Register from, Width width) {
    memory(0, number(from), number(base), offset, size(width));
  }

  private static int size(Width width) {
    return switch (width) {
      case BYTE -> 0;
      case HALF -> 1;
      case WORD -> 2;
      case DOUBLE -> 3;
    };
  }

  private void memory(int operation, int register, int base, int offset, int size) {
    int instruction = operation | size << 30 | base << 5 | register;
    int scaled = offset >> size;
    if (scaled << size == offset && scaled >= 0 && scaled < IMMEDIATE) {
      word(instruction | 0x39000000 | scaled << 10);
    } else if (offset >= -256 && offset < 256) {
      word(instruction | 0x38000000 | (offset & 0x1ff) << 12);
    } else {
      set(TEMPORARY, offset);
      word(instruction | 0x38206800 | TEMPORARY << 16);
    }
  }

  @Override
  public void add(Register to, int value) {
    int register = number(to);
    if (value > -IMMEDIATE && value < IMMEDIATE) {
      if (value != 0) {
        immediate(value < 0 ? 0xd1000000 : 0x91000000, register, register, Math.abs(value));
      }
    } else {
      set(TEMPORARY, value);
      registers(0x8b000000, register, register, TEMPORARY);
    }
  }

  private void immediate(int instruction, int to, int from, int value) {
    word(instruction | value << 10 | from << 5 | to);
  }

  private void registers(int instruction, int to, int left, int right) {
    word(instruction | right << 16 | left << 5 | to);
  }

  @Override
  public void add(Register to, Register value) {
    registers(0x8b000000, number(to), number(to), number(value));
  }

  @Override
  public void subtract(Register to, Register value) {
    registers(0xcb000000, number(to), number(to), number(value));
  }

  @Override
  public void negate(Register to) {
    registers(0xcb000000, number(to), STACK, number(to)); // 31 is the zero register here
  }

  @Override
  public void and(Register to, int value) {
    int register = number(to);
    if (value == 0) {
      set(register, 0);
    } else if (value > 0) {
      mask(register, value, 0, Integer.bitCount(value));
    } else if (value != -1) {
      int ones = Long.bitCount(value);
      mask(register, ~value, ones, ones);
    }
  }

  /** A run of {@code ones}, rotated right; {@code low} is what must be 2^k-1 for that. */
  private void mask(int register, int low, int rotation, int ones) {
    if ((low & (low + 1)) != 0) {
      throw new IllegalArgumentException("neither 2^k-1 nor its complement: " + low);
    }
    word(0x92400000 | rotation << 16 | (ones - 1) << 10 | register << 5 | register);
  }

  @Override
  public void shiftLeft(Register to, int bits) {
    bitfield(number(to), -bits & 63, 63 - bits);
  }

  @Override
  public void shiftRight(Register to, int bits) {
    bitfield(number(to), bits, 63);
  }

  /** ubfm, of which both shifts are forms. */
  private void bitfield(int register, int rotation, int last) {
    word(0xd3400000 | rotation << 16 | last << 10 | register << 5 | register);
  }

  @Override
  public void divide(int divisor) {
    int dividend = number(Register.RESULT);
    int by = number(Register.SCRATCH);
    set(by, divisor);
    registers(0x9ac00800, TEMPORARY, dividend, by); // udiv
    // msub: the dividend minus the product
    registers(0x9b008000 | dividend << 10, number(Register.A2), TEMPORARY, by);
    copy(dividend, TEMPORARY);
  }

  @Override
  public void branch(Condition condition, Register left, Register right, Label target) {
    registers(0xeb000000, STACK, number(left), number(right));
    branch(0x54000000 | code(condition), OPPOSITE, 19, target);
  }

  @Override
  public void branch(Condition condition, Register left, int right, Label target) {
    int register = number(left);
    if (right == 0 && branchAtZero(condition, register, target)) {
      return;
    }
    if (right > -IMMEDIATE && right < IMMEDIATE) {
      // cmp or cmn
      immediate(right < 0 ? 0xb1000000 : 0xf1000000, STACK, register, Math.abs(right));
    } else {
      set(TEMPORARY, right);
      registers(0xeb000000, STACK, register, TEMPORARY);
    }
    branch(0x54000000 | code(condition), OPPOSITE, 19, target);
  }

  /** Compares with 0 and branches in one instruction, if there is one for the condition. */
  private boolean branchAtZero(Condition condition, int register, Label target) {
    int opposite = 1 << 24;
    switch (condition) {
      case EQUAL -> branch(0xb4000000 | register, opposite, 19, target); // cbz
      case NOT_EQUAL -> branch(0xb5000000 | register, opposite, 19, target); // cbnz
      case LESS -> branch(0xb7f80000 | register, opposite, 14, target); // tbnz of the sign
      case GREATER_OR_EQUAL -> branch(0xb6f80000 | register, opposite, 14, target); // tbz
      case BELOW, ABOVE_OR_EQUAL -> {
        return false;
      }
    }
    return true;
  }

  private static int code(Condition condition) {
    return switch (condition) {
      case EQUAL -> 0;
      case NOT_EQUAL -> 1;
      case ABOVE_OR_EQUAL -> 2;
      case BELOW -> 3;
      case GREATER_OR_EQUAL -> 10;
      case LESS -> 11;
    };
  }

  /**
   * A conditional branch.
   *
   * @param opposite the bit that inverts its condition
   * @param bits how long its distance is
   */
  private void branch(int instruction, int opposite, int bits, Label target) {
    if (isFar) {
      word((instruction ^ opposite) | 2 << 5); // over the next instruction
      jump(target);
    } else {
      referNear(instruction, bits, target);
    }
  }

  private void referNear(int instruction, int bits, Label target) {
    refer(
        target,
        (bytes, position, place, address) ->
            or(bytes, position, distance(place, address, bits) << 5));
    word(instruction);
  }

  /** In instructions, cut to {@code bits}. */
  private static int distance(long place, long address, int bits) {
    long instructions = (address - place) >> 2;
    check(instructions, bits);
    return (int) instructions & ((1 << bits) - 1);
  }

  @Override
  public void jump(Label target) {
    branchAlways(0x14000000, target);
  }

  @Override
  public void call(Label target) {
    branchAlways(0x94000000, target);
  }

  private void branchAlways(int instruction, Label target) {
    refer(
        target,
        (bytes, position, place, address) -> or(bytes, position, distance(place, address, 26)));
    word(instruction);
  }

  @Override
  public void enter() {
    word(0xf81f0ffe); // str x30, [sp, #-16]!
  }

  @Override
  public void leave() {
    word(0xf84107fe); // ldr x30, [sp], #16
    word(0xd65f03c0); // ret
  }

  @Override
  public void stackPointer(Register to) {
    immediate(0x91000000, number(to), STACK, 0);
  }

  @Override
  public void reserveStack(Register bytes) {
    registers(0xcb206000, STACK, STACK, number(bytes));
  }

  @Override
  public void systemCall(int number) {
    set(NUMBER, number);
    word(0xd4000001); // svc #0
    copy(number(Register.RESULT), number(Register.A0));
  }

  @Override
  public void trap() {
    word(0); // udf #0
  }

  @Override
  public Code finish(boolean small) {
    return new Code(code.toArray(), references);
  }

  private void word(int instruction) {
    code.u32(instruction);
  }

  private void refer(Label label, Code.Patch patch) {
    references.add(new Code.Reference(code.size(), label, patch));
  }

  private static void check(long value, int bits) {
    if (value < -(1L << (bits - 1)) || value >= 1L << (bits - 1)) {
      throw new OutOfReach();
    }
  }

  private static void or(byte[] bytes, int position, int value) {
    for (int i = 0; i < 4; i++) {
      bytes[position + i] |= (byte) (value >> (8 * i));
    }
  }

  /** A label is farther away than the near form of an instruction reaches. */
  static final class OutOfReach extends RuntimeException {
    private static final long serialVersionUID = 1;
  }
}
