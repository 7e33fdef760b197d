package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.fixture.Execution;
import dev.cloister.fixture.Execution.Ended;
import dev.cloister.fixture.Required;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.SearchPath;
import dev.cloister.spec.EnvironmentRules;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a launcher finds its command and becomes it. */
class CommandExecutionTest {
  private static final String SCRIPT = "#!/bin/sh\nprintf '<%s>' \"$0\" \"$@\"\n";

  @TempDir Path directory;
  private Path launcher = Path.of("");

  @BeforeEach
  void compile() throws Exception {
    launcher = Launcher.of(directory, new Instruction.ExecuteCommand(SearchPath.COMMAND));
  }

  private Path makeDirectory(String name) throws IOException {
    Path made = Files.createDirectory(directory.resolve(name));
    Launcher.letEveryoneIn(made);
    return made;
  }

  private static Path file(Path path, String content, String mode) throws IOException {
    Files.writeString(path, content, StandardCharsets.ISO_8859_1);
    return Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
  }

  private static Path executable(Path path, String content) throws IOException {
    return file(path, content, "rwxr-xr-x");
  }

  private static void expect(int status, String error, Ended ended) {
    assertEquals(error, ended.error());
    assertEquals(status, ended.exit());
  }

  private Execution withPath(String path, String... command) {
    return Execution.of(launcher, command).environment("PATH=" + path);
  }

  @Test
  void aPathIsNotSearched() throws Exception {
    executable(directory.resolve("tool"), SCRIPT);
    Ended ended = withPath("/none", "./tool", "a", "").in(directory).end();
    assertEquals("<./tool><a><>", ended.text());
    assertEquals(0, ended.exit());
  }

  /** Scripts look for bubblewrap's words and status. */
  @Test
  void speaksAsBubblewrapWhereItStandsInForIt() throws Exception {
    ProgramCompiler.Options options =
        ProgramCompiler.Options.plain(
            Architecture.host(), Reporting.text(Speaker.BUBBLEWRAP), Launcher.VERSION);
    launcher = Launcher.of(directory, options, new Instruction.ExecuteCommand(SearchPath.COMMAND));
    file(directory.resolve("data"), "data", "rw-r--r--");
    executable(directory.resolve("orphan"), "#!/none\n");
    String path = directory.toString();
    expect(
        1,
        "bwrap: execvp nope: No such file or directory\nhint: command not found in PATH="
            + path
            + "\n",
        withPath(path, "nope").end());
    expect(1, "bwrap: execvp /nope: No such file or directory\n", withPath(path, "/nope").end());
    expect(1, "bwrap: execvp data: Permission denied\n", withPath(path, "data").end());
    Ended orphan = withPath(path, "orphan").end();
    assertEquals(1, orphan.exit());
    assertTrue(
        orphan
            .error()
            .startsWith("bwrap: execvp orphan: No such file or directory\nhint: cannot start"),
        orphan::error);
    assertTrue(orphan.error().contains("/none"), orphan::error);
  }

  @Test
  void passesBytesOn() throws Exception {
    Path raw = Launcher.of(directory, new Instruction.ExecuteCommand(SearchPath.COMMAND));
    OsString odd = OsString.ofBytes(new byte[] {(byte) 0xff, '\n', 1, (byte) 0x80, ' '});
    OsString variable = OsString.of("ODD=").concat(odd);
    Ended ended =
        Execution.of(raw, "/bin/cat", "/proc/self/cmdline", "/proc/self/environ", "--")
            .and(OsString.of("/dev/null"))
            .environment(List.of(variable))
            .end();
    List<OsString> expected = new ArrayList<>();
    for (String word :
        List.of("/bin/cat", "/proc/self/cmdline", "/proc/self/environ", "--", "/dev/null")) {
      expected.add(OsString.of(word));
    }
    expected.add(variable);
    assertEquals(expected, ended.strings());
    Ended arguments = Execution.of(raw, "/bin/echo", "-n").and(odd).end();
    assertEquals(odd, OsString.ofBytes(arguments.output()));
  }

