package dev.cloister.benchmarks.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TablesTest {
  private static String firstLines(String text, int count) {
    return String.join("\n", text.lines().limit(count).toList());
  }

  @Test
  void showHowSamplesAreDistributedAndTheirRatios() {
    Results results =
        Examples.of(
            "library",
            "",
            Measurement.of("one", "", new double[] {50, 100, 150}),
            Examples.constant("plain", "", 200));
    assertEquals(
        """
        |  | least | median, µs | 95 % | samples | of: plain |
        |---|---:|---:|---:|---:|---:|
        | one | 50.0 | 100 | 145 | 3 | 0.50 |
        | plain | 200 | 200 | 200 | 2 | 1.00 |""",
        firstLines(Tables.of(results), 4));
  }

  @Test
  void showMediansByVariantAndAGapWhereThereIsNone() {
    Results results =
        Examples.of(
            "binds",
            "binds",
            Examples.constant("one", "1", 10),
            Examples.constant("one", "100", 300),
            Examples.constant("plain", "1", 20));
    assertEquals(
        """
        | medians, µs, by binds | 1 | 100 |
        |---|---:|---:|
        | one | 10.0 | 300 |
        | plain | 20.0 |  |""",
        firstLines(Tables.of(results), 4));
  }

  @Test
  void showWhatEachSystemCallAdds() {
    Results results =
        Examples.of(
            "phases",
            "step",
            Examples.constant("(a process)", "0", 200),
            Examples.constant("umask", "1", 201),
            Examples.constant("mount", "2", 240),
            Examples.constant("umask", "3", 250));
    assertEquals(
        """
        |  | how often | together, µs | of all |
        |---|---:|---:|---:|
        | **a process that executes the command** | 1 | 200 | 80 % |
        | `(a process)` | 1 | 200 | 80 % |
        | **namespaces and ids** | 0 | 0.0 | 0 % |
        | **mounts** | 1 | 39.0 | 16 % |
        | `mount` | 1 | 39.0 | 16 % |
        | **the root** | 0 | 0.0 | 0 % |
        | **privileges** | 0 | 0.0 | 0 % |
        | **what the command is promised** | 2 | 11.0 | 4 % |
        | `umask` | 2 | 11.0 | 4 % |
        | **all but the last of these** | 2 | 239 | 96 % |
        | **all** | 4 | 250 | 100 % |""",
        firstLines(Tables.of(results), 13));
  }

  @Test
  void nameWhatIsLeftOutAndWhereTheyWereMeasured() {
    String text = Tables.of(Examples.of("library", "", Examples.constant("one", "", 1)));
    assertTrue(text.contains("Not measured: peer (there is no peer in PATH).\n"), text);
    assertTrue(text.contains("A CPU, 2 cores (virtual), Linux 6.1 amd64"), text);
    assertFalse(text.contains("busy"), text);
  }

  @Test
  void warnOfABusyMachine() {
    Results busy =
        new Results(
            "library",
            "µs",
            "",
            List.of(),
            Examples.BUSY,
            List.of(Examples.constant("one", "", 1)),
            List.of());
    assertTrue(Tables.of(busy).contains("busy"));
  }

  @Test
  void sayOfTargetsWhetherTheyAreMet() {
    Results heap =
        Examples.of(
            "heap",
            "MiB",
            Examples.constant("pivot_root", "64", 100),
            Examples.constant("pivot_root", "4096", 110));
    Results binds =
        Examples.of(
            "binds",
            "binds",
            Examples.constant("pivot_root, read-only", "1000", 1200),
            Examples.constant("pivot_root, read-only", "100", 100));
    String table = Targets.table(Map.of("heap", heap, "binds", binds));
    assertTrue(table.contains("| a heap of 4 GiB, of one of 64 MiB | ≤ 1.15 | 1.10 | yes |\n"));
    assertTrue(table.contains("| 1000 read-only binds, of 100 | ≤ 11.00 | 12.00 | no |\n"));
    assertTrue(
        table.contains("| 1000 read-only binds, of bubblewrap | ≤ 0.030 | not measured |  |\n"));
  }
}
