package dev.cloister.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.ChildProcess;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.ExitStatus;
import dev.cloister.sandbox.SandboxException.Phase;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** What launchers say, as docs/adr/0018-library.md has it. */
class LauncherReportTest {
  private static final String TEXT =
      "cloister: pivot_root: step 3 of 9: mount(\"/a: b\", \"c\", NULL, MS_BIND, NULL): ENOENT (No"
          + " such file or directory)\nhint: make it\n";

  private static LauncherReport parse(int[] words, byte[] rest) {
    ByteBuffer bytes =
        ByteBuffer.allocate(4 * words.length + rest.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int word : words) {
      bytes.putInt(word);
    }
    bytes.put(rest);
    return LauncherReport.parse(bytes.array(), bytes.capacity());
  }

  private static LauncherReport parse(String text, int... words) {
    return parse(words, text.getBytes(StandardCharsets.UTF_8));
  }

  private static SandboxException exception(LauncherReport report) {
    return report.failed().orElseThrow().toException();
  }

  @Test
  void silenceIsNothing() {
    assertEquals(LauncherReport.NOTHING, parse(""));
  }

  @Test
  void aLauncherThatExecutesHasNotFailed() {
    LauncherReport report = parse("", -4, -2);
    assertTrue(report.executing());
    assertFalse(report.ready());
    assertEquals(Optional.empty(), report.failed());
  }

  @Test
  void aLauncherThatWaitsIsReady() {
    assertTrue(parse("", -4, -3).ready());
  }

  @Test
  void aFailedStepIsTypedAndSaysWhatTheCommandLineSays() {
    SandboxException e = exception(parse(TEXT, -4, 3, Errno.ENOENT.number(), 125));
    assertEquals(Phase.SET_UP, e.phase());
    assertEquals(OptionalInt.of(3), e.step());
    assertEquals(Optional.of("mount(\"/a: b\", \"c\", NULL, MS_BIND, NULL)"), e.call());
    assertEquals(Optional.of(Errno.ENOENT), e.errno());
    assertEquals(Optional.of("make it"), e.hint());
    assertEquals(TEXT.strip().substring("cloister: ".length()), e.getMessage());
  }

  @Test
  void aCommandThatCannotBeExecutedIsNoStep() {
    String text = "cloister: x: cannot be executed: EACCES (Permission denied)\n";
    SandboxException e = exception(parse(text, -2, 0, Errno.EACCES.number(), 126));
    assertEquals(Phase.COMMAND, e.phase());
    assertEquals(OptionalInt.empty(), e.step());
    assertEquals(Optional.empty(), e.call());
    assertEquals(Optional.of(Errno.EACCES), e.errno());
    assertEquals(Optional.empty(), e.hint());
  }

  @Test
  void whatNoCallSaidHasNoError() {
    SandboxException e = exception(parse("cloister: x: the parent has ended\n", 0, 0, 125));
    assertEquals(Phase.SET_UP, e.phase());
    assertEquals(Optional.empty(), e.errno());
    assertEquals("x: the parent has ended", e.getMessage());
  }

  @Test
  void aDirectoryIsCalledByItsName() {
    Request request = Requests.in("/no \"where\"");
    String text = "cloister: x: step 1 of 1: chdir(arguments[1]): ENOENT (No such ...)\n";
    LauncherReport report = parse(text, 1, Errno.ENOENT.number(), 125).naming(request);
    assertEquals(Optional.of("chdir(\"/no \\\"where\\\"\")"), exception(report).call());
  }

  @Test
  void anEndSaysHowAndWhatItTook() {
    byte[] usage = new byte[144];
    ByteBuffer.wrap(usage)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(0, 2)
        .putLong(8, 5)
        .putLong(32, 7);
    ChildProcess.Ended exited = parse(new int[] {-1, 3 << 8}, usage).ended().orElseThrow();
    assertEquals(new ExitStatus.Exited(3), exited.status());
    assertEquals(2_000_005_000L, exited.usage().userTime().toNanos());
    assertEquals(7 * 1024, exited.usage().maxResidentBytes());
    ChildProcess.Ended killed = parse(new int[] {-1, 11 | 0x80}, usage).ended().orElseThrow();
    assertEquals(new ExitStatus.Killed(11, true), killed.status());
  }

  @Test
  void whatWasCutOffIsNotBelieved() {
    assertEquals(Optional.empty(), parse("", -1, 0).ended());
    assertEquals(Optional.empty(), parse("", 3, 2).failed());
    assertEquals(LauncherReport.NOTHING, parse("ab"));
  }
}
