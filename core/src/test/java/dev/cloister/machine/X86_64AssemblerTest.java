package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What the assembler writes, as an independent disassembler reads it. */
class X86_64AssemblerTest {
  private static final long BASE = 0x40_0000;

  /** Where labels outside the code lie: before it, as the constants do, and behind it. */
  private static final long CONSTANTS = 0x1000;

  private static final long ZEROED = 0x7000_0000;

  /** Both sides of every border between encodings. */
  private static final long[] NUMBERS = {
    0,
    1,
    -1,
    2,
    126,
    127,
    128,
    129,
    -127,
    -128,
    -129,
    255,
    256,
    0x7fff,
    0x8000,
    0x7fff_ffffL,
    0x8000_0000L,
    -0x7fff_ffffL,
    -0x8000_0000L,
    -0x8000_0001L,
    0xffff_ffffL,
    0x1_0000_0000L,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    0x0123_4567_89ab_cdefL
  };

  private static final int[] SHORT_NUMBERS = {
    0, 1, -1, 126, 127, 128, 129, -127, -128, -129, 4096, Integer.MAX_VALUE, Integer.MIN_VALUE
  };

  private final X86_64Assembler assembler = new X86_64Assembler();
  private final List<String> expected = new ArrayList<>();

  /** Expectations that name a label are completed once it is known where the label lies. */
  private record Target(int line, Label label) {}

  private final List<Target> targets = new ArrayList<>();

  /** The names of syscall(2), by width; deliberately not derived from the assembler's numbers. */
  private static String name(Register register, Width width) {
    return switch (register) {
      case A0 -> legacy("di", width);
      case A1 -> legacy("si", width);
      case A2 -> letter("d", width);
      case A3 -> extended("r10", width);
      case A4 -> extended("r8", width);
      case A5 -> extended("r9", width);
      case RESULT -> letter("a", width);
      case SCRATCH -> letter("c", width);
      case V0 -> letter("b", width);
      case V1 -> legacy("bp", width);
      case V2 -> extended("r12", width);
      case V3 -> extended("r13", width);
      case V4 -> extended("r14", width);
      case V5 -> extended("r15", width);
    };
  }

  private static String letter(String letter, Width width) {
    return switch (width) {
      case BYTE -> letter + "l";
      case HALF -> letter + "x";
      case WORD -> "e" + letter + "x";
      case DOUBLE -> "r" + letter + "x";
    };
  }

  private static String legacy(String name, Width width) {
    return switch (width) {
      case BYTE -> name + "l";
      case HALF -> name;
      case WORD -> "e" + name;
      case DOUBLE -> "r" + name;
    };
  }

  private static String extended(String name, Width width) {
    return switch (width) {
      case BYTE -> name + "b";
      case HALF -> name + "w";
      case WORD -> name + "d";
      case DOUBLE -> name;
    };
  }

  private static String name(Register register) {
    return name(register, Width.DOUBLE);
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }

  private static String memory(Register base, int offset) {
    if (offset == 0 && base != Register.V1 && base != Register.V3) {
      return "[" + name(base) + "]";
    }
    String sign = offset < 0 ? "-" : "+";
    return "[" + name(base) + sign + hex(Math.abs((long) offset)) + "]";
  }

  private static String size(Width width) {
    return switch (width) {
      case BYTE -> "BYTE PTR ";
      case HALF -> "WORD PTR ";
      case WORD -> "DWORD PTR ";
      case DOUBLE -> "QWORD PTR ";
    };
  }

  private void expect(String operation, String... operands) {
    String list = String.join(",", operands);
    expected.add(operands.length == 0 ? operation : operation + " " + list);
  }

  private void expectTarget(String start, Label label) {
    targets.add(new Target(expected.size(), label));
    expected.add(start);
  }

  private void set(Register to, long value) {
    assembler.set(to, value);
    expectSet(to, value);
  }

  private void expectSet(Register to, long value) {
    String half = name(to, Width.WORD);
    if (value == 0) {
      expect("xor", half, half);
    } else if (value == (byte) value) {
      expect("push", hex(value));
      expect("pop", name(to));
    } else if (value > 0 && value <= 0xffff_ffffL) {
      expect("mov", half, hex(value));
    } else if (value < 0 && value >= Integer.MIN_VALUE) {
      expect("mov", name(to), hex(value));
    } else {
      expect("movabs", name(to), hex(value));
    }
  }

  private void copy(Register to, Register from) {
    assembler.copy(to, from);
    expect("mov", name(to), name(from));
  }

  private void address(Register to, Label label) {
    assembler.address(to, label);
    expectTarget("mov " + name(to, Width.WORD) + ",", label);
  }

