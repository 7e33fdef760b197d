package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Execution;
import dev.cloister.fixture.Execution.Ended;
import dev.cloister.fixture.Required;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Instruction.CloseListed.Whose;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Descriptors that are closed one by one, where no call closes them all. */
class DescriptorClosingTest {
  private static final Slot LIST = new Slot("list");

  @TempDir Path directory;

  private static Call open(String path) {
    return Call.of(
            SystemCall.OPENAT,
            Operand.of(LinuxConstant.AT_FDCWD),
            Operand.of(path),
            Operand.of(LinuxConstant.O_DIRECTORY))
        .into(LIST);
  }

  private Path launcher() throws Exception {
    return Launcher.of(
        directory,
        // A number for the list, as the recipe makes it.
        Call.of(SystemCall.CLOSE, Operand.of(3)).tolerate(dev.cloister.ffm.Errno.EBADF),
        open("/proc/self/fd"),
        new Instruction.CloseListed(LIST, 3),
        new Instruction.ExecuteCommand(Instruction.SearchPath.COMMAND));
  }

  /** Starts the launcher with descriptors that a program of these words has opened. */
  private List<String> left(String opening) throws Exception {
    String script =
        "import os, resource, sys\n" + opening + "\nos.execv(sys.argv[1], sys.argv[1:])";
    Ended ended =
        Execution.of(launcher(), "/bin/ls", "/proc/self/fd")
            .through(Required.program("python3"), "-c", script)
            .end();
    assertEquals(0, ended.exit(), ended.error());
    return ended.lines();
  }

  /** The last one is the directory that ls reads. */
  private static final List<String> STANDARD = List.of("0", "1", "2", "3");

  @Test
  void leavesTheStandardOnes() throws Exception {
    assertEquals(STANDARD, left(""));
    Ended inheriting =
        Execution.of(Path.of("/bin/sh"), "-c", "exec 9</; exec /bin/ls /proc/self/fd").end();
    assertTrue(inheriting.lines().contains("9"), "what a launcher inherits");
  }

  @Test
  void findsTenThousand() throws Exception {
    String open =
        """
        resource.setrlimit(resource.RLIMIT_NOFILE, (12000, resource.getrlimit(7)[1]))
        for number in range(3, 10003): os.dup2(0, number, inheritable=True)
        """;
    assertEquals(STANDARD, left(open));
  }

  /** What was opened before a limit was lowered stays open, and there is no number left. */
  @Test
  void findsThoseAboveTheLimit() throws Exception {
    String open =
        """
        for number in list(range(3, 20)) + [500, 1000]: os.dup2(0, number, inheritable=True)
        resource.setrlimit(resource.RLIMIT_NOFILE, (4, resource.getrlimit(7)[1]))
        """;
    assertEquals(STANDARD, left(open));
  }

  /** The list gets a number that is kept open: it must not be left behind. */
  @Test
  void closesTheListWhateverItsNumber() throws Exception {
    assertEquals(List.of("0", "1", "2"), left("os.close(0); os.dup2(1, 7, inheritable=True)"));
  }

  private static final String OPEN_SOME =
      "os.closerange(3, 100)\nfor number in (5, 6, 7, 64): os.dup2(0, number, inheritable=True)";

  /** What is left by a launcher that opened two more, as 3 and 4, to be closed on exec. */
  private List<String> leftBy(Instruction.CloseListed close, String opening) throws Exception {
    Call openOwn =
        Call.of(
            SystemCall.OPENAT,
            Operand.of(LinuxConstant.AT_FDCWD),
            Operand.of("/"),
            Operand.of(LinuxConstant.O_DIRECTORY, LinuxConstant.O_CLOEXEC));
    Call openList =
        Call.of(
                SystemCall.OPENAT,
                Operand.of(LinuxConstant.AT_FDCWD),
                Operand.of("/proc/self/fd"),
                Operand.of(LinuxConstant.O_DIRECTORY, LinuxConstant.O_CLOEXEC))
            .into(LIST);
    // What is closed on exec shows only before that.
    Call look =
        Call.of(SystemCall.FCNTL, Operand.of(3), Operand.of(LinuxConstant.F_SETFD), Operand.of(0));
    Path launcher =
        Launcher.of(
            directory,
            openOwn,
            openList,
            close,
            look.tolerate(dev.cloister.ffm.Errno.EBADF),
            new Instruction.ExecuteCommand(Instruction.SearchPath.COMMAND));
    String script = "import os, sys\n" + opening + "\nos.execv(sys.argv[1], sys.argv[1:])";
    Ended ended =
        Execution.of(
                launcher,
                "/bin/sh",
                "-c",
                "i=0; while [ $i -lt 70 ]; do [ ! -e /proc/$$/fd/$i ] || echo $i; i=$((i+1)); done")
            .through(Required.program("python3"), "-c", script)
            .end();
    assertEquals(0, ended.exit(), ended.error());
    return ended.lines();
  }

  @Test
  void leavesTheCallersOpen() throws Exception {
    assertEquals(
        List.of("0", "1", "2", "5", "6", "7", "64"),
        leftBy(new Instruction.CloseListed(LIST, 3, Whose.OWN, List.of()), OPEN_SOME));
    assertEquals(
        List.of("0", "1", "2", "3", "5", "6", "7", "64"),
        leftBy(new Instruction.CloseListed(LIST, 3, Whose.OWN, List.of(Operand.of(3))), OPEN_SOME));
  }

  @Test
  void closesTheCallersAlone() throws Exception {
    assertEquals(
        List.of("0", "1", "2", "3"),
        leftBy(new Instruction.CloseListed(LIST, 3, Whose.CALLERS, List.of()), OPEN_SOME));
  }

  @Test
  void leavesOutWhatIsKept() throws Exception {
    assertEquals(
        List.of("0", "1", "2", "6", "64"),
        leftBy(
            new Instruction.CloseListed(
                LIST, 3, Whose.ANYONES, List.of(Operand.of(6), Operand.of(64))),
            OPEN_SOME));
  }

  @Test
  void failsWhereNothingIsListed() throws Exception {
    Path launcher =
        Launcher.of(
            directory,
            Call.of(SystemCall.DUP3, Operand.of(0), Operand.of(9), Operand.of(0)).into(LIST),
            new Instruction.CloseListed(LIST, 3),
            new Instruction.Exit());
    Ended ended = Execution.of(launcher, "command").end();
    assertEquals(125, ended.exit());
    assertTrue(
        ended.error().startsWith("cloister: test: step 1 of 1: closing descriptors: "),
        ended.error());
  }
}
