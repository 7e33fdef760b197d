package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the assembler writes, as an independent disassembler reads it. */
class Aarch64AssemblerTest {
  private static final long BASE = 0x42_0000;
  private static final long CONSTANTS = 0x40_0000;
  private static final long ZEROED = 0x43_0000;

  private Aarch64Assembler assembler = new Aarch64Assembler(false);
  private final List<String> expected = new ArrayList<>();

  /** Deliberately not derived from the assembler's numbers. */
  private static String name(Register register) {
    return switch (register) {
      case A0 -> "x0";
      case A1 -> "x1";
      case A2 -> "x2";
      case A3 -> "x3";
      case A4 -> "x4";
      case A5 -> "x5";
      case RESULT -> "x9";
      case SCRATCH -> "x16";
      case V0 -> "x19";
      case V1 -> "x20";
      case V2 -> "x21";
      case V3 -> "x22";
      case V4 -> "x23";
      case V5 -> "x24";
    };
  }

  private static String word(Register register) {
    return name(register).replace('x', 'w');
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }

  private void expect(String line) {
    expected.add(line);
  }

  private static long addressOf(Label label) {
    return label.offset()
        + switch (label.section()) {
          case TEXT -> BASE;
          case RODATA -> CONSTANTS;
          case BSS, RARE -> ZEROED;
        };
  }

  private void check() throws Exception {
    byte[] code = assembler.finish(/* small= */ true).link(BASE, Aarch64AssemblerTest::addressOf);
    List<String> actual = Objdump.aarch64(code, BASE).stream().map(Objdump.Line::text).toList();
    for (int i = 0; i < Math.min(actual.size(), expected.size()); i++) {
      assertEquals(expected.get(i), actual.get(i), "instruction " + i);
    }
    assertEquals(expected.size(), actual.size());
  }

  /** The address of the next instruction that is expected. */
  private long here() {
    return BASE + 4L * expected.size();
  }

  private void set(Register to, long value, String... rest) {
    assembler.set(to, value);
    for (String line : rest) {
      expect(line.replace("@", name(to)));
    }
  }

  @Test
  void setsEveryRegisterToEveryKindOfNumber() throws Exception {
    for (Register to : Register.values()) {
      for (long value : new long[] {0, 1, 0xffff, 0x10000, 0xffff_0000L, -1, -2, -0x10000}) {
        set(to, value, "mov @, #" + hex(value));
      }
      set(to, Long.MIN_VALUE, "mov @, #0x8000000000000000");
      set(to, 0x12345, "mov @, #0x2345", "movk @, #0x1, lsl #16");
      set(to, 0xffff_ffffL, "mov @, #0xffff", "movk @, #0xffff, lsl #16");
      set(to, -0x12345, "mov @, #0xffffffffffffdcbb", "movk @, #0xfffe, lsl #16");
      set(to, 0x1_0000_0001L, "mov @, #0x1", "movk @, #0x1, lsl #32");
      set(
          to,
          0x0123_4567_89ab_cdefL,
          "mov @, #0xcdef",
          "movk @, #0x89ab, lsl #16",
          "movk @, #0x4567, lsl #32",
          "movk @, #0x123, lsl #48");
    }
    check();
  }

  @Test
  void worksOnEveryPairOfRegisters() throws Exception {
    for (Register to : Register.values()) {
      for (Register from : Register.values()) {
        String pair = name(to) + ", " + name(from);
        assembler.copy(to, from);
        if (to != from) {
          expect("mov " + pair);
        }
        assembler.add(to, from);
        expect("add " + name(to) + ", " + pair);
        assembler.subtract(to, from);
        expect("sub " + name(to) + ", " + pair);
      }
      assembler.negate(to);
      expect("neg " + name(to) + ", " + name(to));
      assembler.stackPointer(to);
      expect("mov " + name(to) + ", sp");
      assembler.reserveStack(to);
      expect("sub sp, sp, " + name(to));
    }
    check();
  }

