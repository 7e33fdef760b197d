package dev.cloister.machine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Execution;
import dev.cloister.fixture.Execution.Ended;
import dev.cloister.fixture.Required;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.OsString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What compiled calls do: results, failures, and everything that may follow one. */
class LauncherTest {
  private static final Instruction EXIT = new Instruction.Exit();
  private static final Slot EVENTS = new Slot("events");
  private static final Buffer BUFFER = new Buffer("buffer", 64);

  @TempDir Path directory;

  private static Call say(String text) {
    return Call.of(SystemCall.WRITE, Operand.of(1), Operand.of(text), Operand.of(text.length()));
  }

  private static Call chdir(String path) {
    return Call.of(SystemCall.CHDIR, Operand.of(path));
  }

  private Ended run(Instruction... instructions) throws Exception {
    return Execution.of(Launcher.of(directory, instructions), "command").end();
  }

  @Test
  void saysWhichStepFailedAndHow() throws Exception {
    Ended ended = run(say("one"), chdir("/none"), say("three"), EXIT);
    assertEquals(125, ended.exit());
    assertEquals("one", ended.text());
    assertEquals(
        "cloister: test: step 2 of 3: chdir(\"/none\"): ENOENT (No such file or directory)\n",
        ended.error());
  }

  /** It may be longer, shorter or another, and is shown as a terminal may have it. */
  @Test
  void endsUnlessATextIsTheExpectedOne() throws Exception {
    Path link = directory.resolve("link");
    Slot length = new Slot("length");
    for (String target : List.of("expected", "expecte", "expected2", "other", "a\u001b\nb")) {
      Files.deleteIfExists(link);
      Files.createSymbolicLink(link, Path.of(target));
      Ended ended =
          run(
              Call.of(
                      SystemCall.READLINKAT,
                      Operand.of(LinuxConstant.AT_FDCWD),
                      Operand.of(link.toString()),
                      Operand.of(BUFFER),
                      Operand.of(BUFFER.size() - 1))
                  .into(length),
              new Instruction.Terminate(BUFFER, length),
              new Instruction.RequireText(BUFFER, OsString.of("expected"), "there is "),
              say("went on"),
              EXIT);
      if (target.equals("expected")) {
        assertEquals("went on", ended.text());
      } else {
        assertEquals(125, ended.exit());
        assertEquals("", ended.text());
        String shown = target.replace('\u001b', '?').replace('\n', '?');
        assertEquals("cloister: test: there is " + shown + "\n", ended.error());
      }
    }
  }

  @Test
  void hintsBelongToTheirErrno() throws Exception {
    Call call =
        chdir("/none")
            .hint(Errno.EACCES, "not this")
            .hint(Errno.ENOENT, "make it — é")
            .hint(Errno.ENOTDIR, "nor this");
    assertTrue(run(call, EXIT).error().endsWith("directory)\nhint: make it — é\n"));
    Call other = chdir("/dev/null").hint(Errno.ENOENT, "not this");
    assertEquals(
        "cloister: test: step 1 of 1: chdir(\"/dev/null\"): ENOTDIR (Not a directory)\n",
        run(other, EXIT).error());
  }

  /** Every errno has its text; what none has is said as a number. */
  @Test
  void namesEveryErrno() throws Exception {
    for (Errno errno : List.of(Errno.EPERM, Errno.EBADF, Errno.EINVAL)) {
      Call call =
          switch (errno) {
            case EBADF -> Call.of(SystemCall.CLOSE, Operand.of(99));
            case EINVAL -> Call.of(SystemCall.DUP3, Operand.of(1), Operand.of(1), Operand.of(0));
            default -> Call.of(SystemCall.KILL, Operand.of(1), Operand.of(0));
          };
      Path launcher = Launcher.of(directory, call, EXIT);
      Ended ended = Execution.of(launcher, "command").asNobody().end();
      assertTrue(
          ended.error().endsWith(": " + errno.name() + " (" + errno.text() + ")\n"), ended.error());
    }
  }

