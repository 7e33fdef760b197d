package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SamplesTest {
  /** 1 to {@code count}, in no order. */
  private static Samples upTo(int count) {
    List<Long> nanos = new ArrayList<>(LongStream.rangeClosed(1, count).boxed().toList());
    Collections.shuffle(nanos, new Random(1));
    return new Samples(nanos);
  }

  @Test
  void findsThemInAnyOrder() {
    Samples samples = upTo(100);
    assertEquals(100, samples.count());
    assertEquals(1, samples.min());
    assertEquals(50, samples.median());
    assertEquals(95, samples.p95());
    assertEquals(100, samples.percentile(100));
  }

  /** The nearest rank is rounded up, so nothing is made up between two samples. */
  @Test
  void saysOnlyWhatWasMeasured() {
    assertEquals(2, upTo(3).median());
    assertEquals(3, upTo(3).p95());
    assertEquals(2, upTo(4).median());
    assertEquals(19, upTo(20).p95());
    assertEquals(20, upTo(21).p95());
  }

  @Test
  void oneIsAllOfThem() {
    Samples samples = new Samples(List.of(7L));
    assertEquals(
        List.of(7L, 7L, 7L), List.of(samples.min(), samples.median(), samples.percentile(1)));
    assertEquals(7, samples.p95());
  }

  @Test
  void noneHaveNoMedian() {
    assertThrows(IllegalArgumentException.class, () -> new Samples(List.of()));
  }
}
