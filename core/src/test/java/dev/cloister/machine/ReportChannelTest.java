package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.Pipe;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Execution;
import dev.cloister.fixture.Execution.Ended;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Handover;
import dev.cloister.spec.OsString;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a launcher says to a library, and to nobody else. */
class ReportChannelTest {
  private static final Handover HANDOVER = Handover.library(Set.of());
  private static final Instruction EXIT = new Instruction.Exit();
  private static final Slot PARENT = new Slot("parent");

  /** Above the numbers that the launcher has. */
  private static final int APART = 100;

  @TempDir Path directory;

  private record Failure(int step, int errno, int status, String text) {}

  private byte[] report(int status, String[] arguments, Instruction... instructions)
      throws Exception {
    Path launcher =
        Launcher.of(
            directory,
            ProgramCompiler.Options.library(
                Architecture.host(), HANDOVER, ProcessHandle.current().pid()),
            instructions);
    try (Pipe channel = Pipe.open()) {
      Ended ended = run(Execution.of(launcher, arguments), channel.writeEnd());
      assertEquals(status, ended.exit());
      assertEquals("", ended.text());
      assertEquals("", ended.error());
      channel.writeEnd().close();
      return readAll(channel.readEnd());
    }
  }

  private static Ended run(Execution execution, Descriptor channel) throws Exception {
    try (Descriptor apart = Descriptor.duplicateOf(channel.number(), APART)) {
      return execution.giving(HANDOVER.report(), apart).end();
    }
  }

  private static byte[] readAll(Descriptor channel) throws Exception {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    byte[] chunk = new byte[4096];
    for (int count = channel.read(chunk); count > 0; count = channel.read(chunk)) {
      all.write(chunk, 0, count);
    }
    return all.toByteArray();
  }

  private Failure failure(Instruction... instructions) throws Exception {
    return parse(report(125, new String[] {"", "command"}, instructions));
  }

  private static Failure parse(byte[] report) {
    ByteBuffer words = ByteBuffer.wrap(report).order(ByteOrder.LITTLE_ENDIAN);
    return new Failure(
        words.getInt(),
        words.getInt(),
        words.getInt(),
        StandardCharsets.UTF_8.decode(words).toString());
  }

  private static Call chdir(String path) {
    return Call.of(SystemCall.CHDIR, Operand.of(path));
  }

  @Test
  void aStepThatFailsHasItsNumberErrnoAndHint() throws Exception {
    Call none = chdir("/none").hint(Errno.ENOENT, "make it");
    assertEquals(
        new Failure(
            2,
            Errno.ENOENT.number(),
            125,
            "cloister: test: step 2 of 2: chdir(\"/none\"): ENOENT (No such file or directory)\n"
                + "hint: make it\n"),
        failure(chdir("/"), none, EXIT));
  }

  @Test
  void whatIsNoStepsFailureHasNoNumber() throws Exception {
    assertEquals(
        new Failure(0, 0, 125, "cloister: test: it worked\n"),
        failure(new Instruction.ExpectFailure(chdir("/"), "it worked"), EXIT));
    assertEquals(
        new Failure(0, 0, 125, "cloister: A is not set\n"),
        failure(new Instruction.RequireVariable(OsString.of("A"), "A is not set"), EXIT));
    // Nobody put the parent's number there.
    assertEquals(
        new Failure(
            0, 0, 125, "cloister: test: the process that asked for this sandbox has ended\n"),
        failure(
            Call.of(SystemCall.GETPID).into(PARENT), new Instruction.RequireParent(PARENT), EXIT));
    assertEquals(
        new Failure(0, 0, 125, "cloister: no command given\n"),
        parse(report(125, new String[] {""}, EXIT)));
  }

  @Test
  void whatIsSaidToPeopleIsSaidToNobody() throws Exception {
    assertEquals(
        0, report(0, new String[] {"", "command"}, new Instruction.Say("a word"), EXIT).length);
  }

  /** It must find room in the channel while nobody reads. */
  @Test
  void longTextsAreCut() throws Exception {
    String name = "/" + "n".repeat(100_000);
    byte[] report =
        report(
            126,
            new String[] {"", name},
            new Instruction.ExecuteCommand(Instruction.SearchPath.COMMAND));
    assertEquals(64 * 1024, report.length);
    Failure failure = parse(report);
    assertEquals(Errno.ENAMETOOLONG.number(), failure.errno());
    assertTrue(failure.text().startsWith("cloister: /nnn"), failure::text);
  }
}