  @Test
  void searchesThePathInOrder() throws Exception {
    Path first = makeDirectory("first");
    Path second = makeDirectory("second");
    executable(second.resolve("tool"), SCRIPT);
    String path = "/none:" + first + ":" + second;
    assertEquals("<" + second + "/tool><x>", withPath(path, "tool", "x").end().text());
    executable(first.resolve("tool"), SCRIPT);
    assertEquals("<" + first + "/tool><x>", withPath(path, "tool", "x").end().text());
  }

  @Test
  void searchesTheNewEnvironmentOrTheCallers() throws Exception {
    Path first = makeDirectory("first");
    Path second = makeDirectory("second");
    executable(first.resolve("tool"), SCRIPT);
    executable(second.resolve("tool"), SCRIPT);
    EnvironmentRules rules =
        EnvironmentRules.INHERIT.set(OsString.of("PATH"), OsString.of(second.toString()));
    for (SearchPath search : SearchPath.values()) {
      launcher =
          Launcher.of(
              directory,
              new Instruction.FilterEnvironment(rules),
              new Instruction.ExecuteCommand(search));
      Path expected = search == SearchPath.CALLER ? first : second;
      assertEquals("<" + expected + "/tool>", withPath(first.toString(), "tool").end().text());
    }
  }

  @Test
  void searchesTheUsualDirectoriesWithoutAPath() throws Exception {
    Ended ended = Execution.of(launcher, "sh", "-c", "echo $0").end();
    assertEquals("sh\n", ended.text());
    expect(
        127,
        "cloister: no-such-tool: command not found in PATH=/usr/bin:/bin\n",
        Execution.of(launcher, "no-such-tool").environment("PATHX=/none", "XPATH=/none").end());
  }

  @Test
  void searchesABakedPath() throws Exception {
    Path first = makeDirectory("first");
    executable(first.resolve("tool"), SCRIPT);
    launcher =
        Launcher.of(
            directory,
            Launcher.withEnvironment(List.of(OsString.of("PATH=" + first))),
            new Instruction.ExecuteCommand(SearchPath.CALLER));
    assertEquals("<" + first + "/tool>", withPath("/none", "tool").end().text());
  }

  /** An empty element is the working directory, and an empty PATH is one empty element. */
  @Test
  void emptyElementsAreTheWorkingDirectory() throws Exception {
    executable(directory.resolve("tool"), SCRIPT);
    for (String path : List.of("", ":", ":/none", "/none:", "/none::/none2")) {
      Ended ended = withPath(path, "tool", "x").in(directory).end();
      assertEquals("<tool><x>", ended.text(), () -> "PATH=" + path + ": " + ended.error());
    }
    expect(
        127,
        "cloister: tool: command not found in PATH=\n",
        withPath("", "tool").in(Path.of("/")).end());
  }

  @Test
  void missingIs127() throws Exception {
    expect(
        127,
        "cloister: tool: command not found in PATH=/none:" + directory + "\n",
        withPath("/none:" + directory, "tool").end());
    expect(
        127,
        "cloister: /none/tool: command not found: ENOENT (No such file or directory)\n",
        withPath("/bin", "/none/tool").end());
    expect(
        127,
        "cloister: /dev/null/tool: command not found: ENOTDIR (Not a directory)\n",
        withPath("/bin", "/dev/null/tool").end());
    expect(127, "cloister: '': command not found in PATH=/bin\n", withPath("/bin", "").end());
  }

  @Test
  void elementsThatAreNoDirectoriesAreSkipped() throws Exception {
    Path loop = Files.createSymbolicLink(directory.resolve("loop"), Path.of("loop"));
    String path = "/dev/null:" + loop + ":" + "/x".repeat(3000) + ":/usr/bin:/bin";
    assertEquals("found\n", withPath(path, "echo", "found").end().text());
  }

  @Test
  void notExecutableIs126() throws Exception {
    Path plain = file(directory.resolve("plain"), SCRIPT, "rw-r--r--");
    String error = ": cannot be executed: EACCES (Permission denied)\n";
    expect(126, "cloister: " + plain + error, withPath("/none", plain.toString()).end());
    expect(126, "cloister: " + plain + error, withPath("/none:" + directory, "plain").end());
  }

  @Test
  void aDirectoryCannotBeExecuted() throws Exception {
    Path folder = makeDirectory("folder");
    String error = ": cannot be executed: EACCES (Permission denied)\n";
    expect(126, "cloister: " + folder + error, withPath("/none", folder.toString()).end());
    expect(126, "cloister: " + folder + error, withPath(directory.toString(), "folder").end());
  }

