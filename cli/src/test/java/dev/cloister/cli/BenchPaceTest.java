package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class BenchPaceTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  @Test
  void countsIfItIsTold() {
    BenchPace pace = BenchPace.of(4);
    assertEquals(0.25, pace.done(1, 0));
    assertEquals(0.75, pace.done(3, 1000 * SECOND));
    assertEquals(1, pace.done(4, 0));
  }

  @Test
  void elseLooksAtTheClock() {
    BenchPace pace = BenchPace.usual(SECOND);
    assertEquals(0.5, pace.done(1_000_000, pace.nanos() / 2));
    assertEquals(1, pace.done(1, pace.nanos()));
  }

  /** Where trying the strategies took long, say. */
  @Test
  void endsInTimeHoweverLateItBegins() {
    for (long spent = 0; spent < 18; spent++) {
      long end = spent * SECOND + BenchPace.usual(spent * SECOND).nanos();
      assertTrue(end < 20 * SECOND, "after " + spent + " s it ends at " + end);
      assertTrue(end > spent * SECOND, "nothing is measured after " + spent + " s");
    }
  }
}
