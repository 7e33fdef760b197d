package dev.cloister.benchmarks.report;

/**
 * One figure of a set.
 *
 * @param subject what was measured
 * @param variant under which circumstances, such as a number of binds; empty if there is but one
 * @param samples how many there were
 * @param quantiles in the set's unit
 */
public record Measurement(String subject, String variant, int samples, Quantiles quantiles) {
  /** Of samples in any order. */
  public static Measurement of(String subject, String variant, double[] samples) {
    return new Measurement(subject, variant, samples.length, Quantiles.of(samples));
  }

  public double median() {
    return quantiles.median();
  }
}
