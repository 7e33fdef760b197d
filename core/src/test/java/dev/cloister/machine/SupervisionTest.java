package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Execution;
import dev.cloister.fixture.Execution.Ended;
import dev.cloister.fixture.Execution.Running;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.recipe.NativeProgram;
import dev.cloister.spec.Handover;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A launcher that waits for its command and stands between it and those who send signals. */
class SupervisionTest {
  private static final Slot STARTED = new Slot("started");
  private static final Slot PID = new Slot("pid");
  private static final String FAILURE = "test: it could not start";

  @TempDir Path directory;

  private static Call events() {
    return Call.of(
            SystemCall.EVENTFD2,
            Operand.of(0),
            Operand.of(LinuxConstant.EFD_CLOEXEC, LinuxConstant.EFD_NONBLOCK))
        .into(STARTED);
  }

  private static List<Instruction> tellPid() {
    return List.of(
        Call.of(SystemCall.GETPID).into(PID),
        Call.of(
            SystemCall.WRITE, Operand.of(STARTED), new Operand.ResultAddress(PID), Operand.of(8)));
  }

  private Path launcher(List<Instruction> beforeCommand) throws Exception {
    List<Instruction> child = new ArrayList<>(beforeCommand);
    child.add(new Instruction.ExecuteCommand(Instruction.SearchPath.COMMAND));
    List<Instruction> all = new ArrayList<>(NativeProgram.startClean(Handover.NONE));
    all.add(events());
    all.add(
        Instruction.Supervise.of(child)
            .through(new Instruction.Supervise.Started(STARTED, FAILURE)));
    return Launcher.of(directory, all.toArray(Instruction[]::new));
  }