  @Test
  void escapesWhatATerminalWouldObey() throws Exception {
    OsString path = OsString.ofBytes(new byte[] {'/', 27, '\n', '"', (byte) 0xff});
    Call call = Call.of(SystemCall.CHDIR, Operand.of(path));
    assertEquals(
        "cloister: test: step 1 of 1: chdir(\"/\\033\\n\\\"\\377\"): "
            + "ENOENT (No such file or directory)\n",
        run(call, EXIT).error());
  }

  @Test
  void recordsStepAndErrnoForPrograms() throws Exception {
    Path launcher = Launcher.of(directory, Launcher.recording(), say(""), chdir("/none"), EXIT);
    Ended ended = Execution.of(launcher, "command").end();
    assertEquals(125, ended.exit());
    assertEquals("", ended.error());
    ByteBuffer record = ByteBuffer.wrap(ended.output()).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(8, record.remaining());
    assertEquals(2, record.getInt());
    assertEquals(Errno.ENOENT.number(), record.getInt());
  }

  @Test
  void recordsStepZeroForAFixedProgramThatCannotBeExecuted() throws Exception {
    Instruction execute = new Instruction.ExecuteProgram(OsString.of("/none"), List.of());
    Path launcher = Launcher.of(directory, Launcher.recording(), say(""), execute);
    Ended ended = Execution.of(launcher, "command").end();
    ByteBuffer record = ByteBuffer.wrap(ended.output()).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(0, record.getInt());
    assertEquals(Errno.ENOENT.number(), record.getInt());
  }

  private static Call events(int count) {
    return Call.of(
            SystemCall.EVENTFD2,
            Operand.of(count),
            Operand.of(LinuxConstant.EFD_CLOEXEC, LinuxConstant.EFD_NONBLOCK))
        .into(EVENTS);
  }

  private static Call readEvents() {
    return Call.of(SystemCall.READ, Operand.of(EVENTS), Operand.of(BUFFER), Operand.of(8));
  }

  /** The calls as strace sees them. */
  private List<String> trace(SystemCall call, Instruction... instructions) throws Exception {
    Path log = directory.resolve("trace");
    Path launcher = Launcher.of(directory, instructions);
    Execution.of(launcher, "command")
        .through(
            Required.program("strace"), "-o", log.toString(), "-e", "trace=" + call.cName(), "--")
        .end();
    return Files.readAllLines(log).stream().filter(line -> line.startsWith(call.cName())).toList();
  }

  @Test
  void triesAgainAtMostSoOften() throws Exception {
    Call never = readEvents().retry(Errno.EAGAIN).retry(Errno.EINTR);
    Ended ended = run(events(0), never, EXIT);
    assertEquals(125, ended.exit());
    assertTrue(ended.error().contains("step 2 of 2"), ended.error());
    assertTrue(ended.error().contains("EAGAIN"), ended.error());
    List<String> calls = trace(SystemCall.READ, events(0), never, EXIT);
    assertEquals(Instruction.MAX_RETRIES + 1, calls.size());
  }

  @Test
  void retriesOnlyWhatItShould() throws Exception {
    Call call = chdir("/none").retry(Errno.EAGAIN);
    assertEquals(1, trace(SystemCall.CHDIR, call, EXIT).size());
  }

  @Test
  void repeatsUntilAnErrnoAndGoesOn() throws Exception {
    Call until = readEvents().until(Errno.EAGAIN);
    Ended ended = run(events(3), until, say("on"), EXIT);
    assertEquals(0, ended.exit());
    assertEquals("on", ended.text());
    // The first read takes all three events, the second finds none.
    assertEquals(2, trace(SystemCall.READ, events(3), until, EXIT).size());
    Ended other = run(chdir("/none").until(Errno.EINVAL), EXIT);
    assertEquals(125, other.exit());
    assertTrue(other.error().contains("ENOENT"), other.error());
  }

