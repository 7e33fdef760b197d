package dev.cloister.program;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Golden;
import dev.cloister.program.Instruction.Call;
import dev.cloister.spec.EnvironmentRules;
import dev.cloister.spec.OsString;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Programs as a person reads them. */
class ListingTest {
  private static final OsString COMMAND = OsString.of("command");
  private static final Slot STARTED = new Slot("started");

  private static Call chdir(String path) {
    return Call.of(SystemCall.CHDIR, Operand.of(path));
  }

  @Test
  void numbersCallsAsMessagesDo() throws Exception {
    Call call =
        chdir("/a").recover(Errno.ENOENT, List.of(chdir("/not listed"))).hint(Errno.EIO, "");
    SyscallProgram inner =
        new SyscallProgram(
            "inner",
            List.of(
                chdir("/inside"), new Instruction.ExecuteCommand(Instruction.SearchPath.COMMAND)));
    SyscallProgram program =
        new SyscallProgram(
            "test",
            List.of(
                call,
                new Instruction.FilterEnvironment(EnvironmentRules.INHERIT.clear()),
                Call.of(
                        SystemCall.WRITE,
                        Operand.of(3),
                        new Operand.Image(inner),
                        new Operand.ImageSize(inner))
                    .into(new Slot("written")),
                new Instruction.ProtectVariable("PWD"),
                new Instruction.EnterHome(),
                Instruction.Supervise.of(
                        List.of(
                            chdir("/child"),
                            new Instruction.ExecuteProgram(
                                OsString.of("/usr/bin/bwrap"),
                                List.of(OsString.of("bwrap"), OsString.of("--dir \"x\"")))))
                    .through(new Instruction.Supervise.Started(STARTED, ""))));
    Golden.check("listing", Listing.of(program, COMMAND));
    assertEquals(4, program.steps().size());
    assertEquals(3, program.ownSteps());
  }

  private static String last(Instruction.SearchPath path, String command) {
    SyscallProgram program =
        new SyscallProgram("test", List.of(new Instruction.ExecuteCommand(path)));
    return Listing.of(program, OsString.of(command)).getLast().strip();
  }

  @Test
  void saysWhereTheCommandIsSearched() {
    String execute = "execve(\"sh\", arguments, environment)";
    assertEquals(
        execute + "  # found through the caller's PATH", last(Instruction.SearchPath.CALLER, "sh"));
    assertEquals(
        execute + "  # found through the new PATH, inside",
        last(Instruction.SearchPath.COMMAND, "sh"));
    assertEquals(
        "execve(\"./sh\", arguments, environment)", last(Instruction.SearchPath.COMMAND, "./sh"));
  }

  @Test
  void writesOperandsAsC() {
    Call call =
        Call.of(
                SystemCall.OPENAT2,
                Operand.of(LinuxConstant.AT_FDCWD),
                Operand.of(OsString.ofBytes(new byte[] {'"', 1, (byte) 0xff, '\\', '\n'})),
                Operand.of(
                    LinuxStruct.OPEN_HOW,
                    Map.of(
                        StructField.OPEN_HOW_FLAGS,
                        Operand.of(LinuxConstant.O_PATH, LinuxConstant.O_CLOEXEC))),
                Operand.NULL,
                new Operand.Flags(List.of()),
                new Operand.ResultAddress(STARTED))
            .into(STARTED);
    assertEquals(
        "openat2(AT_FDCWD, \"\\\"\\001\\377\\\\\\n\", {flags=O_PATH|O_CLOEXEC}, NULL, 0, &started)",
        CText.of(call));
    assertEquals("started = " + CText.of(call), CText.assignment(call));
    assertEquals(
        "read(started, buffer)",
        CText.of(
            Call.of(SystemCall.READ, Operand.of(STARTED), Operand.of(new Buffer("buffer", 4)))));
  }

  @Test
  void aProgramThatRemovesItsFileHasOneStepMore() {
    SyscallProgram program = new SyscallProgram("test", List.of(chdir("/a")));
    SyscallProgram removing = program.removing(OsString.of("/run/file"));
    assertEquals(
        List.of("   1  unlinkat(AT_FDCWD, \"/run/file\", 0)", "   2  chdir(\"/a\")"),
        Listing.of(removing, COMMAND));
  }
}
