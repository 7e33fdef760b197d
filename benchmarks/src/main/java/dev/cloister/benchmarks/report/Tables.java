package dev.cloister.benchmarks.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/** {@link Results} as Markdown, for {@code docs/performance.md}. */
public final class Tables {
  private static final int P95 = 95;

  /** A median below this is shown with a digit behind the point. */
  private static final double SMALL = 100;

  private Tables() {}

  /** A table, what was left out, and where it was measured. */
  public static String of(Results results) {
    List<List<String>> rows =
        switch (results.set()) {
          case "phases" -> Phases.table(results);
          default -> results.axis().isEmpty() ? distribution(results) : grid(results);
        };
    StringBuilder text = new StringBuilder(render(rows));
    text.append("\n").append(footnote(results));
    return text.toString();
  }

  private static String footnote(Results results) {
    StringBuilder text = new StringBuilder();
    for (LeftOut one : results.leftOut()) {
      text.append("Not measured: %s (%s).\n\n".formatted(one.subject(), one.reason()));
    }
    Environment environment = results.environment();
    text.append("%s; %s.\n".formatted(environment.date(), environment.line()));
    if (environment.isLoaded()) {
      text.append("**The machine was busy: these figures are not to be trusted.**\n");
    }
    return text.toString();
  }

  /** One row per subject: how its samples are distributed, and its ratio to each reference. */
  private static List<List<String>> distribution(Results results) {
    List<String> head =
        new ArrayList<>(List.of("", "least", "median, " + results.unit(), "95 %", "samples"));
    for (String reference : results.references()) {
      head.add("of: " + reference);
    }
    List<List<String>> rows = new ArrayList<>(List.of(head));
    for (Measurement one : results.measurements()) {
      Quantiles quantiles = one.quantiles();
      List<String> row = new ArrayList<>(List.of(one.subject()));
      row.add(number(quantiles.least()));
      row.add(number(quantiles.median()));
      row.add(number(quantiles.at(P95)));
      row.add("" + one.samples());
      for (String reference : results.references()) {
        row.add(ratio(results, one.subject(), reference, one.variant()));
      }
      rows.add(row);
    }
    return rows;
  }

  /** One row per subject, one column per variant: medians. */
  private static List<List<String>> grid(Results results) {
    List<String> head =
        new ArrayList<>(List.of("medians, %s, by %s".formatted(results.unit(), results.axis())));
    head.addAll(results.variants());
    List<List<String>> rows = new ArrayList<>(List.of(head));
    for (String subject : results.subjects()) {
      List<String> row = new ArrayList<>(List.of(subject));
      for (String variant : results.variants()) {
        Optional<Measurement> cell = results.find(subject, variant);
        row.add(cell.map(it -> number(it.median())).orElse(""));
      }
      rows.add(row);
    }
    return rows;
  }

  private static String ratio(Results results, String subject, String reference, String variant) {
    OptionalDouble ratio =
        results.ratio(new Results.Cell(subject, variant), new Results.Cell(reference, variant));
    return ratio.isPresent() ? String.format(Locale.ROOT, "%.2f", ratio.getAsDouble()) : "";
  }

  static String number(double value) {
    return String.format(Locale.ROOT, Math.abs(value) < SMALL ? "%.1f" : "%.0f", value);
  }

  /** The first row is the head; the first column holds words, the others numbers. */
  static String render(List<List<String>> rows) {
    List<String> head = rows.getFirst();
    StringBuilder text = new StringBuilder(line(head));
    text.append("|---|").append("---:|".repeat(head.size() - 1)).append("\n");
    rows.subList(1, rows.size()).forEach(row -> text.append(line(row)));
    return text.toString();
  }

  private static String line(List<String> row) {
    return "| " + String.join(" | ", row) + " |\n";
  }
}
