package dev.cloister.cli;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What was found out on every host of the lab, for a person who reads the build's output. */
final class HostLabTable {
  private static final List<String> HEADINGS =
      List.of("HOST", "USER", "CHOICE", "REJECTED", "CAUSE");

  private final List<List<String>> lines = new ArrayList<>(List.of(HEADINGS));
  private int rows;

  /** Adds what {@code report}, the JSON of a probe, says; a cause that is the same stands once. */
  void add(HostRow row, JsonObject report) {
    Map<String, List<String>> causes = new LinkedHashMap<>();
    for (JsonElement element : report.getAsJsonArray("strategies")) {
      JsonObject verdict = element.getAsJsonObject();
      if (!verdict.get("usable").getAsBoolean()) {
        causes
            .computeIfAbsent(cause(verdict), _ -> new ArrayList<>())
            .add(verdict.get("name").getAsString());
      }
    }
    JsonElement choice = report.get("choice");
    add(row, choice.isJsonNull() ? "none" : choice.getAsString(), causes);
  }

  /** Adds a row of which nothing else is known. */
  void add(HostRow row, String outcome) {
    add(row, outcome, Map.of());
  }

  private void add(HostRow row, String choice, Map<String, List<String>> causes) {
    rows++;
    List<String> start = List.of(row.host().name(), row.user().toString(), choice);
    if (causes.isEmpty()) {
      add(start, "", "");
    }
    causes.forEach(
        (cause, strategies) -> {
          boolean first = strategies.equals(causes.values().iterator().next());
          add(first ? start : List.of("", "", ""), String.join(", ", strategies), cause);
        });
  }

  private void add(List<String> start, String rejected, String cause) {
    List<String> line = new ArrayList<>(start);
    line.addAll(List.of(rejected, cause));
    lines.add(line);
  }

  /** Without the call that failed, where the two are told apart. */
  private static String cause(JsonObject verdict) {
    JsonElement cause = verdict.get("cause");
    boolean apart = cause != null && cause.isJsonPrimitive() && !cause.getAsString().isEmpty();
    return (apart ? cause : verdict.get("reason")).getAsString();
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("the host lab: " + rows + " rows\n");
    for (List<String> line : lines) {
      StringBuilder padded = new StringBuilder();
      for (int column = 0; column < line.size(); column++) {
        String cell = line.get(column);
        padded.append(cell).append(" ".repeat(width(column) - cell.length() + 2));
      }
      text.append(padded.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }

  private int width(int column) {
    return lines.stream().mapToInt(line -> line.get(column).length()).max().orElse(0);
  }
}
