package dev.cloister.benchmarks.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the page shows is what was measured. */
class PageTest {
  private static final Path DOCS = Path.of("").toAbsolutePath().resolveSibling("docs");

  private static String page() throws Exception {
    return Files.readString(DOCS.resolve("performance.md"));
  }

  @Test
  void isWhatItsResultsMakeOfIt() throws Exception {
    Map<String, Results> all = Page.read(DOCS.resolve("performance"));
    assertEquals(Page.update(page(), all), page(), "after new results, run benchmarks/page");
  }

  @Test
  void showsAllResults() throws Exception {
    for (String set : Page.read(DOCS.resolve("performance")).keySet()) {
      assertTrue(page().contains("<!-- table: " + set + " -->\n"), set);
    }
  }

  @Test
  void changesTablesOnly() {
    Results results = Examples.of("some-set", "", Examples.constant("one", "", 1));
    String page = "a\n<!-- table: some-set -->\nold $1\n<!-- end -->\nb $2\n";
    String updated = Page.update(page, Map.of("some-set", results));
    assertEquals(
        "a\n<!-- table: some-set -->\n" + Tables.of(results) + "<!-- end -->\nb $2\n", updated);
    assertEquals(updated, Page.update(updated, Map.of("some-set", results)));
  }

  @Test
  void keepsTheTableOfWhatWasNotMeasured() {
    String page = "<!-- table: other -->\nold\n<!-- end -->\n";
    assertEquals(page, Page.update(page, Map.of()));
  }

  @Test
  void hasChartsWhoseTextIsText(@TempDir Path directory) throws Exception {
    Results binds =
        Examples.of(
            "binds",
            "binds",
            Examples.constant("one subject", "1", 10),
            Examples.constant("one subject", "10", 20));
    Results library = Examples.of("library", "", Examples.constant("one subject", "", 10));
    Results startUp = Examples.of("start-up", "", Examples.constant("one subject", "", 10));
    Charts.write(Map.of("binds", binds, "library", library, "start-up", startUp), directory);
    for (String chart : new String[] {"binds", "library", "start-up"}) {
      String svg = Files.readString(directory.resolve(chart + ".svg"));
      assertTrue(svg.contains(">one subject</text"), svg);
    }
  }
}
