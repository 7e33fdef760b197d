package dev.cloister.benchmarks.report;

import dev.cloister.benchmarks.report.Results.Cell;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/** The ratios that Cloister is held to, and what they were. */
public final class Targets {
  private static final Cell PLAIN = Cell.of("ProcessBuilder, no sandbox");
  private static final Cell FIRST = Cell.of("cloister run, first");
  private static final Cell REPEATED = Cell.of("cloister run, repeated");
  private static final Cell BUBBLEWRAP = Cell.of("bubblewrap, the same mounts");

  private static final List<Target> ALL =
      List.of(
          new Target(
              "library, five binds, of plain `ProcessBuilder`",
              "library",
              Cell.of("pivot_root"),
              PLAIN,
              0.60),
          new Target(
              "library, five binds, of `ProcessBuilder` of bubblewrap",
              "library",
              Cell.of("pivot_root"),
              Cell.of("ProcessBuilder of bubblewrap"),
              0.25),
          new Target(
              "1000 read-only binds, of bubblewrap",
              "binds",
              new Cell("pivot_root, read-only", "1000"),
              new Cell("bubblewrap, read-only", "1000"),
              0.03),
          new Target(
              "1000 read-only binds, of 100",
              "binds",
              new Cell("pivot_root, read-only", "1000"),
              new Cell("pivot_root, read-only", "100"),
              11),
          new Target(
              "a heap of 4 GiB, of one of 64 MiB",
              "heap",
              new Cell("pivot_root", "4096"),
              new Cell("pivot_root", "64"),
              1.15),
          new Target(
              "emitted launcher, of bubblewrap",
              "launcher",
              Cell.of("emitted launcher"),
              BUBBLEWRAP,
              0.35),
          new Target(
              "emitted launcher, of a static C program",
              "launcher",
              Cell.of("emitted launcher"),
              Cell.of("static C program, the same calls"),
              1.0),
          new Target(
              "`cloister run`, first, of a `java` hello world",
              "start-up",
              FIRST,
              Cell.of("java hello world"),
              1.5),
          new Target(
              "`cloister run`, repeated, of bubblewrap", "launcher", REPEATED, BUBBLEWRAP, 1.5));

  private Targets() {}

  /**
   * A ratio of medians.
   *
   * @param most what it shall not exceed
   */
  private record Target(String name, String set, Cell one, Cell other, double most) {
    List<String> row(Map<String, Results> all) {
      Results results = all.get(set);
      OptionalDouble ratio = results == null ? OptionalDouble.empty() : results.ratio(one, other);
      return List.of(
          name,
          "≤ " + text(most),
          ratio.isPresent() ? text(ratio.getAsDouble()) : "not measured",
          ratio.isPresent() ? ratio.getAsDouble() <= most ? "yes" : "no" : "");
    }

    private static String text(double ratio) {
      return String.format(Locale.ROOT, ratio < 0.1 ? "%.3f" : "%.2f", ratio);
    }
  }

  /**
   * A table of all.
   *
   * @param all the sets by their names; those that are missing were not measured
   */
  public static String table(Map<String, Results> all) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("medians of", "aim", "measured", "met"));
    ALL.forEach(target -> rows.add(target.row(all)));
    return Tables.render(rows);
  }
}