  @Test
  void goesOnAfterWhatItTolerates() throws Exception {
    Call tolerant = chdir("/none").tolerate(Errno.EACCES, Errno.ENOENT);
    Ended ended = run(tolerant, say("on"), EXIT);
    assertEquals(0, ended.exit());
    assertEquals("on", ended.text());
    assertEquals(125, run(chdir("/dev/null").tolerate(Errno.ENOENT), EXIT).exit());
  }

  @Test
  void recoversAsDeepAsItIsTold() throws Exception {
    Call deepest = chdir("/none3").recover(Errno.ENOENT, List.of(say("c")));
    Call deeper = chdir("/none2").recover(Errno.ENOENT, List.of(say("b"), deepest, say("d")));
    Call call = chdir("/none1").recover(Errno.ENOENT, List.of(say("a"), deeper, say("e")));
    Ended ended = run(call, say("f"), EXIT);
    assertEquals(0, ended.exit(), ended.error());
    assertEquals("abcdef", ended.text());
  }

  @Test
  void aFailureWithinARecoveryIsStillThatStep() throws Exception {
    Call instead = chdir("/none2").hint(Errno.ENOENT, "inner");
    Call call = chdir("/none1").recover(Errno.ENOENT, List.of(say("a"), instead));
    Ended ended = run(say("0"), call, say("f"), EXIT);
    assertEquals(125, ended.exit());
    assertEquals("0a", ended.text());
    assertEquals(
        """
        cloister: test: step 2 of 3: chdir("/none2"): ENOENT (No such file or directory)
        hint: inner
        """,
        ended.error());
  }

  @Test
  void aRecoveryIsNotTakenForAnotherErrno() throws Exception {
    Call call = chdir("/dev/null").recover(Errno.ENOENT, List.of(say("a")));
    Ended ended = run(call, EXIT);
    assertEquals(125, ended.exit());
    assertEquals("", ended.text());
  }

