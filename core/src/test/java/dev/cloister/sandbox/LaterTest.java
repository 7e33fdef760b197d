package dev.cloister.sandbox;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** That of several actions which are due at the same time none depends on another. */
class LaterTest {
  /** Longer than the moment after which they are due. */
  private static final long MILLIS = 20;

  @Test
  void anActionThatFailsLeavesTheOthersAlone() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch bothDue = new CountDownLatch(1);
    CountDownLatch done = new CountDownLatch(1);
    Later.run(
        () -> {
          begun.countDown();
          awaitUnlessInterrupted(bothDue);
        });
    begun.await();
    Later.run(
        () -> {
          throw new IllegalStateException("an action that fails, for a test");
        });
    Later.run(done::countDown);
    Thread.sleep(MILLIS);
    bothDue.countDown();
    assertTrue(done.await(10, TimeUnit.SECONDS));
  }

  private static void awaitUnlessInterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
