package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Cases;
import dev.cloister.fixture.Execution;
import dev.cloister.fixture.Required;
import dev.cloister.program.Buffer;
import dev.cloister.program.CText;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Listing;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.OsString;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Random programs of harmless calls end as planned, and name the step that failed. */
class ProgramFuzzTest {
  private static final int PROGRAMS = 120;
  private static final int EMULATED = 40;
  private static final int MAX_CALLS = 30;

  @TempDir Path directory;

  /** A call, and whether it ends the program with a report. */
  private record Planned(Call call, boolean fails) {
    @Override
    public String toString() {
      return (fails ? "fails: " : "") + call;
    }
  }

  private static List<Planned> program(Random random) {
    List<Planned> planned = new ArrayList<>();
    for (int left = 1 + random.nextInt(MAX_CALLS); left > 0; left--) {
      planned.add(planned(random));
    }
    return planned;
  }

  private static Planned planned(Random random) {
    Slot slot = new Slot("slot" + random.nextInt(3));
    boolean fails = random.nextInt(20) == 0;
    Call bad =
        Call.of(SystemCall.CLOSE, Operand.of(random.nextInt(100_000, 200_000)))
            .hint(Errno.EBADF, "x".repeat(random.nextInt(1, 300)));
    Call instead = Call.of(SystemCall.GETPID).into(slot);
    return switch (random.nextInt(8)) {
      case 0 -> new Planned(fails ? bad : bad.tolerate(Errno.EBADF), fails);
      case 1 -> {
        Call missing = missing(random, slot);
        yield new Planned(
            fails ? missing : missing.recover(Errno.ENOENT, List.of(instead, instead)), fails);
      }
      case 2 -> new Planned(bad.until(Errno.EBADF), false);
      case 3 -> new Planned(bad.retry(Errno.EBADF).tolerate(Errno.EBADF), false);
      case 4 -> new Planned(structured(slot), false);
      case 5 -> {
        Buffer buffer = new Buffer("buffer", 4096);
        Call call = Call.of(SystemCall.GETCWD, Operand.of(buffer), Operand.of(4096));
        yield new Planned(call.into(slot), false);
      }
      default -> new Planned(instead, false);
    };
  }

  private static Call missing(Random random, Slot slot) {
    OsString path = OsString.of("/nowhere/" + "n\n\"\u00e9".repeat(random.nextInt(40)));
    return Call.of(
            SystemCall.OPENAT,
            Operand.of(LinuxConstant.AT_FDCWD),
            Operand.of(path),
            Operand.of(LinuxConstant.O_RDONLY, LinuxConstant.O_CLOEXEC))
        .into(slot);
  }

  private static Call structured(Slot slot) {
    Map<StructField, Operand> how =
        Map.of(
            StructField.OPEN_HOW_FLAGS, Operand.of(LinuxConstant.O_PATH, LinuxConstant.O_CLOEXEC));
    return Call.of(
            SystemCall.OPENAT2,
            Operand.of(LinuxConstant.AT_FDCWD),
            Operand.of("."),
            Operand.of(LinuxStruct.OPEN_HOW, how),
            Operand.of(LinuxStruct.OPEN_HOW.size()))
        .into(slot);
  }

  @Test
  void endsAsPlannedAndNamesTheStep() throws Exception {
    check(
        "executed programs",
        PROGRAMS,
        ProgramFuzzTest::program,
        Launcher.options(),
        UnaryOperator.identity());
  }

  /** The emulator that stands in for the kernel, too, knows all of these calls but one. */
  private static List<Planned> emulated(Random random) {
    return program(random).stream()
        .map(
            planned ->
                planned.call().call() == SystemCall.OPENAT2
                    ? new Planned(Call.of(SystemCall.GETPID), false)
                    : planned)
        .toList();
  }

  /** On a processor that is emulated. */
  @Test
  void doesTheSameOnAarch64() throws Exception {
    String emulator = Required.program("qemu-aarch64");
    check(
        "executed programs for aarch64",
        EMULATED,
        ProgramFuzzTest::emulated,
        ProgramCompiler.Options.plain(Architecture.AARCH64, Reporting.TEXT, Launcher.VERSION),
        execution -> execution.through(emulator));
  }

  private void check(
      String what,
      int programs,
      Function<Random, List<Planned>> generator,
      ProgramCompiler.Options options,
      UnaryOperator<Execution> processor)
      throws Exception {
    Cases.check(
        what,
        programs,
        generator,
        Cases::withoutOne,
        planned -> {
          List<Instruction> calls = new ArrayList<>();
          planned.forEach(one -> calls.add(one.call()));
          SyscallProgram program = new SyscallProgram("test", calls).ending();
          isNumbered(program);
          Path file = Launcher.write(directory, ProgramCompiler.compile(program, options));
          Execution.Ended ended = processor.apply(Execution.of(file, "command")).end();
          Files.delete(file);
          judge(planned, ended);
        });
  }

  private static void isNumbered(SyscallProgram program) {
    List<String> lines = Listing.of(program, OsString.of("command"));
    assertEquals(program.steps().size(), lines.size());
    for (int i = 0; i < lines.size(); i++) {
      String call = CText.assignment(program.steps().get(i));
      assertEquals("%4d  %s".formatted(i + 1, call), lines.get(i));
    }
  }

  private static void judge(List<Planned> planned, Execution.Ended ended) {
    for (int i = 0; i < planned.size(); i++) {
      if (planned.get(i).fails()) {
        assertEquals(125, ended.exit(), ended.error());
        String start =
            "cloister: test: step %d of %d: %s: "
                .formatted(i + 1, planned.size(), CText.of(planned.get(i).call()));
        assertTrue(ended.error().startsWith(start), ended.error());
        return;
      }
    }
    assertEquals(0, ended.exit(), ended.error());
    assertEquals("", ended.error());
  }
}
