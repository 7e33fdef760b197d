package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Cases;
import dev.cloister.fixture.Execution;
import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Random programs: the system's assembler writes the same, and the processor does what is meant.
 */
class AssemblerFuzzTest {
  private static final int PROGRAMS = 300;
  private static final int EXECUTED = 60;
  private static final int LENGTH = 60;

  /** Where the code is in both executables; what is outside of it is named by its address. */
  private static final long BASE = 0x40_0000;

  private static final long OUTSIDE = 0x50_0000;

  @TempDir Path directory;

  /**
   * The same instruction for both assemblers.
   *
   * @param shorter whether as(1) has a shorter form, for rax or for a shift by one, that this
   *     assembler does without
   */
  private record Step(Consumer<Assembler> write, String text, boolean shorter) {
    Step(Consumer<Assembler> write, String text) {
      this(write, text, false);
    }

    @Override
    public String toString() {
      return text.replace("\n", "; ");
    }
  }

  // The names of syscall(2), by width: the operand of as(1) is not derived from the numbers.
  private static final Map<Register, List<String>> NAMES = new EnumMap<>(Register.class);

  static {
    name(Register.A0, "dil", "di", "edi", "rdi");
    name(Register.A1, "sil", "si", "esi", "rsi");
    name(Register.A2, "dl", "dx", "edx", "rdx");
    name(Register.A3, "r10b", "r10w", "r10d", "r10");
    name(Register.A4, "r8b", "r8w", "r8d", "r8");
    name(Register.A5, "r9b", "r9w", "r9d", "r9");
    name(Register.RESULT, "al", "ax", "eax", "rax");
    name(Register.SCRATCH, "cl", "cx", "ecx", "rcx");
    name(Register.V0, "bl", "bx", "ebx", "rbx");
    name(Register.V1, "bpl", "bp", "ebp", "rbp");
    name(Register.V2, "r12b", "r12w", "r12d", "r12");
    name(Register.V3, "r13b", "r13w", "r13d", "r13");
    name(Register.V4, "r14b", "r14w", "r14d", "r14");
    name(Register.V5, "r15b", "r15w", "r15d", "r15");
  }

  private static long value(Map<Register, Long> registers, Register register) {
    return Objects.requireNonNull(registers.get(register));
  }

  private static void name(Register register, String... names) {
    NAMES.put(register, List.of(names));
  }

  private static String name(Register register, Width width) {
    return Objects.requireNonNull(NAMES.get(register))
        .get(Integer.numberOfTrailingZeros(width.bytes()));
  }

  private static String name(Register register) {
    return name(register, Width.DOUBLE);
  }

  /** Numbers near the borders of encodings more often than others. */
  private static long number(Random random) {
    return switch (random.nextInt(5)) {
      case 0 -> random.nextInt(-3, 3) + (1L << random.nextInt(64));
      case 1 -> random.nextInt(-3, 3) - (1L << random.nextInt(64));
      case 2 -> random.nextInt();
      case 3 -> random.nextInt(-300, 300);
      default -> random.nextLong();
    };
  }

  private static Register register(Random random) {
    return Cases.pick(random, Register.values());
  }

  private static String mnemonic(Condition condition) {
    return switch (condition) {
      case EQUAL -> "je";
      case NOT_EQUAL -> "jne";
      case LESS -> "jl";
      case GREATER_OR_EQUAL -> "jge";
      case BELOW -> "jb";
      case ABOVE_OR_EQUAL -> "jae";
    };
  }

  private static String size(Width width) {
    return switch (width) {
      case BYTE -> "byte ptr ";
      case HALF -> "word ptr ";
      case WORD -> "dword ptr ";
      case DOUBLE -> "qword ptr ";
    };
  }

  /**
   * {@code as} takes the shortest form of everything, this assembler too, with one exception: it
   * moves a constant with 32 bits if it has no sign. That is asked for in the text.
   */
  private static Step set(Register to, long value) {
    String text;
    if (value == 0) {
      text = "xor " + name(to, Width.WORD) + "," + name(to, Width.WORD);
    } else if (value == (byte) value) {
      text = "push " + value + "\npop " + name(to);
    } else if (value == (value & 0xffff_ffffL)) {
      text = "mov " + name(to, Width.WORD) + "," + value;
    } else if (value == (int) value) {
      text = "mov " + name(to) + "," + value;
    } else {
      text = "movabs " + name(to) + "," + value;
    }
    return new Step(asm -> asm.set(to, value), text);
  }

  private static String memory(Register base, int offset) {
    return "[" + name(base) + "+" + offset + "]";
  }

