package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Execution;
import dev.cloister.fixture.Execution.Ended;
import dev.cloister.fixture.Required;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.OsString;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a launcher does with data that its caller left to be read. */
class DataCopyingTest {
  private static final int FROM = 7;
  private static final Slot TO = new Slot("to");

  @TempDir Path directory;

  private Call open(String to, LinuxConstant... flags) {
    return Call.of(
            SystemCall.OPENAT,
            Operand.of(LinuxConstant.AT_FDCWD),
            Operand.of(OsString.of(directory.resolve(to))),
            Operand.of(flags),
            Operand.of(0600))
        .into(TO);
  }

  private Ended copy(Call open, String redirection) throws Exception {
    Path launcher =
        Launcher.of(
            directory,
            open,
            new Instruction.CopyData(FROM, TO, "copying", Optional.empty()),
            new Instruction.Exit());
    return Execution.of(launcher, "command")
        .through(Required.program("bash"), "-c", "exec " + redirection + "; exec \"$@\"", "bash")
        .in(directory)
        .environment("PATH=/usr/bin:/bin")
        .end();
  }

  private byte[] copied(String redirection) throws Exception {
    Ended ended =
        copy(
            open("copy", LinuxConstant.O_WRONLY, LinuxConstant.O_CREAT, LinuxConstant.O_TRUNC),
            redirection);
    assertEquals("", ended.error());
    assertEquals(0, ended.exit());
    return Files.readAllBytes(directory.resolve("copy"));
  }

  private byte[] some(int size) throws Exception {
    byte[] data = new byte[size];
    new Random(size).nextBytes(data);
    Files.write(directory.resolve("data"), data);
    return data;
  }

  @Test
  void copiesFilesOfAnySize() throws Exception {
    for (int size : new int[] {0, 1, 65_535, 65_536, 65_537, 3_000_001}) {
      assertArrayEquals(some(size), copied("7<data"), size + " bytes");
    }
  }

  /** A pipe gives what is in it, which is less than what is still to come. */
  @Test
  void copiesPipesToTheirEnd() throws Exception {
    byte[] data = some(1_000_001);
    assertArrayEquals(data, copied("7< <(head -c 1 data; sleep 0.1; tail -c +2 data)"));
  }

  @Test
  void startsWhereTheCallerLeftOff() throws Exception {
    some(5);
    assertEquals(3, copied("7<data; read -r -N 2 -u 7").length);
  }

  @Test
  void saysWhatCannotBeRead() throws Exception {
    Call open = open("copy", LinuxConstant.O_WRONLY, LinuxConstant.O_CREAT);
    Ended ended = copy(open, "7<.");
    String hint =
        "hint: --file, --bind-data and --ro-bind-data need something to read, and descriptor 7 ";
    assertEquals(
        "cloister: test: step 1 of 1: copying: EISDIR (Is a directory)\n"
            + hint
            + "leads to a directory\n",
        ended.error());
    assertEquals(125, ended.exit());
    ended = copy(open, "7<&-");
    assertEquals(
        "cloister: test: step 1 of 1: copying: EBADF (Bad file descriptor)\n"
            + hint
            + "is not open for reading\n",
        ended.error());
  }

  @Test
  void saysWhatCannotBeWritten() throws Exception {
    some(1);
    Call open =
        Call.of(
                SystemCall.OPENAT,
                Operand.of(LinuxConstant.AT_FDCWD),
                Operand.of("/dev/full"),
                Operand.of(LinuxConstant.O_WRONLY))
            .into(TO);
    Ended ended = copy(open, "7<data");
    assertEquals(
        "cloister: test: step 1 of 1: copying: ENOSPC (No space left on device)\n", ended.error());
    assertEquals(125, ended.exit());
  }
}