  private void load(Register to, Register base, int offset, Width width) {
    assembler.load(to, base, offset, width);
    boolean extends32 = width == Width.BYTE || width == Width.HALF;
    expect(
        extends32 ? "movzx" : "mov",
        name(to, width == Width.DOUBLE ? Width.DOUBLE : Width.WORD),
        size(width) + memory(base, offset));
  }

  private void store(Register base, int offset, Register from, Width width) {
    assembler.store(base, offset, from, width);
    expect("mov", size(width) + memory(base, offset), name(from, width));
  }

  private void add(Register to, int value) {
    assembler.add(to, value);
    expect("add", name(to), hex(value));
  }

  private void add(Register to, Register value) {
    assembler.add(to, value);
    expect("add", name(to), name(value));
  }

  private void subtract(Register to, Register value) {
    assembler.subtract(to, value);
    expect("sub", name(to), name(value));
  }

  private void negate(Register to) {
    assembler.negate(to);
    expect("neg", name(to));
  }

  private void and(Register to, int value) {
    assembler.and(to, value);
    expect("and", name(to), hex(value));
  }

  private void shift(Register to, int bits, boolean left) {
    if (left) {
      assembler.shiftLeft(to, bits);
    } else {
      assembler.shiftRight(to, bits);
    }
    expect(left ? "shl" : "shr", name(to), hex(bits));
  }

  private void divide(int divisor) {
    assembler.divide(divisor);
    expectSet(Register.SCRATCH, divisor);
    expect("xor", "edx", "edx");
    expect("div", "rcx");
  }

  private static String jump(Condition condition) {
    return switch (condition) {
      case EQUAL -> "je";
      case NOT_EQUAL -> "jne";
      case LESS -> "jl";
      case GREATER_OR_EQUAL -> "jge";
      case BELOW -> "jb";
      case ABOVE_OR_EQUAL -> "jae";
    };
  }

  private void branch(Condition condition, Register left, Register right, Label target) {
    assembler.branch(condition, left, right, target);
    expect("cmp", name(left), name(right));
    expectTarget(jump(condition), target);
  }

  private void branch(Condition condition, Register left, int right, Label target) {
    assembler.branch(condition, left, right, target);
    if (right == 0) {
      expect("test", name(left), name(left));
    } else {
      expect("cmp", name(left), hex(right));
    }
    expectTarget(jump(condition), target);
  }

  private void jump(Label target) {
    assembler.jump(target);
    expectTarget("jmp", target);
  }

  private void call(Label target) {
    assembler.call(target);
    expectTarget("call", target);
  }

  private void stack(Register register, boolean read) {
    if (read) {
      assembler.stackPointer(register);
      expect("mov", name(register), "rsp");
    } else {
      assembler.reserveStack(register);
      expect("sub", "rsp", name(register));
    }
  }

  private void systemCall(int number) {
    assembler.systemCall(number);
    expectSet(Register.RESULT, number);
    expect("syscall");
  }

  private void leave() {
    assembler.enter();
    assembler.leave();
    expect("ret");
  }

  private void trap() {
    assembler.trap();
    expect("ud2");
  }

  private static long addressOf(Label label) {
    return label.offset()
        + switch (label.section()) {
          case TEXT -> BASE;
          case RODATA -> CONSTANTS;
          case BSS, RARE -> ZEROED;
        };
  }

  /** Compares the whole of what was assembled. */
  private void check() throws Exception {
    byte[] code = assembler.finish(/* small= */ true).link(BASE, X86_64AssemblerTest::addressOf);
    List<Objdump.Line> lines = Objdump.x8664(code, BASE);
    for (Target target : targets) {
      String start = expected.get(target.line());
      long address = addressOf(target.label());
      expected.set(target.line(), start + (start.endsWith(",") ? "" : " ") + hex(address));
    }
    List<String> actual = lines.stream().map(Objdump.Line::text).toList();
    for (int i = 0; i < Math.min(actual.size(), expected.size()); i++) {
      assertEquals(expected.get(i), actual.get(i), "instruction " + i);
    }
    assertEquals(expected.size(), actual.size());
  }

  @Test
  void setsEveryRegisterToEveryKindOfNumber() throws Exception {
    for (Register register : Register.values()) {
      for (long number : NUMBERS) {
        set(register, number);
      }
    }
    check();
  }

  @Test
  void worksOnEveryPairOfRegisters() throws Exception {
    for (Register left : Register.values()) {
      for (Register right : Register.values()) {
        copy(left, right);
        add(left, right);
        subtract(left, right);
      }
      negate(left);
      stack(left, true);
      stack(left, false);
    }
    check();
  }

