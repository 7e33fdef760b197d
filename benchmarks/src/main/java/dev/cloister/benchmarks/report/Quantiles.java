package dev.cloister.benchmarks.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How samples are distributed: the least of them, every hundredth, and the greatest. Enough for
 * tables and charts, and as long for ten samples as for a million.
 *
 * @param values {@value #COUNT} of them, ascending
 */
public record Quantiles(List<Double> values) {
  static final int COUNT = 101;
  private static final int MEDIAN = 50;

  public Quantiles {
    values = List.copyOf(values);
    if (values.size() != COUNT) {
      throw new IllegalArgumentException(values.size() + " quantiles");
    }
  }

  /**
   * Those of some samples, in any order; between two samples lies what is between them.
   *
   * @throws IllegalArgumentException if there are none
   */
  public static Quantiles of(double[] samples) {
    if (samples.length == 0) {
      throw new IllegalArgumentException("no samples");
    }
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    List<Double> values = new ArrayList<>();
    for (int percent = 0; percent < COUNT; percent++) {
      values.add(between(sorted, percent / (COUNT - 1.0) * (sorted.length - 1)));
    }
    return new Quantiles(values);
  }

  private static double between(double[] sorted, double place) {
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }

  /** What this share of the samples does not exceed. */
  public double at(int percent) {
    return values.get(percent);
  }

  public double least() {
    return values.getFirst();
  }

  public double median() {
    return at(MEDIAN);
  }
}
