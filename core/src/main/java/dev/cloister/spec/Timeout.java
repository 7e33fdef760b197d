package dev.cloister.spec;

import java.time.Duration;

/**
 * How long a command may run.
 *
 * @param limit after which it gets SIGTERM; more than zero
 * @param grace after which, counted from then, it gets SIGKILL
 */
public record Timeout(Duration limit, Duration grace) {
  public Timeout {
    if (!limit.isPositive() || grace.isNegative()) {
      throw new IllegalArgumentException("not a time limit: " + limit + ", grace " + grace);
    }
  }
}
