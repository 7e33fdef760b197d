package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Execution;
import dev.cloister.fixture.Execution.Ended;
import dev.cloister.program.Instruction;
import dev.cloister.program.Listing;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.OsString;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Launchers that people start themselves. */
class StandaloneTest {
  private static final String HELP = "Usage: FILE [COMMAND]\n  é — all of it\n".repeat(50);

  private static final Instruction EXECUTE =
      new Instruction.ExecuteCommand(Instruction.SearchPath.COMMAND);

  /** Prints its arguments, each on a line. */
  private static final String[] PRINT = {"/bin/sh", "-c", "printf '<%s>\\n' \"$0\" \"$@\""};

  @TempDir Path directory;

  private static Instruction.Call say(String text) {
    return Instruction.Call.of(
        SystemCall.WRITE, Operand.of(1), Operand.of(text), Operand.of(text.length()));
  }

  private Path launcher(Optional<List<OsString>> command, Instruction... instructions)
      throws Exception {
    return Launcher.of(
        directory,
        ProgramCompiler.Options.standalone(
            Architecture.host(), LauncherNote.of(Launcher.VERSION), new Standalone(HELP, command)),
        instructions);
  }

  private Ended run(String... arguments) throws Exception {
    return Execution.of(launcher(Optional.empty(), say("ran\n"), EXECUTE), arguments).end();
  }

  private static void refuses(Ended ended, String why) {
    assertEquals("cloister: " + why + "\n", ended.error());
    assertEquals(125, ended.exit());
    assertEquals("", ended.text(), "nothing was run");
  }

  @Test
  void takesTheCommandFromItsArguments() throws Exception {
    Ended ended = run(PRINT[0], PRINT[1], PRINT[2], "--help", "", "--");
    assertEquals("ran\n<--help>\n<>\n<-->\n", ended.text());
    assertEquals(0, ended.exit());
    assertEquals("ran\n<a>\n", run("--", PRINT[0], PRINT[1], PRINT[2], "a").text());
    assertEquals(7, run("/bin/sh", "-c", "exit 7").exit());
  }

  @Test
  void theCommandIsFoundInPath() throws Exception {
    Path launcher = launcher(Optional.empty(), EXECUTE);
    assertEquals("a b\n", Execution.of(launcher, "echo", "a", "b").end().text());
    Ended ended = Execution.of(launcher, "echo").environment("PATH=/none").end();
    assertEquals(127, ended.exit());
    assertEquals("cloister: echo: command not found in PATH=/none\n", ended.error());
    Ended directories = Execution.of(launcher, "/etc").end();
    assertEquals(126, directories.exit());
    assertEquals(
        "cloister: /etc: cannot be executed: EACCES (Permission denied)\n", directories.error());
  }

  @Test
  void refusesWhatItDoesNotKnow() throws Exception {
    refuses(run("--helpx"), "unknown option --helpx; see --help");
    refuses(run("--hel"), "unknown option --hel; see --help");
    refuses(run("-h", "true"), "unknown option -h; see --help");
    refuses(run("-"), "unknown option -; see --help");
    refuses(run("-\n\033[2J"), "unknown option -??[2J; see --help");
    refuses(run(), "no command given; see --help");
    refuses(run("--"), "no command given; see --help");
  }

  @Test
  void anEmptyNameIsNoCommand() throws Exception {
    Ended ended = run("--", "");
    assertEquals(127, ended.exit());
  }

  @Test
  void printsHelpAndRunsNothing() throws Exception {
    Ended ended = run("--help", "true");
    assertEquals(0, ended.exit());
    assertEquals("", ended.error());
    assertEquals(HELP, new String(ended.output(), StandardCharsets.UTF_8));
  }

  @Test
  void explainsItsProgram() throws Exception {
    Ended ended = run("--explain");
    SyscallProgram program = new SyscallProgram("test", List.of(say("ran\n"), EXECUTE));
    assertEquals(0, ended.exit());
    assertEquals(
        String.join("\n", Listing.ofLauncher(program, OsString.of("COMMAND"))) + "\n",
        ended.text());
    assertTrue(ended.text().contains("   1  write(1, \"ran\\n\", 4)\n"), ended.text());
  }

  @Test
  void anOutputThatCannotBeWrittenIsAnError() throws Exception {
    Path launcher = launcher(Optional.empty(), EXECUTE);
    for (String option : List.of("--help", "--explain")) {
      Ended full =
          Execution.of(Path.of("/bin/sh"), "-c", launcher + " " + option + " > /dev/full").end();
      refuses(full, "cannot write to standard output: ENOSPC (No space left on device)");
      Ended closed = Execution.of(Path.of("/bin/sh"), "-c", launcher + " " + option + " >&-").end();
      refuses(closed, "cannot write to standard output: EBADF (Bad file descriptor)");
    }
  }

  /** A pipe takes a part only. */
  @Test
  void printsAllOfALongHelp() throws Exception {
    String help = "0123456789abcde\n".repeat(20_000);
    Path launcher =
        Launcher.of(
            directory,
            ProgramCompiler.Options.standalone(
                Architecture.host(),
                LauncherNote.of(Launcher.VERSION),
                new Standalone(help, Optional.empty())),
            EXECUTE);
    assertTrue(
        Files.size(launcher) < help.length() / 20, "the same line again and again takes no room");
    Ended ended =
        Execution.of(Path.of("/bin/sh"), "-c", launcher + " --help | (/bin/sleep 0.1; /bin/cat)")
            .end();
    assertEquals(help, ended.text());
  }

