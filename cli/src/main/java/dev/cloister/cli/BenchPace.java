package dev.cloister.cli;

import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;

/**
 * How long samples are taken.
 *
 * @param samples how many of each subject; empty for as many as fit into {@code nanos}
 * @param nanos for those
 */
record BenchPace(OptionalInt samples, long nanos) {
  private static final long USUAL_NANOS = TimeUnit.SECONDS.toNanos(7);

  /** Where all else took long, this many are left: nobody waits longer than twenty seconds. */
  private static final long LEAST_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final long LAST_NANOS = TimeUnit.SECONDS.toNanos(12);

  /** So many, however long that takes. */
  static BenchPace of(int samples) {
    return new BenchPace(OptionalInt.of(samples), 0);
  }

  /**
   * As many as fit into some seconds.
   *
   * @param spent what everything before them took, in nanoseconds
   */
  static BenchPace usual(long spent) {
    long left = Math.clamp(LAST_NANOS - spent, LEAST_NANOS, USUAL_NANOS);
    return new BenchPace(OptionalInt.empty(), left);
  }

  /**
   * How much is done: 1 or more if that is enough.
   *
   * @param rounds samples of each subject so far
   * @param spent since the first, in nanoseconds
   */
  double done(int rounds, long spent) {
    return samples.isPresent() ? (double) rounds / samples.getAsInt() : (double) spent / nanos;
  }
}
