package dev.cloister.benchmarks.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultsJsonTest {
  private static final Results RESULTS =
      Examples.of(
          "binds",
          "binds",
          Examples.constant("one, \"quoted\"", "1", 1.25),
          Examples.constant("plain", "10", 3));

  @Test
  void readsWhatItWrote() {
    assertEquals(RESULTS, ResultsJson.read(ResultsJson.write(RESULTS)));
  }

  @Test
  void writesNoMoreDigitsThanMeanAnything() {
    Results precise = Examples.of("set", "", Examples.constant("one", "", 1.0 / 3));
    assertEquals(
        0.33, ResultsJson.read(ResultsJson.write(precise)).measurements().getFirst().median());
  }

  @Test
  void keepsAFigureOnOneLine() {
    List<String> lines = ResultsJson.write(RESULTS).lines().toList();
    assertEquals(2, lines.stream().filter(it -> it.contains("\"quantiles\"")).count());
    assertTrue(lines.size() < 60);
  }

  @Test
  void refusesAnotherSchema() {
    String other = ResultsJson.write(RESULTS).replace("\"schema\": 1", "\"schema\": 2");
    assertThrows(IllegalArgumentException.class, () -> ResultsJson.read(other));
  }

  @Test
  void findsSetsByTheirNames(@TempDir Path directory) throws Exception {
    Files.writeString(ResultsJson.file(directory, "binds"), ResultsJson.write(RESULTS));
    assertEquals(List.of(RESULTS), List.copyOf(Page.read(directory).values()));
  }
}
