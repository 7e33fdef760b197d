package dev.cloister.cli;

import java.util.List;

/**
 * A logarithmic axis of times, in characters: what takes twice as long is as far to the right
 * wherever it starts.
 *
 * @param from what lies at its left end, in nanoseconds
 * @param to what lies at its right end, in nanoseconds
 * @param columns how many characters it has
 */
record TimeAxis(long from, long to, int columns) {
  /** From nothing to everything. */
  private static final String HEIGHTS = " ▁▂▃▄▅▆▇█";

  /** One that has room for all of these but the slowest, which would leave the others none. */
  static TimeAxis of(List<Samples> all, int columns) {
    long from = all.stream().mapToLong(Samples::min).min().orElse(1);
    long to = all.stream().mapToLong(Samples::p95).max().orElse(1);
    // Times of 0 have no place on it, and a line needs two ends.
    return new TimeAxis(Math.max(1, from), Math.max(Math.max(1, from) + 1, to), columns);
  }

  /** Where that time lies, from 0; outside of the columns if it does not lie on the axis. */
  int column(long nanos) {
    double part = Math.log((double) nanos / from) / Math.log((double) to / from);
    // The right end belongs to the last column.
    return nanos == to ? columns - 1 : (int) Math.floor(part * columns);
  }

  /**
   * A bar for each column, as high as many samples fall there; the highest is a whole character.
   */
  String bars(Samples samples) {
    int[] counts = new int[columns];
    int most = 1;
    for (long nanos : samples.nanos()) {
      int column = column(nanos);
      if (column >= 0 && column < columns) {
        counts[column]++;
        most = Math.max(most, counts[column]);
      }
    }
    StringBuilder text = new StringBuilder();
    for (int count : counts) {
      // Rounded up, so that a single sample is seen.
      text.append(HEIGHTS.charAt(Math.ceilDiv(count * (HEIGHTS.length() - 1), most)));
    }
    return text.toString();
  }

  /** What lies at both ends, written above them. */
  String labels() {
    String left = label(from);
    String right = label(to);
    return left + " ".repeat(Math.max(1, columns - left.length() - right.length())) + right;
  }

  private static String label(long nanos) {
    return Microseconds.text(nanos) + " µs";
  }
}
