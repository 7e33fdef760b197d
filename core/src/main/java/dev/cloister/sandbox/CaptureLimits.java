package dev.cloister.sandbox;

import java.time.Duration;
import java.util.Objects;

/**
 * How much of a command's output to keep, and how long to let it run.
 *
 * @param bytes of standard output, and as many of standard error
 * @param time from the start; the command is killed after that
 */
public record CaptureLimits(int bytes, Duration time) {
  /** Checks that both are positive. */
  public CaptureLimits {
    Objects.requireNonNull(time);
    if (bytes < 1) {
      throw new IllegalArgumentException("bytes: " + bytes);
    }
    if (time.isNegative() || time.isZero()) {
      throw new IllegalArgumentException("time: " + time);
    }
  }
}
