package dev.cloister.sandbox;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.cloister.ffm.ChildProcess;
import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.Pipe;
import dev.cloister.ffm.Spawn;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Processes whose end the kernel does not tell as others' ends. */
@Timeout(60)
class RunningChildTest {
  /** Ends with its input. */
  private static ChildProcess cat(Descriptor input) throws Exception {
    return Spawn.of("/bin/cat".getBytes(US_ASCII), List.of("cat".getBytes(US_ASCII)), List.of())
        .duplicate(input, 0)
        .start();
  }

  private static long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("cloister-wait"))
        .count();
  }

  /** Somebody else's watch is in the way, as too many would be. */
  @Test
  void oneThatCannotBeWatchedHasOneThread() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      ChildProcess process = cat(pipe.readEnd());
      EventThread.shared().watch(process.pidfd().orElseThrow(), LinuxConstant.EPOLLIN, () -> {});
      RunningChild child = RunningChild.adopt(process, "none", null, true);
      CompletableFuture<Result> ended = child.ended();
      for (int i = 0; i < 5; i++) {
        assertSame(ended, child.ended());
      }
      assertEquals(1, threads());
      pipe.writeEnd().close();
      child.awaitDirectly();
      assertEquals(0, ended.get().exitValue());
    }
  }
}
