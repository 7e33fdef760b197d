package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimeAxisTest {
  /** A factor of two on two columns each. */
  private static final TimeAxis AXIS = new TimeAxis(1000, 16_000, 8);

  @Test
  void hasOneWidthForOneFactor() {
    assertEquals(0, AXIS.column(1000));
    assertEquals(2, AXIS.column(2001));
    assertEquals(4, AXIS.column(4001));
    assertEquals(6, AXIS.column(8001));
    assertEquals(7, AXIS.column(15_999));
  }

  @Test
  void hasBothEndsOnIt() {
    assertEquals(7, AXIS.column(16_000));
    assertTrue(AXIS.column(999) < 0);
    assertTrue(AXIS.column(16_001) >= 8);
  }

  @Test
  void drawsHowManyFallWhere() {
    Samples samples = new Samples(List.of(1000L, 4001L, 4002L, 4003L, 4004L, 16_000L, 99_000L));
    assertEquals("▂   █  ▂", AXIS.bars(samples));
  }

  @Test
  void showsOneAmongMany() {
    List<Long> many = new java.util.ArrayList<>(Collections.nCopies(1000, 1000L));
    many.add(16_000L);
    assertEquals("█      ▁", AXIS.bars(new Samples(many)));
  }

  /** One that took very long is in the numbers; it would leave the others one column. */
  @Test
  void endsWhereTheSlowestTwentiethBegins() {
    List<Long> fast = new java.util.ArrayList<>(Collections.nCopies(19, 1000L));
    fast.add(1_000_000L);
    Samples slow = new Samples(Collections.nCopies(20, 2000L));
    assertEquals(new TimeAxis(1000, 2000, 30), TimeAxis.of(List.of(new Samples(fast), slow), 30));
  }

  @Test
  void hasTwoEndsEvenForOneTime() {
    TimeAxis axis = TimeAxis.of(List.of(new Samples(List.of(5L))), 4);
    assertEquals("█   ", axis.bars(new Samples(List.of(5L))));
    TimeAxis nothing = TimeAxis.of(List.of(new Samples(List.of(0L))), 4);
    assertEquals("    ", nothing.bars(new Samples(List.of(0L))));
  }

  @Test
  void saysItsEnds() {
    assertEquals("1 µs           16 µs", new TimeAxis(1000, 16_000, 20).labels());
  }
}