  @Test
  void calculatesWithEveryKindOfNumber() throws Exception {
    for (Register register : Register.values()) {
      for (int number : SHORT_NUMBERS) {
        add(register, number);
        and(register, number);
      }
      for (int bits : new int[] {1, 2, 3, 8, 31, 32, 63}) {
        shift(register, bits, true);
        shift(register, bits, false);
      }
    }
    check();
  }

  /** rsp and r12 as a base need another byte, rbp and r13 have no form without a displacement. */
  @Test
  void loadsAndStoresThroughEveryRegister() throws Exception {
    for (Width width : Width.values()) {
      for (Register register : Register.values()) {
        for (Register base : Register.values()) {
          for (int offset : SHORT_NUMBERS) {
            load(register, base, offset, width);
            store(base, offset, register, width);
          }
        }
      }
    }
    check();
  }

  @Test
  void comparesEveryRegisterInEveryWay() throws Exception {
    Label before = new Label();
    assembler.place(before);
    Label after = new Label();
    for (Condition condition : Condition.values()) {
      for (Register left : Register.values()) {
        for (Register right : Register.values()) {
          branch(condition, left, right, left.compareTo(right) < 0 ? before : after);
        }
        for (int number : SHORT_NUMBERS) {
          branch(condition, left, number, number % 2 == 0 ? before : after);
        }
      }
    }
    assembler.place(after);
    trap();
    check();
  }

  @Test
  void findsLabelsBeforeAndBehind() throws Exception {
    Label before = new Label();
    Label here = new Label();
    Label after = new Label();
    Label constant = new Label().place(Label.Section.RODATA, 24);
    Label zeroed = new Label().place(Label.Section.BSS, 4096);
    trap();
    assembler.place(before);
    leave();
    for (Register register : Register.values()) {
      for (Label label : List.of(before, after, constant, zeroed)) {
        address(register, label);
      }
    }
    for (Label label : List.of(before, after)) {
      jump(label);
      call(label);
    }
    assembler.place(here);
    jump(here);
    assembler.place(after);
    trap();
    check();
  }

  @Test
  void dividesAndCallsTheSystem() throws Exception {
    for (int divisor : new int[] {1, 10, 127, 128, Integer.MAX_VALUE}) {
      divide(divisor);
    }
    for (int number : new int[] {0, 1, 127, 128, 462}) {
      systemCall(number);
    }
    check();
  }

  /** What no list of cases thinks of: long mixtures, and labels far away. */
  @Test
  void randomProgramsReadAsTheyWereWritten() throws Exception {
    Random random = new Random(20_260_801);
    List<Label> labels = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      labels.add(new Label());
    }
    for (Label label : labels) {
      assembler.place(label);
      for (int i = 0; i < 40; i++) {
        random(random, any(random, labels));
      }
    }
    check();
  }

  private static <T> T any(Random random, List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }

  private static int number(Random random) {
    return random.nextBoolean()
        ? SHORT_NUMBERS[random.nextInt(SHORT_NUMBERS.length)]
        : random.nextInt() >> random.nextInt(32);
  }

  private void random(Random random, Label label) {
    Register one = any(random, List.of(Register.values()));
    Register other = any(random, List.of(Register.values()));
    Condition condition = any(random, List.of(Condition.values()));
    Width width = any(random, List.of(Width.values()));
    switch (random.nextInt(19)) {
      case 0 -> set(one, random.nextLong() >> random.nextInt(64));
      case 1 -> copy(one, other);
      case 2 -> address(one, label);
      case 3 -> load(one, other, number(random), width);
      case 4 -> store(one, number(random), other, width);
      case 5 -> add(one, number(random));
      case 6 -> add(one, other);
      case 7 -> subtract(one, other);
      case 8 -> negate(one);
      case 9 -> and(one, number(random));
      case 10 -> shift(one, 1 + random.nextInt(63), random.nextBoolean());
      case 11 -> divide(1 + random.nextInt(Integer.MAX_VALUE));
      case 12 -> branch(condition, one, other, label);
      case 13 -> branch(condition, one, number(random), label);
      case 14 -> jump(label);
      case 15 -> call(label);
      case 16 -> stack(one, random.nextBoolean());
      case 17 -> systemCall(random.nextInt(500));
      default -> leave();
    }
  }

  @Test
  void aLabelIsPlacedExactlyOnce() {
    Label label = new Label();
    assembler.jump(label);
    Code code = assembler.finish(/* small= */ true);
    assertThrows(
        IllegalStateException.class, () -> code.link(BASE, X86_64AssemblerTest::addressOf));
    assembler.place(label);
    assertThrows(IllegalStateException.class, () -> assembler.place(label));
  }

  @Test
  void registersHaveTheNamesOfTheirOrder() {
    for (int i = 0; i < 6; i++) {
      assertEquals("a" + i, Register.argument(i).name().toLowerCase(Locale.ROOT));
    }
  }
}
