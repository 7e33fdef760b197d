package dev.cloister.cli;

import java.util.List;

/**
 * How long something took, again and again.
 *
 * @param nanos in nanoseconds, at least one; sorted
 */
record Samples(List<Long> nanos) {
  private static final int ALL = 100;

  Samples {
    nanos = nanos.stream().sorted().toList();
    if (nanos.isEmpty()) {
      throw new IllegalArgumentException("no samples");
    }
  }

  int count() {
    return nanos.size();
  }

  /** The shortest, in nanoseconds. */
  long min() {
    return nanos.getFirst();
  }

  /** In nanoseconds. */
  long median() {
    return percentile(50);
  }

  /** What one in twenty took longer than, in nanoseconds. */
  long p95() {
    return percentile(95);
  }

  /**
   * The shortest that at least so many are no longer than: always one that was measured, by the
   * nearest-rank method.
   *
   * @param percent from 1 to 100
   * @return nanoseconds
   */
  long percentile(int percent) {
    int rank = Math.ceilDiv(percent * nanos.size(), ALL);
    return nanos.get(rank - 1);
  }
}
