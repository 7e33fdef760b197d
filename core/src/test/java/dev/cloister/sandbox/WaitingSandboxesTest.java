package dev.cloister.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What real sandboxes do too seldom to be met. */
@Timeout(60)
class WaitingSandboxesTest {
  @Test
  void anErrorEndsTheWait() throws Exception {
    Error error = new OutOfMemoryError("made up");
    WaitingSandboxes sandboxes =
        WaitingSandboxes.start(
            () -> {
              throw error;
            },
            1);
    try (sandboxes) {
      IOException e = assertThrows(IOException.class, sandboxes::awaitAll);
      assertSame(error, e.getCause());
    }
  }
}
