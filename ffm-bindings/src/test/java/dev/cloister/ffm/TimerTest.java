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

  private static boolean hasExpired(Timer timer) throws LinuxException {
    return timer.descriptor().tryRead(new byte[Long.BYTES], 0, Long.BYTES)
        != Descriptor.WOULD_BLOCK;
  }

  @Test
  void expiresOnceItIsSet() throws Exception {
    try (Timer timer = Timer.open()) {
      Thread.sleep(20);
      assertFalse(hasExpired(timer));
      timer.set(LONG);
      Thread.sleep(20);
      assertFalse(hasExpired(timer));
      long begin = System.nanoTime();
      timer.set(SHORT);
      Descriptor.awaitAny(timer.descriptor());
      assertTrue(System.nanoTime() - begin >= SHORT.toNanos());
    }
  }

  @Test
  void settingItAgainMakesItForgetThatItExpired() throws Exception {
    try (Timer timer = Timer.open()) {
      timer.set(SHORT);
      Descriptor.awaitAny(timer.descriptor());
      timer.set(LONG);
      assertFalse(hasExpired(timer));
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
