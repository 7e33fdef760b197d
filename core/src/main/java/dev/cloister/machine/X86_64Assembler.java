package dev.cloister.machine;

import java.util.ArrayList;
import java.util.List;

/**
 * Encodes for x86_64 (Intel SDM volume 2). Registers follow the system-call convention of
 * syscall(2): rcx and r11 are lost in a call, the others but rax are kept.
 */
final class X86_64Assembler implements Assembler {
  private static final int RAX = 0;
  private static final int RCX = 1;
  private static final int RDX = 2;
  private static final int RSP = 4;

  private final ByteBuilder code = new ByteBuilder();
  private final List<Code.Reference> references = new ArrayList<>();
  private final List<Label> labels = new ArrayList<>();
  private final ShortJumps jumps = new ShortJumps();

  private static int number(Register register) {
    return switch (register) {
      case A0 -> 7; // rdi
      case A1 -> 6; // rsi
      case A2 -> RDX;
      case A3 -> 10; // r10
      case A4 -> 8;
      case A5 -> 9;
      case RESULT -> RAX;
      case SCRATCH -> RCX;
      case V0 -> 3; // rbx
      case V1 -> 5; // rbp
      case V2 -> 12;
      case V3 -> 13;
      case V4 -> 14;
      case V5 -> 15;
    };
  }

  @Override
  public void place(Label label) {
    labels.add(label.place(Label.Section.TEXT, code.size()));
  }

  @Override
  public void set(Register to, long value) {
    int register = number(to);
    if (value == 0) {
      // Zeroes all 64 bits: 32-bit operations clear the upper half.
      rex(false, register, register).u8(0x31).u8(direct(register, register));
    } else if (value == (byte) value) {
      // push and pop, which extend the sign: shorter than any mov.
      code.u8(0x6a).u8((int) value);
      rex(false, 0, register).u8(0x58 + (register & 7));
    } else if (value == (value & 0xffff_ffffL)) {
      rex(false, 0, register).u8(0xb8 + (register & 7)).u32((int) value);
    } else if (value == (int) value) {
      rex(true, 0, register).u8(0xc7).u8(direct(0, register)).u32((int) value);
    } else {
      rex(true, 0, register).u8(0xb8 + (register & 7)).u64(value);
    }
  }

  @Override
  public void copy(Register to, Register from) {
    registers(0x89, from, to);
  }

  @Override
  public void address(Register to, Label label) {
    // An executable lies in the first 2 GiB, so that an address needs no more than 32 bits.
    rex(false, 0, number(to)).u8(0xb8 + (number(to) & 7));
    references.add(
        new Code.Reference(
            code.size(),
            label,
            (bytes, position, _, address) ->
                ByteBuilder.patch32(bytes, position, Math.toIntExact(address))));
    code.u32(0);
  }

  @Override
  public void load(Register to, Register base, int offset, Width width) {
    int register = number(to);
    int address = number(base);
    switch (width) {
      case BYTE -> rex(false, register, address).u8(0x0f).u8(0xb6);
      case HALF -> rex(false, register, address).u8(0x0f).u8(0xb7);
      case WORD -> rex(false, register, address).u8(0x8b);
      case DOUBLE -> rex(true, register, address).u8(0x8b);
    }
    memory(register, address, offset);
  }

  @Override
  public void load(Register to, Label label) {
    address(Register.SCRATCH, label);
    load(to, Register.SCRATCH, 0, Width.DOUBLE);
  }

  @Override
  public void store(Register base, int offset, Register from, Width width) {
    int register = number(from);
    int address = number(base);
    switch (width) {
      // Always with a REX prefix: without one, rsi and rdi would be read as dh and bh.
      case BYTE -> code.u8(0x40 | (register >> 3) << 2 | address >> 3).u8(0x88);
      case HALF -> {
        code.u8(0x66);
        rex(false, register, address).u8(0x89);
      }
      case WORD -> rex(false, register, address).u8(0x89);
      case DOUBLE -> rex(true, register, address).u8(0x89);
    }
    memory(register, address, offset);
  }

  @Override
  public void add(Register to, int value) {
    immediate(0, number(to), value);
  }

  @Override
  public void add(Register to, Register value) {
    registers(0x01, value, to);
  }

  @Override
  public void subtract(Register to, Register value) {
    registers(0x29, value, to);
  }

  @Override
  public void negate(Register to) {
    rex(true, 0, number(to)).u8(0xf7).u8(direct(3, number(to)));
  }

  @Override
  public void and(Register to, int value) {
    immediate(4, number(to), value);
  }