  @Test
  void calculatesWithEveryKindOfNumber() throws Exception {
    for (Register to : Register.values()) {
      String twice = name(to) + ", " + name(to) + ", ";
      assembler.add(to, 0);
      for (int value : new int[] {1, 8, 4095}) {
        assembler.add(to, value);
        expect("add " + twice + "#" + hex(value));
        assembler.add(to, -value);
        expect("sub " + twice + "#" + hex(value));
      }
      assembler.add(to, 4096);
      expect("mov x10, #0x1000");
      expect("add " + twice + "x10");
      assembler.add(to, Integer.MIN_VALUE);
      expect("mov x10, #0xffffffffffff0000");
      expect("movk x10, #0x8000, lsl #16");
      expect("add " + twice + "x10");
      for (int value : new int[] {1, 0x7f, 0xfff, Integer.MAX_VALUE, -2, -16, -4096}) {
        assembler.and(to, value);
        expect("and " + twice + "#" + hex(value));
      }
      assembler.and(to, Integer.MIN_VALUE);
      expect("and " + twice + "#0xffffffff80000000");
      assembler.and(to, -1);
      assembler.and(to, 0);
      expect("mov " + name(to) + ", #0x0");
      for (int bits : new int[] {1, 3, 31, 32, 63}) {
        assembler.shiftLeft(to, bits);
        expect("lsl " + twice + "#" + bits);
        assembler.shiftRight(to, bits);
        expect("lsr " + twice + "#" + bits);
      }
    }
    check();
    assertThrows(IllegalArgumentException.class, () -> assembler.and(Register.A0, 5));
    assertThrows(IllegalArgumentException.class, () -> assembler.and(Register.A0, -6));
  }

  @Test
  void loadsAndStoresThroughEveryRegister() throws Exception {
    for (Register register : Register.values()) {
      for (Register base : Register.values()) {
        for (Width width : Width.values()) {
          String data = width == Width.DOUBLE ? name(register) : word(register);
          String suffix = width == Width.BYTE ? "b" : width == Width.HALF ? "h" : "";
          int last = 4095 * width.bytes();
          memory(register, base, 0, width, "r" + suffix + " " + data + ", [" + name(base) + "]");
          for (int offset : new int[] {width.bytes(), last}) {
            memory(register, base, offset, width, operand("r", suffix, data, base, offset));
          }
          for (int offset : new int[] {-1, -256}) {
            memory(register, base, offset, width, operand("ur", suffix, data, base, offset));
          }
          far(register, base, last + width.bytes(), width, suffix, data);
          far(register, base, -257, width, suffix, data);
        }
      }
    }
    check();
  }

  private static String operand(
      String kind, String suffix, String data, Register base, int offset) {
    return kind + suffix + " " + data + ", [" + name(base) + ", #" + offset + "]";
  }

  private void memory(Register register, Register base, int offset, Width width, String rest) {
    assembler.load(register, base, offset, width);
    expect("ld" + rest);
    assembler.store(base, offset, register, width);
    expect("st" + rest);
  }

  private void far(
      Register register, Register base, int offset, Width width, String suffix, String data) {
    String rest = "r" + suffix + " " + data + ", [" + name(base) + ", x10]";
    assembler.load(register, base, offset, width);
    expect("mov x10, #" + hex(offset));
    expect("ld" + rest);
    assembler.store(base, offset, register, width);
    expect("mov x10, #" + hex(offset));
    expect("st" + rest);
  }

  private static String suffix(Condition condition) {
    return switch (condition) {
      case EQUAL -> "eq";
      case NOT_EQUAL -> "ne";
      case LESS -> "lt";
      case GREATER_OR_EQUAL -> "ge";
      case BELOW -> "cc";
      case ABOVE_OR_EQUAL -> "cs";
    };
  }

  private static String atZero(Condition condition, Register left, long target) {
    String operands = " " + name(left) + ", ";
    return switch (condition) {
      case EQUAL -> "cbz" + operands + hex(target);
      case NOT_EQUAL -> "cbnz" + operands + hex(target);
      case LESS -> "tbnz" + operands + "#63, " + hex(target);
      case GREATER_OR_EQUAL -> "tbz" + operands + "#63, " + hex(target);
      case BELOW, ABOVE_OR_EQUAL ->
          "cmp" + operands + "#0x0\nb." + suffix(condition) + " " + hex(target);
    };
  }

  @Test
  void comparesEveryRegisterInEveryWay() throws Exception {
    Label before = new Label();
    assembler.place(before);
    for (Condition condition : Condition.values()) {
      String branch = "b." + suffix(condition) + " " + hex(BASE);
      for (Register left : Register.values()) {
        for (Register right : Register.values()) {
          assembler.branch(condition, left, right, before);
          expect("cmp " + name(left) + ", " + name(right));
          expect(branch);
        }
        for (int value : new int[] {1, 4095, -1, -4095}) {
          assembler.branch(condition, left, value, before);
          String compare = value < 0 ? "cmn " : "cmp ";
          expect(compare + name(left) + ", #" + hex(Math.abs(value)));
          expect(branch);
        }
        assembler.branch(condition, left, 0x10000, before);
        expect("mov x10, #0x10000");
        expect("cmp " + name(left) + ", x10");
        expect(branch);
        assembler.branch(condition, left, 0, before);
        expected.addAll(List.of(atZero(condition, left, BASE).split("\n", -1)));
      }
    }
    check();
  }

