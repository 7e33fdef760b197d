package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.cloister.cli.BenchReport.LeftOut;
import dev.cloister.cli.BenchReport.Measured;
import dev.cloister.cli.BenchSubject.Kind;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What is made of samples; BenchIT takes real ones. */
class BenchReportTest {
  private static final BenchReport REPORT =
      report(BenchEnvironmentTest.loaded(2, 0.25), List.of(Path.of("/usr"), Path.of("/etc")));

  private static BenchReport report(BenchEnvironment environment, List<Path> binds) {
    return new BenchReport(
        environment,
        binds,
        List.of(
            new Measured("no sandbox", Kind.PLAIN, microseconds(800)),
            new Measured("pivot_root", Kind.STRATEGY, microseconds(600)),
            new Measured("bubblewrap", Kind.PEER, microseconds(3200))),
        List.of(new LeftOut("landlock", Kind.STRATEGY, "this kernel has none of it")));
  }

  /** Twenty that are a microsecond apart. */
  private static Samples microseconds(long first) {
    return new Samples(LongStream.range(first, first + 20).map(it -> it * 1000).boxed().toList());
  }

  @Test
  void isATable() {
    assertEquals(
        """
        Linux 6.1 x86_64, 2 CPUs (A CPU), JDK 25.0.1 Somebody, bubblewrap 0.8.0, load
        average 0.25, uid 1000

        A sample is the time from start to exit of a static program that does nothing,
        as this Java program sees it; its standard streams are pipes. Without a sandbox
        and in bubblewrap's it is started by ProcessBuilder, in a strategy's by
        Cloister's library. Each sandbox binds that program, /usr, /etc.

        20 of each, in turn; times in µs; how many took how long:

                          min   median      p95  of plain  600 µs                3218 µs
          no sandbox      800      809      818      1.00      ▁█
          pivot_root      600      609      618      0.75  █
          bubblewrap     3200     3209     3218      3.97                              █

        left out
          landlock   this kernel has none of it
        """,
        BenchTable.of(REPORT, 80));
  }

  @Test
  void fitsTheWidth() {
    for (int width : new int[] {55, 80, 120, 200}) {
      String table = BenchTable.of(REPORT, width);
      assertTrue(table.lines().allMatch(line -> line.length() <= width), table);
      assertEquals(width > 70, table.contains("█"), table);
    }
  }

  @Test
  void isJson() {
    JsonObject json = new Gson().fromJson(BenchJson.of(REPORT), JsonObject.class);

    JsonObject environment = json.getAsJsonObject("environment");
    assertEquals("A CPU", environment.get("cpu").getAsString());
    assertEquals(2, environment.get("cpus").getAsInt());
    assertEquals("Linux 6.1 x86_64", environment.get("kernel").getAsString());
    assertEquals("25.0.1 Somebody", environment.get("jdk").getAsString());
    assertEquals("bubblewrap 0.8.0", environment.get("bwrap").getAsString());
    assertEquals(0.25, environment.get("load_average").getAsDouble());
    assertFalse(environment.get("loaded").getAsBoolean());
    assertEquals(1000, environment.get("uid").getAsLong());
    assertEquals("[\"/usr\",\"/etc\"]", json.getAsJsonArray("binds").toString());
    JsonArray subjects = json.getAsJsonArray("subjects");
    assertEquals(
        """
        {"name":"pivot_root","kind":"strategy","measured":true,"samples":20,\
        "min_ns":600000,"median_ns":609000,"p95_ns":618000,"of_plain":%s}"""
            .formatted(609.0 / 809.0),
        subjects.get(1).toString());
    assertEquals(
        """
        {"name":"landlock","kind":"strategy","measured":false,\
        "reason":"this kernel has none of it"}""",
        subjects.get(3).toString());
  }

  @Test
  void saysThatNothingIsKnown() {
    BenchEnvironment unknown =
        new BenchEnvironment(
            Optional.empty(), 1, "Linux", "25", Optional.empty(), OptionalDouble.empty(), 0);
    BenchReport report = report(unknown, List.of());

    JsonObject json = new Gson().fromJson(BenchJson.of(report), JsonObject.class);
    for (String name : List.of("cpu", "bwrap", "load_average")) {
      assertTrue(json.getAsJsonObject("environment").get(name).isJsonNull(), name);
    }
    String first = BenchTable.of(report, 80).lines().findFirst().orElseThrow();
    assertEquals("Linux, 1 CPU, JDK 25, unknown load, uid 0", first);
    assertTrue(
        report.sampleText().endsWith("Each sandbox binds that program."), report::sampleText);
  }
}
