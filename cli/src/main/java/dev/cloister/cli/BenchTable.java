package dev.cloister.cli;

import dev.cloister.cli.BenchReport.LeftOut;
import dev.cloister.cli.BenchReport.Measured;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A {@link BenchReport} for a person. */
final class BenchTable {
  /** The words in front of the plot; names are no longer than theirs. */
  private static final String ROW = "  %-10s %8s %8s %8s %9s  %s";

  private static final int FIRST_COLUMN = 2;
  private static final int PLOT_COLUMN = 51;

  /** Room for the axis's labels. */
  private static final int SMALLEST_PLOT = 20;

  private static final int LARGEST_PLOT = 60;

  private final BenchReport report;
  private final int width;
  private final TimeAxis axis;
  private final StringBuilder text = new StringBuilder();

  private BenchTable(BenchReport report, int width) {
    this.report = report;
    this.width = width;
    this.axis =
        TimeAxis.of(
            report.measured().stream().map(Measured::samples).toList(),
            Math.clamp(width - PLOT_COLUMN, SMALLEST_PLOT, LARGEST_PLOT));
  }

  /**
   * Everything.
   *
   * @param width of the terminal, in columns
   */
  static String of(BenchReport report, int width) {
    BenchTable table = new BenchTable(report, width);
    table.addEnvironment();
    table.addSample();
    table.addRows();
    table.addLeftOut();
    return table.text.toString();
  }

  private void addEnvironment() {
    BenchEnvironment environment = report.environment();
    List<String> facts = new ArrayList<>();
    facts.add(environment.kernel());
    facts.add(environment.cpuText());
    facts.add("JDK " + environment.jdk());
    environment.bwrap().ifPresent(facts::add);
    facts.add(environment.loadText());
    facts.add("uid " + Long.toUnsignedString(environment.uid()));
    addParagraph(0, String.join(", ", facts));
  }

  private void addSample() {
    text.append('\n');
    addParagraph(0, report.sampleText());
  }

  private void addRows() {
    int count = report.measured().getFirst().samples().count();
    text.append('\n');
    addParagraph(0, count + " of each, in turn; times in µs; how many took how long:");
    text.append('\n');
    addRow("", "min", "median", "p95", "of plain", showsPlot() ? axis.labels() : "");
    for (Measured subject : report.measured()) {
      Samples samples = subject.samples();
      addRow(
          subject.name(),
          Microseconds.text(samples.min()),
          Microseconds.text(samples.median()),
          Microseconds.text(samples.p95()),
          String.format(Locale.ROOT, "%.2f", report.ofPlain(subject)),
          showsPlot() ? axis.bars(samples) : "");
    }
  }

  private boolean showsPlot() {
    return width >= PLOT_COLUMN + SMALLEST_PLOT;
  }

  private void addRow(String... cells) {
    text.append(String.format(Locale.ROOT, ROW, (Object[]) cells).stripTrailing()).append('\n');
  }

  private void addLeftOut() {
    if (report.leftOut().isEmpty()) {
      return;
    }
    text.append("\nleft out\n");
    for (LeftOut subject : report.leftOut()) {
      String label = " ".repeat(FIRST_COLUMN) + "%-10s ".formatted(subject.name());
      text.append(label);
      addParagraph(label.length(), subject.reason());
    }
  }

  /** Goes on in a line that has {@code column} characters. */
  private void addParagraph(int column, String content) {
    text.append(Paragraph.wrapped(column, content, width));
  }
}
