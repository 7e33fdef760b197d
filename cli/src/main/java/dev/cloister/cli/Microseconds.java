package dev.cloister.cli;

import java.util.Locale;

/** Times for a person. */
final class Microseconds {
  private static final double NANOS = 1000;

  private Microseconds() {}

  /** Whole ones: a start that takes less has yet to be found. */
  static String text(long nanos) {
    return String.format(Locale.ROOT, "%.0f", nanos / NANOS);
  }
}
