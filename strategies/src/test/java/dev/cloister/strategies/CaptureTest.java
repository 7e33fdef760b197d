package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.sandbox.Capture;
import dev.cloister.sandbox.Capture.Exceeded;
import dev.cloister.sandbox.CaptureLimits;
import dev.cloister.sandbox.SandboxException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Commands of which only what they write is wanted, within limits. */
@Timeout(120)
class CaptureTest {
  private static final int MEGABYTE = 1024 * 1024;
  private static final CaptureLimits AMPLE = new CaptureLimits(MEGABYTE, Duration.ofMinutes(1));

  private static Capture capture(SandboxKind kind, String script, CaptureLimits limits)
      throws Exception {
    return kind.sandbox().command("/bin/sh", "-c", script).capture(limits);
  }

  @EachSandbox
  void keepsBothStreams(SandboxKind kind) throws Exception {
    Capture capture = capture(kind, "cat; echo ü; echo error >&2; exit 3", AMPLE);
    assertEquals("ü\n", capture.outputText());
    assertEquals("error\n", capture.errorText());
    assertEquals(3, capture.result().exitValue());
    assertEquals(Exceeded.NONE, capture.exceeded());
  }

  @EachSandbox
  void keepsAsMuchAsAllowed(SandboxKind kind) throws Exception {
    String script = "head -c " + MEGABYTE + " /dev/zero | tee /dev/stderr";
    Capture capture = capture(kind, script, AMPLE);
    assertEquals(Exceeded.NONE, capture.exceeded());
    assertEquals(MEGABYTE, capture.output().length);
    assertEquals(MEGABYTE, capture.error().length);
    assertEquals(0, capture.result().exitValue());
  }

  @EachSandbox
  void killsWhoWritesMore(SandboxKind kind) throws Exception {
    for (String script : List.of("exec yes", "exec yes >&2")) {
      Capture capture = capture(kind, script, new CaptureLimits(1000, Duration.ofMinutes(1)));
      assertEquals(Exceeded.BYTES, capture.exceeded());
      assertEquals(1000, capture.output().length + capture.error().length);
      assertEquals(137, capture.result().exitValue());
    }
  }

  @EachSandbox
  void killsWhoTakesLonger(SandboxKind kind) throws Exception {
    Capture capture =
        capture(
            kind,
            "echo before; exec sleep 1000",
            new CaptureLimits(MEGABYTE, Duration.ofMillis(300)));
    assertEquals(Exceeded.TIME, capture.exceeded());
    assertEquals("before\n", capture.outputText());
    assertEquals(137, capture.result().exitValue());
  }

  @ParameterizedTest
  @MethodSource("dev.cloister.strategies.SandboxKind#withoutInit")
  void doesNotWaitForWhatIsLeftInTheBackground(SandboxKind kind) throws Exception {
    String mark = "1000." + System.nanoTime();
    try {
      Capture capture = capture(kind, "sleep " + mark + " & echo done", AMPLE);
      assertEquals("done\n", capture.outputText());
      assertEquals(Exceeded.NONE, capture.exceeded());
    } finally {
      for (long pid : HostProcess.marked(mark)) {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
      }
    }
  }

  @EachSandbox
  void anInterruptKillsTheCommand(SandboxKind kind) throws Exception {
    String mark = "1000." + System.nanoTime();
    for (Thread.Builder builder : List.of(Thread.ofPlatform(), Thread.ofVirtual())) {
      CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
      Thread thread =
          builder.start(
              () -> {
                try {
                  capture(kind, "exec sleep " + mark, AMPLE);
                  interrupted.complete(false);
                } catch (InterruptedException e) {
                  interrupted.complete(true);
                } catch (Exception e) {
                  interrupted.completeExceptionally(e);
                }
              });
      HostProcess.await("it runs", () -> !HostProcess.marked(mark).isEmpty());
      thread.interrupt();
      assertTrue(interrupted.get());
      HostProcess.await("it ends", () -> HostProcess.marked(mark).isEmpty());
    }
  }

  @EachSandbox
  void aCommandThatDoesNotStartIsNoResult(SandboxKind kind) throws Exception {
    assertThrows(
        SandboxException.class, () -> kind.sandbox().command("no-such-command").capture(AMPLE));
  }

  @Test
  void limitsArePositive() {
    assertThrows(IllegalArgumentException.class, () -> new CaptureLimits(0, Duration.ofSeconds(1)));
    assertThrows(IllegalArgumentException.class, () -> new CaptureLimits(1, Duration.ZERO));
    assertThrows(
        IllegalArgumentException.class, () -> new CaptureLimits(1, Duration.ofSeconds(-1)));
    CaptureLimits longest = new CaptureLimits(1, Duration.ofSeconds(Long.MAX_VALUE));
    assertEquals(1, longest.bytes());
  }
}