  private static Step load(Random random) {
    Register to = register(random);
    Register base = register(random);
    int offset = (int) number(random);
    Width width = Cases.pick(random, Width.values());
    String operation =
        switch (width) {
          case BYTE, HALF -> "movzx " + name(to, Width.WORD);
          case WORD, DOUBLE -> "mov " + name(to, width);
        };
    return new Step(
        asm -> asm.load(to, base, offset, width),
        operation + "," + size(width) + memory(base, offset));
  }

  private static Step store(Random random) {
    Register base = register(random);
    Register from = register(random);
    int offset = (int) number(random);
    Width width = Cases.pick(random, Width.values());
    String rex = width == Width.BYTE ? "{rex} " : "";
    return new Step(
        asm -> asm.store(base, offset, from, width),
        rex + "mov " + size(width) + memory(base, offset) + "," + name(from, width));
  }

  private static Step arithmetic(Random random) {
    Register to = register(random);
    Register other = register(random);
    int value = (int) number(random);
    int bits = random.nextInt(64);
    boolean shorter = to == Register.RESULT && value != (byte) value;
    return switch (random.nextInt(8)) {
      case 0 -> new Step(asm -> asm.copy(to, other), "mov " + name(to) + "," + name(other));
      case 1 -> new Step(asm -> asm.add(to, other), "add " + name(to) + "," + name(other));
      case 2 -> new Step(asm -> asm.subtract(to, other), "sub " + name(to) + "," + name(other));
      case 3 -> new Step(asm -> asm.negate(to), "neg " + name(to));
      case 4 -> new Step(asm -> asm.shiftLeft(to, bits), "shl " + name(to) + "," + bits, bits == 1);
      case 5 ->
          new Step(asm -> asm.shiftRight(to, bits), "shr " + name(to) + "," + bits, bits == 1);
      case 6 -> new Step(asm -> asm.and(to, value), "and " + name(to) + "," + value, shorter);
      default -> new Step(asm -> asm.add(to, value), "add " + name(to) + "," + value, shorter);
    };
  }

  private static Step other(Random random) {
    Register register = register(random);
    int divisor = random.nextInt(1, Integer.MAX_VALUE);
    int call = random.nextInt(500);
    return switch (random.nextInt(6)) {
      case 0 ->
          new Step(
              asm -> asm.divide(divisor),
              set(Register.SCRATCH, divisor).text() + "\nxor edx,edx\ndiv rcx");
      case 1 -> new Step(asm -> asm.stackPointer(register), "mov " + name(register) + ",rsp");
      case 2 -> new Step(asm -> asm.reserveStack(register), "sub rsp," + name(register));
      case 3 ->
          new Step(asm -> asm.systemCall(call), set(Register.RESULT, call).text() + "\nsyscall");
      case 4 -> new Step(Assembler::trap, "ud2");
      default -> new Step(Assembler::leave, "ret");
    };
  }

  /**
   * Refers to a label.
   *
   * @param labels in the code, and then one outside
   */
  private static Step reference(Random random, List<Label> labels, String prefix) {
    int index = random.nextInt(labels.size());
    Label label = labels.get(index);
    String target = index == labels.size() - 1 ? "outside" : prefix + index;
    Register left = register(random);
    Register right = register(random);
    Condition condition = Cases.pick(random, Condition.values());
    int value = (int) number(random);
    return switch (random.nextInt(5)) {
      case 0 -> new Step(asm -> asm.jump(label), "jmp " + target);
      case 1 -> new Step(asm -> asm.call(label), "call " + target);
      case 2 ->
          new Step(
              asm -> asm.address(left, label),
              "mov " + name(left, Width.WORD) + ",offset " + target);
      case 3 ->
          new Step(
              asm -> asm.branch(condition, left, right, label),
              "cmp " + name(left) + "," + name(right) + "\n" + mnemonic(condition) + " " + target);
      default ->
          new Step(
              asm -> asm.branch(condition, left, value, label),
              compare(left, value) + "\n" + mnemonic(condition) + " " + target,
              left == Register.RESULT && value != (byte) value);
    };
  }

  private static String compare(Register left, int value) {
    return value == 0 ? "test " + name(left) + "," + name(left) : "cmp " + name(left) + "," + value;
  }