  @Override
  public void shiftLeft(Register to, int bits) {
    rex(true, 0, number(to)).u8(0xc1).u8(direct(4, number(to))).u8(bits);
  }

  @Override
  public void shiftRight(Register to, int bits) {
    rex(true, 0, number(to)).u8(0xc1).u8(direct(5, number(to))).u8(bits);
  }

  @Override
  public void divide(int divisor) {
    set(Register.SCRATCH, divisor);
    set(Register.A2, 0);
    rex(true, 0, RCX).u8(0xf7).u8(direct(6, RCX));
  }

  @Override
  public void branch(Condition condition, Register left, Register right, Label target) {
    registers(0x39, right, left);
    jumpIf(condition, target);
  }

  @Override
  public void branch(Condition condition, Register left, int right, Label target) {
    if (right == 0) {
      registers(0x85, left, left); // test: sets the flags that cmp with 0 sets
    } else {
      immediate(7, number(left), right);
    }
    jumpIf(condition, target);
  }

  private void jumpIf(Condition condition, Label target) {
    int code8 =
        switch (condition) {
          case EQUAL -> 0x84;
          case NOT_EQUAL -> 0x85;
          case LESS -> 0x8c;
          case GREATER_OR_EQUAL -> 0x8d;
          case BELOW -> 0x82;
          case ABOVE_OR_EQUAL -> 0x83;
        };
    jumps.add(code.size(), target);
    code.u8(0x0f).u8(code8);
    relative(target);
  }

  @Override
  public void jump(Label target) {
    jumps.add(code.size(), target);
    code.u8(0xe9);
    relative(target);
  }

  @Override
  public void call(Label target) {
    code.u8(0xe8);
    relative(target);
  }

  @Override
  public void enter() {
    // The call instruction itself keeps the return address on the stack.
  }

  @Override
  public void leave() {
    code.u8(0xc3);
  }

  @Override
  public void stackPointer(Register to) {
    rex(true, RSP, number(to)).u8(0x89).u8(direct(RSP, number(to)));
  }

  @Override
  public void reserveStack(Register bytes) {
    rex(true, number(bytes), RSP).u8(0x29).u8(direct(number(bytes), RSP));
  }

  @Override
  public void systemCall(int number) {
    set(Register.RESULT, number);
    code.u8(0x0f).u8(0x05);
  }

  @Override
  public void trap() {
    code.u8(0x0f).u8(0x0b);
  }

  @Override
  public Code finish(boolean small) {
    return small
        ? jumps.shorten(code.toArray(), references, labels)
        : new Code(code.toArray(), references);
  }

  /** REX prefix, where one is needed; {@code wide} makes the operation 64 bits wide. */
  private ByteBuilder rex(boolean wide, int register, int base) {
    int prefix = (wide ? 8 : 0) | (register >> 3) << 2 | base >> 3;
    return prefix == 0 ? code : code.u8(0x40 | prefix);
  }

  private static int direct(int register, int other) {
    return 0xc0 | (register & 7) << 3 | (other & 7);
  }

  private void registers(int opcode, Register register, Register other) {
    rex(true, number(register), number(other))
        .u8(opcode)
        .u8(direct(number(register), number(other)));
  }

  /** An arithmetic operation with an immediate, in its short form where the value fits. */
  private void immediate(int operation, int register, int value) {
    rex(true, 0, register);
    if (value == (byte) value) {
      code.u8(0x83).u8(direct(operation, register)).u8(value);
    } else {
      code.u8(0x81).u8(direct(operation, register)).u32(value);
    }
  }

  /** ModRM with a displacement; rsp and r12 need a SIB byte to be a base. */
  private void memory(int register, int base, int offset) {
    // rbp and r13 have no form without a displacement.
    boolean isNone = offset == 0 && (base & 7) != 5;
    boolean isShort = offset == (byte) offset;
    int mode = isNone ? 0 : isShort ? 0x40 : 0x80;
    code.u8(mode | (register & 7) << 3 | (base & 7));
    if ((base & 7) == RSP) {
      code.u8(0x24);
    }
    if (isNone) {
      return;
    }
    if (isShort) {
      code.u8(offset);
    } else {
      code.u32(offset);
    }
  }

  private void relative(Label target) {
    references.add(
        new Code.Reference(
            code.size(),
            target,
            // Counted from the end of the instruction, which is the end of these four bytes.
            (bytes, position, place, address) ->
                ByteBuilder.patch32(bytes, position, (int) (address - place - 4))));
    code.u32(0);
  }
}