  @Test
  void appendsItsArgumentsToItsOwnCommand() throws Exception {
    OsString bytes = OsString.ofBytes(new byte[] {(byte) 0xff, ' ', '\n'});
    Path launcher =
        launcher(
            Optional.of(
                List.of(
                    OsString.of(PRINT[0]), OsString.of(PRINT[1]), OsString.of(PRINT[2]), bytes)),
            EXECUTE);
    Ended ended =
        Execution.of(launcher, "--help", "--explain", "--", "").and(bytes).environment("A=b").end();
    byte[] expected =
        "<\377 \n>\n<--help>\n<--explain>\n<-->\n<>\n<\377 \n>\n"
            .getBytes(StandardCharsets.ISO_8859_1);
    assertArrayEquals(expected, ended.output());
    assertEquals("<\377 \n>\n", Execution.of(launcher).end().text().replace("\ufffd", "\377"));
  }

  /** An odd and an even number of words, since the stack is kept aligned. */
  @Test
  void keepsTheEnvironmentBesideItsOwnCommand() throws Exception {
    for (int i = 0; i < 4; i++) {
      List<OsString> command =
          Stream.concat(Stream.of("/usr/bin/env"), Stream.generate(() -> "A=b").limit(i))
              .map(OsString::of)
              .toList();
      Path launcher = launcher(Optional.of(command), EXECUTE);
      Ended ended = Execution.of(launcher, "C=d").environment("E=f").end();
      assertEquals(i == 0 ? "E=f\nC=d\n" : "E=f\nA=b\nC=d\n", ended.text());
    }
  }

  /** A shell gets the script's name in a vector that the launcher made. */
  @Test
  void runsAScriptWithoutAFirstLine() throws Exception {
    Path script = Files.writeString(directory.resolve("script"), "echo \"$0 $*\"\n");
    assertTrue(script.toFile().setExecutable(true));
    Path launcher = launcher(Optional.of(List.of(OsString.of(script), OsString.of("1"))), EXECUTE);
    assertEquals(script + " 1 2\n", Execution.of(launcher, "2").end().text());
  }

  @Test
  void executesAProgramWithAllArguments() throws Exception {
    Instruction echo =
        new Instruction.ExecuteProgram(
            OsString.of("/bin/echo"), List.of(OsString.of("echo"), OsString.of("-")));
    Path baked = launcher(Optional.of(List.of(OsString.of("a"), OsString.of("b"))), echo);
    assertEquals("- a b c\n", Execution.of(baked, "c").end().text());
    Path open = launcher(Optional.empty(), echo);
    assertEquals("- a b\n", Execution.of(open, "--", "a", "b").end().text());
  }

  @Test
  void reportsAFailedStepWithItsHint() throws Exception {
    Instruction.Call call =
        Instruction.Call.of(SystemCall.CHDIR, Operand.of("/none"))
            .hint(Errno.EACCES, "not this")
            .hint(Errno.ENOENT, "make it — é");
    Ended ended =
        Execution.of(launcher(Optional.empty(), say(""), call, EXECUTE), "/bin/true").end();
    assertEquals(125, ended.exit());
    assertEquals(
        "cloister: test: step 2 of 2: chdir(\"/none\"): ENOENT (No such file or directory)\n"
            + "hint: make it — é\n",
        new String(ended.error().getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8));
  }

  /** Every errno is found in what was unpacked. */
  @Test
  void namesEveryErrno() throws Exception {
    Instruction.Call call = Instruction.Call.of(SystemCall.CLOSE, Operand.of(99));
    SyscallProgram program = new SyscallProgram("test", List.of(call, EXECUTE));
    ProgramCompiler.Options options =
        ProgramCompiler.Options.standalone(
            Architecture.host(), LauncherNote.of(""), new Standalone(HELP, Optional.empty()));
    Faults none = Faults.of();
    ProgramCompiler.compile(program, options, none);
    int site =
        none.sites().stream()
            .filter(each -> each.instruction().isPresent())
            .findFirst()
            .orElseThrow()
            .number();
    for (Errno errno : Errno.values()) {
      Faults faults = Faults.of(new Faults.Fault.Failure(site, errno, false));
      Path launcher = Launcher.write(directory, ProgramCompiler.compile(program, options, faults));
      assertEquals(
          "cloister: test: step 1 of 1: close(99): "
              + errno.name()
              + (ErrnoTexts.isForeign(errno) ? "" : " (" + errno.text() + ")")
              + "\n",
          Execution.of(launcher, "/bin/true").end().error());
      Files.delete(launcher);
    }
  }

  /** Process 1 of a namespace overwrites all its own arguments, and none that are constants. */
  @Test
  void anInitHidesWhatWasGiven() throws Exception {
    Slot pipe = new Slot("pipe");
    Instruction lifeline =
        Instruction.Call.of(
                SystemCall.EVENTFD2, Operand.of(0), Operand.of(LinuxConstant.EFD_CLOEXEC))
            .into(pipe);
    Instruction init =
        new Instruction.Init(List.of(EXECUTE), Operand.of(pipe), List.of(), OptionalInt.empty());
    String script = "/usr/bin/tr '\\0' ' ' < /proc/$PPID/cmdline";
    Path open = launcher(Optional.empty(), lifeline, init);
    assertEquals(
        "cloister-init",
        Execution.of(open, "--", "/bin/sh", "-c", script, "secret").end().text().strip());
    Path baked =
        launcher(
            Optional.of(List.of(OsString.of("/bin/sh"), OsString.of("-c"), OsString.of(script))),
            lifeline,
            init);
    assertEquals("cloister-init", Execution.of(baked, "secret").end().text().strip());
  }

  @Test
  void aCommandHasAName() {
    assertThrows(
        IllegalArgumentException.class, () -> new Standalone(HELP, Optional.of(List.of())));
  }
}