  @Test
  void resultsReachLaterCalls() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "content");
    Slot descriptor = new Slot("descriptor");
    Slot count = new Slot("count");
    Call open =
        Call.of(
                SystemCall.OPENAT,
                Operand.of(LinuxConstant.AT_FDCWD),
                Operand.of(OsString.of(file)),
                Operand.of(LinuxConstant.O_CLOEXEC))
            .into(descriptor);
    Call read =
        Call.of(SystemCall.READ, Operand.of(descriptor), Operand.of(BUFFER), Operand.of(64))
            .into(count);
    Call write =
        Call.of(SystemCall.WRITE, Operand.of(1), Operand.of(BUFFER), Operand.of(new Slot("count")));
    Call writeCount =
        Call.of(SystemCall.WRITE, Operand.of(1), new Operand.ResultAddress(count), Operand.of(8));
    Ended ended = run(open, read, write, writeCount, EXIT);
    assertEquals(0, ended.exit(), ended.error());
    assertEquals("content\7\0\0\0\0\0\0\0", ended.text());
  }

  @Test
  void structuresHaveTheirFieldsWhereCHasThem() throws Exception {
    Map<StructField, Operand> fields = new LinkedHashMap<>();
    fields.put(
        StructField.OPEN_HOW_FLAGS, Operand.of(LinuxConstant.O_PATH, LinuxConstant.O_CLOEXEC));
    fields.put(StructField.OPEN_HOW_RESOLVE, new Operand.Literal(-2, "-2"));
    Operand structure = new Operand.Structure(LinuxStruct.OPEN_HOW, 2, fields);
    int size = 2 * LinuxStruct.OPEN_HOW.size();
    Ended ended = run(Call.of(SystemCall.WRITE, Operand.of(1), structure, Operand.of(size)), EXIT);
    ByteBuffer expected = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    expected.putLong(010000000 | 02000000).putLong(0).putLong(-2);
    assertArrayEquals(expected.array(), ended.output());
  }

  @Test
  void structuresHoldTexts() throws Exception {
    Operand structure =
        Operand.of(LinuxStruct.IFREQ, Map.of(StructField.IFREQ_NAME, Operand.of("lo")));
    int size = LinuxStruct.IFREQ.size();
    Ended ended = run(Call.of(SystemCall.WRITE, Operand.of(1), structure, Operand.of(size)), EXIT);
    byte[] expected = new byte[size];
    expected[0] = 'l';
    expected[1] = 'o';
    assertArrayEquals(expected, ended.output());
  }

  @Test
  void embeddedProgramsAreCompleteExecutables() throws Exception {
    Call fails = Call.of(SystemCall.CLOSE, Operand.of(-1));
    SyscallProgram inner = new SyscallProgram("inner", List.of(say("inner"), fails, EXIT));
    Ended ended =
        run(
            Call.of(
                SystemCall.WRITE,
                Operand.of(1),
                new Operand.Image(inner),
                new Operand.ImageSize(inner)),
            EXIT);
    Path file = Files.write(directory.resolve("inner"), ended.output());
    assertTrue(file.toFile().setExecutable(true));
    Process process = new ProcessBuilder(file.toString(), "").start();
    assertEquals("inner", new String(process.getInputStream().readAllBytes(), UTF_8));
    // Its steps are counted on from those of the program it is in.
    assertEquals(
        "cloister: inner: step 3 of 3: close(-1): EBADF (Bad file descriptor)\n",
        new String(process.getErrorStream().readAllBytes(), UTF_8));
    assertEquals(125, process.waitFor());
  }

  @Test
  void aFixedProgramGetsItsArgumentsAndThenTheCommands() throws Exception {
    Instruction execute =
        new Instruction.ExecuteProgram(
            OsString.of("/bin/sh"),
            List.of(
                OsString.of("name"),
                OsString.of("-c"),
                OsString.of("printf '<%s>' \"$0\" \"$@\""),
                OsString.of("zero")));
    Path launcher = Launcher.of(directory, execute);
    assertEquals("<zero><command><><-x>", Execution.of(launcher, "command", "", "-x").end().text());
    List<String> many = new ArrayList<>();
    for (int i = 0; i < 5000; i++) {
      many.add("a" + i);
    }
    String text = Execution.of(launcher, many.toArray(String[]::new)).end().text();
    assertEquals("<zero><" + String.join("><", many) + ">", text);
  }

  @Test
  void aFixedProgramThatIsMissingIsASetUpFailure() throws Exception {
    Ended ended = run(new Instruction.ExecuteProgram(OsString.of("/none"), List.of()));
    assertEquals(125, ended.exit());
    assertEquals(
        "cloister: test: execve(\"/none\"): ENOENT (No such file or directory)\n", ended.error());
  }

  @Test
  void withoutACommandNothingHappens() throws Exception {
    Path launcher = Launcher.of(directory, say("happened"), EXIT);
    Ended ended = Execution.of(launcher).end();
    assertEquals(125, ended.exit());
    assertEquals("cloister: no command given\n", ended.error());
    assertEquals("", ended.text());
  }

  @Test
  void anotherSpeakerHasItsOwnNameAndStatus() throws Exception {
    for (Speaker speaker : List.of(Speaker.BUBBLEWRAP, Speaker.BUBBLEWRAP.withLevel(3))) {
      ProgramCompiler.Options options =
          ProgramCompiler.Options.plain(
              Architecture.host(), Reporting.text(speaker), Launcher.VERSION);
      Path launcher = Launcher.of(directory, options, chdir("/none"), EXIT);
      Ended ended = Execution.of(launcher, "command").end();
      assertEquals(1, ended.exit());
      assertEquals(
          speaker.name() + ": test: step 1 of 1: chdir(\"/none\"): No such file or directory\n",
          ended.error());
      assertEquals(speaker.name() + ": no command given\n", Execution.of(launcher).end().error());
    }
  }

  @Test
  void theCommandMayBeALaterArgument() throws Exception {
    ProgramCompiler.Options options =
        new ProgramCompiler.Options(
            Architecture.host(),
            3,
            Reporting.TEXT,
            Optional.empty(),
            OptionalLong.empty(),
            List.of(),
            "");
    Path launcher =
        Launcher.of(
            directory, options, new Instruction.ExecuteCommand(Instruction.SearchPath.COMMAND));
    assertEquals(125, Execution.of(launcher, "run", "--").end().exit());
    assertEquals("a b\n", Execution.of(launcher, "run", "--", "/bin/echo", "a", "b").end().text());
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new ProgramCompiler.Options(
                Architecture.host(),
                0,
                Reporting.TEXT,
                Optional.empty(),
                OptionalLong.empty(),
                List.of(),
                ""));
  }

  private ProgramCompiler.Options forgetting(Path file) {
    return new ProgramCompiler.Options(
        Architecture.host(),
        1,
        Reporting.TEXT,
        Optional.empty(),
        OptionalLong.empty(),
        List.of(OsString.of(file)),
        Launcher.VERSION);
  }

  @Test
  void aFailureOnTheHostForgetsWhatWasBelievedOfIt() throws Exception {
    Path verdicts = Files.createFile(directory.resolve("verdicts"));
    Path good = Launcher.of(directory, forgetting(verdicts), say("x"), EXIT);
    assertEquals(0, Execution.of(good, "command").end().exit());
    assertTrue(Files.exists(verdicts));
    Path bad = Launcher.of(directory, forgetting(verdicts), chdir("/none"), EXIT);
    Ended ended = Execution.of(bad, "command").end();
    assertTrue(ended.error().contains("ENOENT"), ended.error());
    assertFalse(Files.exists(verdicts));
    // It is gone already: the message is still the step's.
    assertEquals(ended.error(), Execution.of(bad, "command").end().error());
  }

  /** Behind a new root the file's path names something else. */
  @Test
  void aFailureBehindANewRootForgetsNothing() throws Exception {
    Required.that("root".equals(System.getProperty("user.name")), "to be root");
    Path verdicts = Files.createFile(directory.resolve("verdicts"));
    Call chroot = Call.of(SystemCall.CHROOT, Operand.of("/"));
    Path launcher = Launcher.of(directory, forgetting(verdicts), chroot, chdir("/none"), EXIT);
    assertEquals(125, Execution.of(launcher, "command").end().exit());
    assertTrue(Files.exists(verdicts));
  }

  @Test
  void goesHome() throws Exception {
    Path home = Files.createDirectory(directory.resolve("home"));
    Path launcher =
        Launcher.of(
            directory,
            new Instruction.EnterHome(),
            new Instruction.ExecuteCommand(Instruction.SearchPath.COMMAND));
    assertEquals(
        home + "\n", Execution.of(launcher, "/bin/pwd").environment("HOME=" + home).end().text());
    for (List<OsString> environment :
        List.of(List.<OsString>of(), List.of(OsString.of("HOME=/none")))) {
      Ended ended = Execution.of(launcher, "/bin/pwd").environment(environment).in(directory).end();
      assertEquals(directory + "\n", ended.text());
    }
  }

  /** Maps that are iterated in an order of their own would make a different file each time. */
  @Test
  void theOrderOfErrnosIsAlwaysTheSame() {
    Call call = chdir("/none");
    Call reverse = chdir("/none");
    List<Errno> errnos = List.of(Errno.values());
    for (Errno errno : errnos) {
      call = call.hint(errno, errno.text()).tolerate(errno).retry(errno);
    }
    for (Errno errno : errnos.reversed()) {
      reverse = reverse.hint(errno, errno.text()).tolerate(errno).retry(errno);
    }
    assertEquals(errnos, List.copyOf(call.hints().keySet()));
    assertEquals(errnos, List.copyOf(call.recoveries().keySet()));
    assertEquals(errnos, List.copyOf(call.retried()));
    assertEquals(call, reverse);
  }
}