  @Test
  void aLaterFileCanBeExecuted() throws Exception {
    Path first = makeDirectory("first");
    Path second = makeDirectory("second");
    file(first.resolve("tool"), SCRIPT, "rw-r--r--");
    executable(second.resolve("tool"), SCRIPT);
    Ended ended = withPath(first + ":" + second, "tool", "x").end();
    assertEquals("<" + second + "/tool><x>", ended.text());
  }

  @Test
  void theFirstFileThatCannotBeExecutedIsNamed() throws Exception {
    Path first = makeDirectory("first");
    Path second = makeDirectory("second");
    file(first.resolve("tool"), SCRIPT, "rw-r--r--");
    executable(second.resolve("tool"), "#!/none/interpreter\n");
    expect(
        126,
        "cloister: " + first + "/tool: cannot be executed: EACCES (Permission denied)\n",
        withPath(first + ":" + second + ":/none", "tool").end());
  }

  /** EACCES of the directory says nothing of a file in it. */
  @Test
  void anUnsearchableDirectoryHasNoCommands() throws Exception {
    Path locked = makeDirectory("locked");
    executable(locked.resolve("tool"), SCRIPT);
    Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("---------"));
    try {
      expect(
          127,
          "cloister: tool: command not found in PATH=" + locked + ":/none\n",
          withPath(locked + ":/none", "tool").asNobody().end());
      assertEquals("on\n", withPath(locked + ":/bin", "echo", "on").asNobody().end().text());
    } finally {
      Launcher.letEveryoneIn(locked);
    }
  }

  private static final String HINT =
      "\nhint: make the interpreter visible in the sandbox, for example with --ro-bind\n";

  @Test
  void namesAMissingInterpreter() throws Exception {
    for (String line :
        List.of(
            "#!/none/python", "#! \t/none/python -x y", "#!/none/python\t-x", "#!/none/python ")) {
      Path script = executable(directory.resolve("script"), line + "\nprint\n");
      String error =
          "cloister: "
              + script
              + ": cannot start, because its interpreter does not exist here: /none/python"
              + HINT;
      expect(127, error, withPath("/none", script.toString()).end());
      expect(127, error, withPath("/none:" + directory, "script").end());
    }
  }

  @Test
  void anInterpreterThatEndsTheFileIsNamed() throws Exception {
    Path script = executable(directory.resolve("script"), "#!/none/python");
    Ended ended = withPath("/none", script.toString()).end();
    assertTrue(ended.error().contains(" here: /none/python" + HINT), ended.error());
  }

  @Test
  void aLaterFileHasItsInterpreter() throws Exception {
    Path first = makeDirectory("first");
    Path second = makeDirectory("second");
    executable(first.resolve("tool"), "#!/none/python\n");
    executable(second.resolve("tool"), SCRIPT);
    Ended ended = withPath(first + ":" + second, "tool").end();
    assertEquals("<" + second + "/tool>", ended.text());
  }

  @Test
  void namesAMissingLoader() throws Exception {
    Path tool = directory.resolve("tool");
    Path source = Files.writeString(directory.resolve("tool.c"), "int main(void) { return 0; }\n");
    Ended compiled =
        Execution.of(
                Path.of(Required.program("gcc")),
                "-Wl,--dynamic-linker=/none/ld.so",
                "-o",
                tool.toString(),
                source.toString())
            .environment("PATH=/usr/bin:/bin")
            .end();
    assertEquals(0, compiled.exit(), compiled.error());
    String error =
        "cloister: "
            + tool
            + ": cannot start, because its interpreter does not exist here: /none/ld.so"
            + HINT;
    expect(127, error, withPath("/none", tool.toString()).end());
    expect(127, error, withPath(directory.toString(), "tool").end());
  }

  @Test
  void textIsAShellScript() throws Exception {
    Path script = executable(directory.resolve("script"), "printf '<%s>' \"$0\" \"$@\"; exit 7\n");
    Ended direct = withPath("/none", script.toString(), "a b", "").end();
    assertEquals("<" + script + "><a b><>", direct.text());
    assertEquals(7, direct.exit());
    Ended found = withPath("/none:" + directory, "script", "-x").end();
    assertEquals("<" + script + "><-x>", found.text());
  }

  @Test
  void anEmptyFileIsAnEmptyScript() throws Exception {
    Path script = executable(directory.resolve("script"), "");
    assertEquals(0, withPath("/none", script.toString()).end().exit());
  }

  @Test
  void longNamesAreNotFound() throws Exception {
    for (int length : new int[] {255, 256, 4095, 4096, 4097, 8192, 70_000, 131_000}) {
      String name = "n".repeat(length);
      expect(
          127,
          "cloister: " + name + ": command not found in PATH=/bin\n",
          withPath("/bin", name).end());
    }
  }

  @Test
  void longElementsAreSkipped() throws Exception {
    for (int length : new int[] {4094, 4095, 4096, 4097, 9000, 130_000}) {
      String element = "/" + "e".repeat(length);
      assertEquals("on\n", withPath(element + ":/bin", "echo", "on").end().text(), "" + length);
      expect(
          127,
          "cloister: tool: command not found in PATH=" + element + "\n",
          withPath(element, "tool").end());
    }
  }

  @Test
  void aLongNameInALongPathIsStillAMessage() throws Exception {
    String name = "n".repeat(131_000);
    String path = "/" + "e".repeat(131_000);
    expect(
        127,
        "cloister: " + name + ": command not found in PATH=" + path + "\n",
        withPath(path, name).end());
  }

  @Test
  void aFileThatIsWrittenToCannotBeExecuted() throws Exception {
    Path tool = directory.resolve("tool");
    Files.copy(launcher, tool);
    Files.setPosixFilePermissions(tool, PosixFilePermissions.fromString("rwxr-xr-x"));
    try (FileChannel open = FileChannel.open(tool, StandardOpenOption.WRITE)) {
      assertTrue(open.isOpen());
      String error = ": cannot be executed: ETXTBSY (Text file busy)\n";
      expect(126, "cloister: " + tool + error, withPath("/none", tool.toString()).end());
      expect(126, "cloister: " + tool + error, withPath(directory.toString(), "tool").end());
    }
  }

  /** The kernel takes strings of at most 32 pages. */
  @Test
  void anEnvironmentThatIsTooLargeIs126() throws Exception {
    EnvironmentRules rules =
        EnvironmentRules.INHERIT.set(OsString.of("BIG"), OsString.of("x".repeat(1 << 21)));
    launcher =
        Launcher.of(
            directory,
            new Instruction.FilterEnvironment(rules),
            new Instruction.ExecuteCommand(SearchPath.COMMAND));
    String error = "/echo: cannot be executed: E2BIG (Argument list too long)\n";
    expect(126, "cloister: /bin" + error, withPath("/bin", "/bin/echo").end());
    expect(126, "cloister: /usr/bin" + error, withPath("/usr/bin", "echo").end());
  }

  @Test
  void aMessageEscapesNothingTheCallerDidNotWrite() throws Exception {
    OsString odd = OsString.ofBytes(new byte[] {'x', (byte) 0xc3, (byte) 0xa9});
    Ended ended = withPath("/bin").and(odd).end();
    assertEquals("cloister: xé: command not found in PATH=/bin\n", ended.error());
  }

  /** It is found by its own. */
  @Test
  void tellsTheCommandAnotherName() throws Exception {
    Path bin = makeDirectory("named");
    executable(bin.resolve("script"), SCRIPT);
    Path renaming =
        Launcher.of(
            directory,
            new Instruction.ExecuteCommand(
                SearchPath.COMMAND, Optional.of(OsString.of("another name")), Optional.empty()));
    Ended ended =
        Execution.of(renaming, "sh", "-c", "echo $0").environment("PATH=/bin:/usr/bin").end();
    assertEquals(List.of("another name"), ended.lines());
    // The kernel gives an interpreter the path of its script.
    ended = Execution.of(renaming, "script", "x").environment("PATH=" + bin).end();
    assertEquals(List.of("<" + bin.resolve("script") + "><x>"), ended.lines());
    ended = Execution.of(renaming, "missing").environment("PATH=" + bin).end();
    assertTrue(ended.error().startsWith("cloister: missing: command not found"), ended.error());
  }
}
