package dev.cloister.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class TimerTest {
  private static final Duration LONG = Duration.ofHours(1);
  private static final Duration SHORT = Duration.ofMillis(5);

  @Test
  void expiresOnceItIsSet() throws Exception {
    try (Timer timer = Timer.open()) {
      assertFalse(timer.descriptor().awaitInput(Duration.ofMillis(20)));
      timer.set(LONG);
      assertFalse(timer.descriptor().awaitInput(Duration.ofMillis(20)));
      long begin = System.nanoTime();
      timer.set(SHORT);
      assertTrue(timer.descriptor().awaitInput(LONG));
      assertTrue(System.nanoTime() - begin >= SHORT.toNanos());
    }
  }

  @Test
  void settingItAgainMakesItForgetThatItExpired() throws Exception {
    try (Timer timer = Timer.open()) {
      timer.set(SHORT);
      assertTrue(timer.descriptor().awaitInput(LONG));
      timer.set(LONG);
      assertFalse(timer.descriptor().awaitInput(Duration.ZERO));
    }
  }

  @Test
  void refusesNoTime() throws Exception {
    try (Timer timer = Timer.open()) {
      Exception e = assertThrows(IllegalArgumentException.class, () -> timer.set(Duration.ZERO));
      assertEquals("no time: PT0S", e.getMessage());
    }
  }
}
