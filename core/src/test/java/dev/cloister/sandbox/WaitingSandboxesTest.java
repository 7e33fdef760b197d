package dev.cloister.sandbox;

import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
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

  /** One that somebody looks for while it is told what to do should it be lost. */
  private static final class Contended implements Waiting {
    private final CompletableFuture<WaitingSandboxes> all = new CompletableFuture<>();
    private final FutureTask<Boolean> look = new FutureTask<>(this::isHiddenOrTold);
    private volatile boolean told;

    private boolean isHiddenOrTold() {
      return all.join().count() == 0 || told;
    }

    @Override
    public void whenLost(Runnable action) {
      all.join();
      Thread other = Thread.ofPlatform().start(look);
      while (!look.isDone() && other.getState() != Thread.State.WAITING) {
        Thread.onSpinWait();
      }
      told = true;
    }

    @Override
    public Optional<RunningChild> start(Request request, StandardStreams streams) {
      return Optional.empty();
    }

    @Override
    public void end() {}
  }

  @Test
  void noneIsFoundBeforeItKnowsWhatToDoWhenLost() throws Exception {
    Contended one = new Contended();
    Queue<Waiting> source = new ArrayDeque<>(List.of(one));
    try (WaitingSandboxes sandboxes = WaitingSandboxes.start(source::remove, 1)) {
      one.all.complete(sandboxes);
      assertTrue(one.look.get());
    }
  }
}