  @Test
  void findsLabelsBeforeAndBehind() throws Exception {
    Label constant = new Label().place(Label.Section.RODATA, 25);
    Label zeroed = new Label().place(Label.Section.BSS, 0xf000);
    Label after = new Label();
    for (Register to : Register.values()) {
      for (Label label : List.of(constant, zeroed)) {
        assembler.address(to, label);
        expect("adr " + name(to) + ", " + hex(addressOf(label)));
      }
      assembler.load(to, zeroed);
      expect("ldr " + name(to) + ", " + hex(addressOf(zeroed)));
    }
    assembler.jump(after);
    expect("b " + hex(here() + 8));
    assembler.call(after);
    expect("bl " + hex(here() + 4));
    assembler.place(after);
    assembler.jump(after);
    expect("b " + hex(here()));
    check();
  }

  /** The conditions are inverted, to jump over an instruction that reaches everything. */
  @Test
  void reachesFarInItsFarForms() throws Exception {
    assembler = new Aarch64Assembler(true);
    Label zeroed = new Label().place(Label.Section.BSS, 0x1234_5678);
    Label target = new Label();
    assembler.place(target);
    assembler.address(Register.A1, zeroed);
    expect("adrp x1, " + hex((ZEROED + 0x1234_5678) & -4096));
    expect("add x1, x1, #0x678");
    assembler.load(Register.V0, zeroed);
    expect("adrp x16, " + hex((ZEROED + 0x1234_5678) & -4096));
    expect("add x16, x16, #0x678");
    expect("ldr x19, [x16]");
    for (Condition condition : Condition.values()) {
      assembler.branch(condition, Register.V0, Register.V1, target);
      expect("cmp x19, x20");
      expect("b." + suffix(opposite(condition)) + " " + hex(here() + 8));
      expect("b " + hex(BASE));
      assembler.branch(condition, Register.V0, 0, target);
      if (condition == Condition.BELOW || condition == Condition.ABOVE_OR_EQUAL) {
        expect("cmp x19, #0x0");
      }
      String over = atZero(opposite(condition), Register.V0, here() + 8);
      expect(over.substring(over.indexOf('\n') + 1));
      expect("b " + hex(BASE));
    }
    check();
  }

  private static Condition opposite(Condition condition) {
    return switch (condition) {
      case EQUAL -> Condition.NOT_EQUAL;
      case NOT_EQUAL -> Condition.EQUAL;
      case LESS -> Condition.GREATER_OR_EQUAL;
      case GREATER_OR_EQUAL -> Condition.LESS;
      case BELOW -> Condition.ABOVE_OR_EQUAL;
      case ABOVE_OR_EQUAL -> Condition.BELOW;
    };
  }

  @Test
  void saysWhereANearFormDoesNotReach() {
    assembler.address(Register.A0, new Label().place(Label.Section.BSS, 1 << 20));
    Code address = assembler.finish(/* small= */ true);
    assertThrows(
        Aarch64Assembler.OutOfReach.class,
        () -> address.link(BASE, Aarch64AssemblerTest::addressOf));
    assembler = new Aarch64Assembler(false);
    Label far = new Label();
    assembler.branch(Condition.LESS, Register.A0, 0, far);
    for (int i = 0; i < 1 << 13; i++) {
      assembler.trap();
    }
    assembler.place(far);
    Code branch = assembler.finish(/* small= */ true);
    assertThrows(
        Aarch64Assembler.OutOfReach.class,
        () -> branch.link(BASE, Aarch64AssemblerTest::addressOf));
  }

  @Test
  void dividesAndCallsTheSystem() throws Exception {
    assembler.divide(10);
    expected.addAll(
        List.of("mov x16, #0xa", "udiv x10, x9, x16", "msub x2, x10, x16, x9", "mov x9, x10"));
    assembler.systemCall(462);
    expected.addAll(List.of("mov x8, #0x1ce", "svc #0x0", "mov x9, x0"));
    assembler.enter();
    assembler.leave();
    expected.addAll(List.of("str x30, [sp, #-16]!", "ldr x30, [sp], #16", "ret"));
    assembler.trap();
    expect("udf #0");
    check();
  }
}
