package dev.cloister.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;

/**
 * What was found out on every simulated host, for a person who reads the build's output: one table
 * for all classes that have this extension, printed after the last test.
 */
final class HostLabTable implements BeforeAllCallback {
  private static final List<String> HEADINGS =
      List.of("HOST", "USER", "CHOICE", "REJECTED", "CAUSE");

  private static final List<List<String>> LINES = new ArrayList<>();
  private static int rows;

  @Override
  public void beforeAll(ExtensionContext context) {
    Store all = context.getRoot().getStore(Namespace.create(HostLabTable.class));
    all.computeIfAbsent(HostLabTable.class, _ -> (AutoCloseable) HostLabTable::print);
  }

  /** Adds what a probe found; a cause that strategies share stands once. */
  static void add(String host, String user, Verdicts verdicts) {
    Map<String, List<String>> causes = new LinkedHashMap<>();
    verdicts
        .strategies()
        .forEach(
            (strategy, verdict) -> {
              if (!verdict.usable()) {
                String cause = verdict.cause().isEmpty() ? verdict.reason() : verdict.cause();
                causes.computeIfAbsent(cause, _ -> new ArrayList<>()).add(strategy);
              }
            });
    rows++;
    List<String> start =
        List.of(host, user, verdicts.choice().isEmpty() ? "none" : verdicts.choice());
    if (causes.isEmpty()) {
      LINES.add(line(start, "", ""));
    }
    causes.forEach(
        (cause, strategies) -> {
          boolean first = strategies.equals(causes.values().iterator().next());
          LINES.add(
              line(first ? start : List.of("", "", ""), String.join(", ", strategies), cause));
        });
  }

  /** Adds a host on which no report was made. */
  static void addFailure(String host, String user) {
    rows++;
    LINES.add(line(List.of(host, user, "NO REPORT"), "", ""));
  }

  private static List<String> line(List<String> start, String rejected, String cause) {
    List<String> line = new ArrayList<>(start);
    line.addAll(List.of(rejected, cause));
    return line;
  }

  private static void print() {
    StringBuilder text = new StringBuilder("the host lab, " + rows + " rows:\n");
    LINES.addFirst(HEADINGS);
    for (List<String> line : LINES) {
      StringBuilder padded = new StringBuilder();
      for (int column = 0; column < line.size(); column++) {
        String cell = line.get(column);
        padded.append(cell).append(" ".repeat(width(column) - cell.length() + 2));
      }
      text.append(padded.toString().stripTrailing()).append('\n');
    }
    System.out.println(text);
    LINES.clear();
    rows = 0;
  }

  private static int width(int column) {
    return LINES.stream().mapToInt(line -> line.get(column).length()).max().orElse(0);
  }
}
