package dev.cloister.benchmarks.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class QuantilesTest {
  @Test
  void ofManyAreTheirOwn() {
    double[] samples = IntStream.range(0, 1001).mapToDouble(it -> 1000 - it).toArray();
    Quantiles quantiles = Quantiles.of(samples);
    assertEquals(0, quantiles.least());
    assertEquals(500, quantiles.median());
    assertEquals(950, quantiles.at(95));
    assertEquals(1000, quantiles.at(100));
    assertEquals(1000, samples[0], "samples stay as they were");
  }

  @Test
  void ofFewLieBetween() {
    Quantiles quantiles = Quantiles.of(new double[] {4, 1, 2, 3});
    assertEquals(2.5, quantiles.median());
    assertEquals(1.3, quantiles.at(10), 1e-9);
  }

  @Test
  void ofOneIsThatOne() {
    Quantiles quantiles = Quantiles.of(new double[] {7});
    assertEquals(7, quantiles.least());
    assertEquals(7, quantiles.median());
    assertEquals(7, quantiles.at(100));
  }

  @Test
  void ofNoneAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> Quantiles.of(new double[0]));
    assertThrows(IllegalArgumentException.class, () -> new Quantiles(List.of(1.0)));
  }
}