  private static List<Step> program(Random random, String prefix) {
    List<Label> labels = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      labels.add(new Label());
    }
    List<Step> steps = new ArrayList<>();
    for (int i = 0; i < LENGTH; i++) {
      steps.add(
          switch (random.nextInt(8)) {
            case 0, 1 -> set(register(random), number(random));
            case 2 -> load(random);
            case 3 -> store(random);
            case 4, 5 -> arithmetic(random);
            case 6 -> other(random);
            default -> reference(random, labels, prefix);
          });
    }
    for (int i = 0; i < labels.size() - 1; i++) {
      Label label = labels.get(i);
      String text = prefix + i + ":";
      steps.add(random.nextInt(steps.size()), new Step(asm -> asm.place(label), text));
    }
    labels.getLast().place(Label.Section.BSS, 0);
    return steps;
  }

  /** All programs one after the other in one executable, so that branches are long too. */
  @Test
  void writesWhatTheSystemsAssemblerWrites() throws Exception {
    List<Step> steps = new ArrayList<>();
    for (int i = 0; i < Cases.times(PROGRAMS); i++) {
      steps.addAll(program(Cases.random("encodings", i), "p" + i + "_"));
    }
    steps.removeIf(Step::shorter);
    List<Integer> ends = new ArrayList<>();
    byte[] own = write(steps, ends);
    byte[] theirs = assemble(steps);
    int difference = Arrays.mismatch(own, theirs);
    if (difference >= 0) {
      int index = 0;
      while (ends.get(index) <= difference) {
        index++;
      }
      int start = index == 0 ? 0 : ends.get(index - 1);
      throw new AssertionError(
          "as(1) writes step %d, %s, as %s, and this assembler as %s"
              .formatted(index, steps.get(index), hex(theirs, start), hex(own, start)));
    }
    Cases.count("encoded instructions", steps.size());
  }

  /** Where as(1) is shorter, both are the same to a disassembler. */
  @Test
  void meansWhatTheSystemsAssemblerMeans() throws Exception {
    List<Step> steps = new ArrayList<>();
    for (int i = 0; steps.size() < Cases.times(1000); i++) {
      Step step = arithmetic(Cases.random("longer encodings", i));
      if (step.shorter()) {
        steps.add(step);
      }
    }
    assertEquals(texts(assemble(steps)), texts(write(steps, new ArrayList<>())));
    Cases.count("longer encodings", steps.size());
  }

  private static List<String> texts(byte[] code) throws IOException, InterruptedException {
    // objdump(1) writes the short form of a shift with or without its number.
    return Objdump.x8664(code, BASE).stream()
        .map(line -> line.text().replaceFirst("^(sh[lr] \\w+)(,1|,0x1)?$", "$1"))
        .toList();
  }

  private static byte[] write(List<Step> steps, List<Integer> ends) {
    X86_64Assembler assembler = new X86_64Assembler();
    List<Label> labels = new ArrayList<>();
    for (Step step : steps) {
      step.write().accept(assembler);
      Label end = new Label();
      assembler.place(end);
      labels.add(end);
    }
    Code code = assembler.finish(/* small= */ true);
    labels.forEach(label -> ends.add(label.offset()));
    return code.link(
        BASE, label -> label.section() == Label.Section.TEXT ? BASE + label.offset() : OUTSIDE);
  }

  private static String hex(byte[] code, int start) {
    int end = Math.min(start + 16, code.length);
    return java.util.HexFormat.of().formatHex(code, Math.min(start, end), end);
  }

  private byte[] assemble(List<Step> steps) throws IOException, InterruptedException {
    StringBuilder text = new StringBuilder(".intel_syntax noprefix\n.text\n");
    steps.forEach(step -> text.append(step.text()).append('\n'));
    Path source = Files.writeString(directory.resolve("program.s"), text);
    Path object = directory.resolve("program.o");
    Path linked = directory.resolve("program.elf");
    Path code = directory.resolve("program.bin");
    run("as", "--64", "-o", object.toString(), source.toString());
    run(
        "ld",
        "-Ttext=0x" + Long.toHexString(BASE),
        "--defsym=outside=0x" + Long.toHexString(OUTSIDE),
        "--entry=0",
        "-o",
        linked.toString(),
        object.toString());
    run("objcopy", "-O", "binary", "-j", ".text", linked.toString(), code.toString());
    return Files.readAllBytes(code);
  }

  private static void run(String program, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(Required.program(program)));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
  }

  /** Has no part in the arithmetic, so that the results can be written behind it. */
  private static final Register BEHIND = Register.V5;

  private static final List<Register> REGISTERS =
      Arrays.stream(Register.values()).filter(register -> register != BEHIND).toList();

  /** A step of arithmetic, and what it does to the registers. */
  private record Sum(Step step, Consumer<Map<Register, Long>> meaning) {
    @Override
    public String toString() {
      return step.toString();
    }
  }

  private static List<Sum> sums(Random random) {
    List<Sum> sums = new ArrayList<>();
    for (int i = 0; i < LENGTH; i++) {
      sums.add(sum(random));
    }
    return sums;
  }

  private static Sum sum(Random random) {
    Register to = Cases.pick(random, REGISTERS);
    Register other = Cases.pick(random, REGISTERS);
    long value = number(random);
    int narrow = (int) number(random);
    int bits = random.nextInt(64);
    int divisor = random.nextInt(1, Integer.MAX_VALUE);
    return switch (random.nextInt(9)) {
      case 0, 1 -> new Sum(set(to, value), r -> r.put(to, value));
      case 2 -> new Sum(step(asm -> asm.copy(to, other), "copy"), r -> r.put(to, value(r, other)));
      case 3 ->
          new Sum(
              step(asm -> asm.add(to, other), "add"),
              r -> r.put(to, value(r, to) + value(r, other)));
      case 4 ->
          new Sum(
              step(asm -> asm.subtract(to, other), "subtract"),
              r -> r.put(to, value(r, to) - value(r, other)));
      case 5 ->
          new Sum(
              step(asm -> asm.add(to, narrow), "add " + narrow),
              r -> r.put(to, value(r, to) + narrow));
      case 6 ->
          new Sum(
              step(
                  asm -> {
                    asm.negate(to);
                    asm.shiftLeft(other, bits);
                  },
                  "negate, shift left " + bits),
              r -> {
                r.put(to, -value(r, to));
                r.put(other, value(r, other) << bits);
              });
      case 7 ->
          new Sum(
              step(
                  asm -> {
                    asm.shiftRight(to, bits);
                    asm.and(other, (1 << bits % 31) - 1);
                  },
                  "shift right, and " + bits),
              r -> {
                r.put(to, value(r, to) >>> bits);
                r.put(other, value(r, other) & (1L << bits % 31) - 1);
              });
      default ->
          new Sum(
              step(asm -> asm.divide(divisor), "divide " + divisor),
              r -> {
                long dividend = value(r, Register.RESULT);
                r.put(Register.RESULT, Long.divideUnsigned(dividend, divisor));
                r.put(Register.A2, Long.remainderUnsigned(dividend, divisor));
                r.put(Register.SCRATCH, (long) divisor);
              });
    };
  }

  private static Step step(Consumer<Assembler> write, String text) {
    return new Step(write, text);
  }

  @ParameterizedTest
  @EnumSource
  void theProcessorComputesTheSame(Architecture architecture) throws Exception {
    Cases.check(
        "executed arithmetic on " + architecture,
        EXECUTED,
        AssemblerFuzzTest::sums,
        Cases::withoutOne,
        sums -> {
          Map<Register, Long> expected = new EnumMap<>(Register.class);
          REGISTERS.forEach(register -> expected.put(register, 0L));
          sums.forEach(sum -> sum.meaning().accept(expected));
          assertEquals(expected, execute(architecture, sums));
        });
  }

  /** The registers at the end, as a program writes them to its standard output. */
  private Map<Register, Long> execute(Architecture architecture, List<Sum> sums)
      throws IOException {
    Assembler asm =
        switch (architecture) {
          case X86_64 -> new X86_64Assembler();
          case AARCH64 -> new Aarch64Assembler(false);
        };
    Data data = new Data();
    Label memory = data.zeroed(8 * REGISTERS.size());
    REGISTERS.forEach(register -> asm.set(register, 0));
    sums.forEach(sum -> sum.step().write().accept(asm));
    asm.address(BEHIND, memory);
    for (int i = 0; i < REGISTERS.size(); i++) {
      asm.store(BEHIND, 8 * i, REGISTERS.get(i), Width.DOUBLE);
    }
    asm.set(Register.A0, 1);
    asm.copy(Register.A1, BEHIND);
    asm.set(Register.A2, 8L * REGISTERS.size());
    asm.systemCall(SystemCall.WRITE.number(architecture));
    asm.set(Register.A0, 0);
    asm.systemCall(SystemCall.EXIT_GROUP.number(architecture));
    Path file =
        Launcher.write(
            directory,
            ElfImage.link(
                architecture, asm.finish(/* small= */ true), data, LauncherNote.of("test")));
    Execution execution = Execution.of(file);
    if (architecture != Architecture.host()) {
      execution.through(Required.program("qemu-" + architecture.name().toLowerCase(Locale.ROOT)));
    }
    Execution.Ended ended = execution.end();
    Files.delete(file);
    assertEquals(0, ended.exit());
    ByteBuffer output = ByteBuffer.wrap(ended.output()).order(ByteOrder.LITTLE_ENDIAN);
    Map<Register, Long> values = new EnumMap<>(Register.class);
    REGISTERS.forEach(register -> values.put(register, output.getLong()));
    return values;
  }
}
