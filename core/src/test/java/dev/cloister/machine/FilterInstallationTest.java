package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Execution;
import dev.cloister.fixture.Execution.Ended;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Listing;
import dev.cloister.program.Operand;
import dev.cloister.program.SyscallProgram;
import dev.cloister.seccomp.BpfProgram;
import dev.cloister.seccomp.DefaultProfile;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SeccompFilter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Filters as operands: what the kernel is given is what was asked for. */
class FilterInstallationTest {
  private static final int EBUSY_NUMBER = 16;

  @TempDir Path directory;

  private static Call noNewPrivileges() {
    return Call.of(
        SystemCall.PRCTL,
        Operand.of(LinuxConstant.PR_SET_NO_NEW_PRIVS),
        Operand.of(1),
        Operand.of(0),
        Operand.of(0),
        Operand.of(0));
  }

  private static Call install(SeccompFilter filter) {
    return Call.of(
        SystemCall.SECCOMP,
        Operand.of(LinuxConstant.SECCOMP_SET_MODE_FILTER),
        Operand.of(0),
        new Operand.Filter(filter));
  }

  /** Refuses one call with an errno and lets all others through. */
  private static SeccompFilter refusing(SystemCall call, int errno) throws Exception {
    ByteBuffer code = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
    code.putLong(0x20);
    code.putInt(0x0100_0015).putInt(call.number(Launcher.options().architecture()));
    code.putInt(0x06).putInt(0x50000 | errno);
    code.putInt(0x06).putInt(0x7fff0000);
    return BpfProgram.of(code.array());
  }

  private Ended run(Instruction... instructions) throws Exception {
    return Execution.of(Launcher.of(directory, instructions), "command").end();
  }

  @Test
  void eachFilterAppliesFromThenOn() throws Exception {
    Call getcwd = Call.of(SystemCall.GETPPID);
    Call getpid = Call.of(SystemCall.GETPID);
    Ended ended =
        run(
            noNewPrivileges(),
            getpid,
            install(refusing(SystemCall.GETPPID, EBUSY_NUMBER)),
            install(refusing(SystemCall.GETPID, EBUSY_NUMBER)),
            getcwd.tolerate(dev.cloister.ffm.Errno.EBUSY),
            getpid,
            new Instruction.Exit());
    assertEquals(125, ended.exit());
    assertEquals(
        "cloister: test: step 6 of 6: getpid(): EBUSY (Device or resource busy)\n", ended.error());
  }

  @Test
  void theFirstFilterIsNotTheSecond() throws Exception {
    Ended ended =
        run(
            noNewPrivileges(),
            install(refusing(SystemCall.GETPPID, EBUSY_NUMBER)),
            install(refusing(SystemCall.GETPID, EBUSY_NUMBER)),
            Call.of(SystemCall.GETPPID),
            new Instruction.Exit());
    assertEquals(
        "cloister: test: step 4 of 4: getppid(): EBUSY (Device or resource busy)\n", ended.error());
  }

  /** Without no_new_privs only root may; the message shows the length. */
  @Test
  void aFailureIsReportedAsAStep() throws Exception {
    Path launcher =
        Launcher.of(
            directory, install(refusing(SystemCall.GETPID, EBUSY_NUMBER)), new Instruction.Exit());
    Ended ended = Execution.of(launcher, "command").asNobody().end();
    assertEquals(125, ended.exit());
    assertEquals(
        "cloister: test: step 1 of 1: seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=4, filter=...}):"
            + " EACCES (Permission denied)\n",
        ended.error());
  }

  @Test
  void theDefaultProfileLetsTheLauncherGoOn() throws Exception {
    Ended ended = run(noNewPrivileges(), install(DefaultProfile.INSTANCE), new Instruction.Exit());
    assertEquals(0, ended.exit(), ended.error());
  }

  @Test
  void isListedAsACall() {
    SyscallProgram program = new SyscallProgram("test", List.of(install(DefaultProfile.INSTANCE)));
    assertEquals(
        List.of("   1  seccomp(SECCOMP_SET_MODE_FILTER, 0, {filter=the default profile})"),
        Listing.of(program, OsString.of("true")));
  }
}
