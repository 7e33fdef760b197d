package dev.cloister.benchmarks.report;

import java.util.List;

/** Results that nobody measured. */
final class Examples {
  static final Environment QUIET =
      new Environment(
          "2026-01-02T03:04:05Z",
          "A CPU",
          2,
          4096,
          true,
          "6.1 amd64",
          "25",
          "bubblewrap 0.8.0",
          65534,
          0.5);

  static final Environment BUSY =
      new Environment(
          "2026-01-02T03:04:05Z", "A CPU", 2, 4096, true, "6.1 amd64", "25", "none", 0, 0.51);

  private Examples() {}

  /** All samples are the same. */
  static Measurement constant(String subject, String variant, double value) {
    return Measurement.of(subject, variant, new double[] {value, value});
  }

  static Results of(String set, String axis, Measurement... measurements) {
    return new Results(
        set,
        "µs",
        axis,
        List.of("plain"),
        QUIET,
        List.of(measurements),
        List.of(new LeftOut("peer", "there is no peer in PATH")));
  }
}