  private Execution shell(String script) throws Exception {
    return Execution.of(launcher(tellPid()), "/bin/sh", "-c", script)
        .environment("PATH=/usr/bin:/bin");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 42, 125, 126, 127, 255})
  void endsAsTheCommandEnds(int status) throws Exception {
    assertEquals(status, shell("exit " + status).end().exit());
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "KILL", "USR1", "SEGV", "HUP"})
  void endsWith128AndTheSignal(String signal) throws Exception {
    Ended ended = shell("trap - " + signal + "; kill -" + signal + " $$; sleep 60").end();
    Ended number = Execution.of(Path.of("/bin/sh"), "-c", "kill -l " + (ended.exit() - 128)).end();
    assertEquals(signal + "\n", number.text());
  }

  @Test
  void aCommandThatIsMissingIsNoFailureToStart() throws Exception {
    Ended ended = Execution.of(launcher(tellPid()), "/none/tool").end();
    assertEquals(127, ended.exit());
    assertTrue(ended.error().startsWith("cloister: /none/tool: command not found"));
  }

  @Test
  void anEndBeforeTheStartIsAFailure() throws Exception {
    Ended ended = Execution.of(launcher(List.of()), "/bin/sh", "-c", "exit 0").end();
    assertEquals(125, ended.exit());
    assertEquals("cloister: " + FAILURE + "\n", ended.error());
    Ended killed = Execution.of(launcher(List.of()), "/bin/sh", "-c", "kill -9 $$").end();
    assertEquals(125, killed.exit());
    Call fails = Call.of(SystemCall.CHDIR, Operand.of("/none"));
    Ended failed = Execution.of(launcher(List.of(fails)), "/bin/true").end();
    assertEquals(125, failed.exit());
    assertTrue(failed.error().contains("chdir(\"/none\"): ENOENT"), failed.error());
    assertTrue(failed.error().endsWith(FAILURE + "\n"), failed.error());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"SIGTERM", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGHUP", "SIGQUIT", "SIGWINCH"})
  void passesSignalsOn(String name) throws Exception {
    LinuxConstant signal = LinuxConstant.valueOf(name);
    String script =
        "trap 'echo got; exit 3' %s; echo ready; while :; do sleep 0.05; done"
            .formatted(name.substring(3));
    try (Running running = shell(script).start()) {
      running.awaitOutput("ready\n");
      running.signal(signal);
      Ended ended = running.end();
      assertEquals("ready\ngot\n", ended.text());
      assertEquals(3, ended.exit());
    }
  }

  @Test
  void passesEverySignalOn() throws Exception {
    String script = "trap 'echo got' USR1; echo ready; while :; do sleep 0.05; done";
    try (Running running = shell(script).start()) {
      running.awaitOutput("ready\n");
      for (int i = 0; i < 3; i++) {
        running.signal(LinuxConstant.SIGUSR1);
        running.awaitOutput("got\n".repeat(i + 1));
      }
      running.signal(LinuxConstant.SIGTERM);
      assertEquals(128 + 15, running.end().exit());
    }
  }

  /** The child itself waits here, as bubblewrap does: the signal goes to the command. */
  @Test
  void signalsReachTheCommandAndNotWhatStandsBetween() throws Exception {
    List<Instruction> child = new ArrayList<>();
    Slot inner = new Slot("inner");
    child.add(
        Instruction.Supervise.of(
                List.of(
                    Call.of(SystemCall.GETPID).into(PID),
                    Call.of(
                        SystemCall.WRITE,
                        Operand.of(STARTED),
                        new Operand.ResultAddress(PID),
                        Operand.of(8)),
                    new Instruction.ExecuteCommand(Instruction.SearchPath.COMMAND)))
            .through(new Instruction.Supervise.Started(inner, "unused")));
    List<Instruction> all = new ArrayList<>(NativeProgram.startClean(Handover.NONE));
    all.add(events());
    all.add(
        Call.of(SystemCall.EVENTFD2, Operand.of(1), Operand.of(LinuxConstant.EFD_NONBLOCK))
            .into(inner));
    all.add(
        Instruction.Supervise.of(child)
            .through(new Instruction.Supervise.Started(STARTED, FAILURE)));
    Path launcher = Launcher.of(directory, all.toArray(Instruction[]::new));
    String script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    try (Running running =
        Execution.of(launcher, "/bin/sh", "-c", script).environment("PATH=/bin").start()) {
      running.awaitOutput("ready\n");
      running.signal(LinuxConstant.SIGTERM);
      assertEquals(9, running.end().exit());
    }
  }

  @Test
  void worksWhereTheCallerIgnoresItsChildren() throws Exception {
    Ended ended =
        shell("sleep 0.05; exit 5")
            .through("/bin/sh", "-c", "trap '' CHLD; exec \"$@\"", "sh")
            .end();
    assertEquals(5, ended.exit());
  }

  private static List<String> words(Ended ended, String field) {
    return ended.lines().stream()
        .filter(line -> line.startsWith(field))
        .map(line -> line.substring(field.length()).strip())
        .toList();
  }

  @Test
  void theCommandHasTheCallersSignalMask() throws Exception {
    Ended ended =
        Execution.of(launcher(tellPid()), "/bin/cat", "/proc/self/status")
            .blocking(LinuxConstant.SIGUSR1, LinuxConstant.SIGCHLD)
            .end();
    assertEquals(0, ended.exit());
    assertEquals(List.of("%016x".formatted(1L << 9 | 1L << 16)), words(ended, "SigBlk:"));
    Ended none = Execution.of(launcher(tellPid()), "/bin/cat", "/proc/self/status").end();
    assertEquals(List.of("0".repeat(16)), words(none, "SigBlk:"));
  }

  /** nohup must work through a launcher. */
  @Test
  void theCommandIgnoresWhatTheCallerIgnores() throws Exception {
    String[] ignoring = {"/bin/sh", "-c", "trap '' HUP USR2; exec \"$@\"", "sh"};
    Ended plain = Execution.of(Path.of("/bin/cat"), "/proc/self/status").through(ignoring).end();
    Ended ended =
        Execution.of(launcher(tellPid()), "/bin/cat", "/proc/self/status").through(ignoring).end();
    assertEquals(words(plain, "SigIgn:"), words(ended, "SigIgn:"));
    assertNotEquals(
        words(ended, "SigIgn:"),
        words(Execution.of(Path.of("/bin/cat"), "/proc/self/status").end(), "SigIgn:"));
  }

  /** Without a descriptor left for signalfd(2) it must not wait for what can never come. */
  @Test
  void runningOutOfDescriptorsIsAnError() throws Exception {
    Ended ended = shell("exit 0").through("/bin/sh", "-c", "ulimit -n 4; exec \"$@\"", "sh").end();
    assertEquals(125, ended.exit());
    assertTrue(ended.error().contains("EMFILE"), ended.error());
  }

  private static final Slot EXECUTED = new Slot("executed");

  private Path reporting(int descriptor, List<Instruction> beforeCommand) throws Exception {
    List<Instruction> child = new ArrayList<>(beforeCommand);
    child.add(
        new Instruction.ExecuteCommand(
            Instruction.SearchPath.COMMAND, Optional.empty(), Optional.of(EXECUTED)));
    return Launcher.of(
        directory,
        Call.of(
                SystemCall.MMAP,
                Operand.NULL,
                Operand.of(8),
                Operand.of(LinuxConstant.PROT_READ, LinuxConstant.PROT_WRITE),
                Operand.of(LinuxConstant.MAP_SHARED, LinuxConstant.MAP_ANONYMOUS),
                Operand.of(-1),
                Operand.of(0))
            .into(EXECUTED),
        Instruction.Supervise.of(child)
            .reporting(Optional.of(new Instruction.Supervise.ExitReport(descriptor, EXECUTED))));
  }

  private static Ended run(Path launcher, String... command) throws Exception {
    return Execution.of(launcher, command).environment("PATH=/etc:/no/such:/usr/bin:/bin").end();
  }

  @Test
  void theEndOfTheCommandIsReported() throws Exception {
    Path launcher = reporting(1, List.of());
    Ended left = run(launcher, "/bin/sh", "-c", "exit 42");
    assertEquals("{ \"exit-code\": 42 }\n", left.text());
    assertEquals(42, left.exit());
    assertEquals("{ \"exit-code\": 0 }\n", run(launcher, "true").text());
    assertEquals("{ \"exit-code\": 143 }\n", run(launcher, "sh", "-c", "kill $$").text());
  }

  @Test
  void thatThereWasNoCommandIsNot() throws Exception {
    Path launcher = reporting(1, List.of());
    for (String command : List.of("/", "/etc/passwd", "no-such-command", "")) {
      Ended ended = run(launcher, command);
      assertEquals("", ended.text(), command);
      assertTrue(ended.exit() >= 126, command);
    }
    Call failing = Call.of(SystemCall.CHDIR, Operand.of("/no/such/directory"));
    Ended failed = run(reporting(1, List.of(failing)), "true");
    assertEquals("", failed.text());
    assertEquals(125, failed.exit());
  }
}
