package dev.cloister.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.benchmarks.report.Environment;
import dev.cloister.benchmarks.report.Measurement;
import dev.cloister.benchmarks.report.Results;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AlternationTest {
  private static final Environment NOWHERE =
      new Environment("now", "none", 1, 1, false, "none", "none", "none", 0, 0);

  private final List<String> order = new ArrayList<>();

  private Alternation alternation() {
    return new Alternation()
        .add("often", () -> order.add("often"))
        .add("prepared", () -> order.add("before"), 1, () -> order.add("prepared"))
        .add("seldom", () -> {}, 3, () -> order.add("seldom"));
  }

  @Test
  void keepsNothingOfTheWarmUp() throws Exception {
    Alternation alternation = alternation();
    alternation.run(5, 7);
    Samples samples = new Samples("set", "µs", "", NOWHERE);
    alternation.addTo(samples, "");
    Results results = samples.results();
    assertEquals(
        List.of(7, 7, 3), results.measurements().stream().map(Measurement::samples).toList());
  }

  @Test
  void hasEachTurnContainAll() throws Exception {
    alternation().run(0, 30);
    List<String> often = order.stream().filter(it -> !it.equals("seldom")).toList();
    for (int turn = 0; turn < 30; turn++) {
      List<String> one = often.subList(3 * turn, 3 * turn + 3);
      assertEquals(List.of("before", "often", "prepared"), one.stream().sorted().toList());
      assertEquals(one.indexOf("before") + 1, one.indexOf("prepared"));
    }
    assertEquals(10, order.size() - often.size());
  }

  @Test
  void changesTheOrderOfTurns() throws Exception {
    alternation().run(0, 30);
    List<String> first = order.stream().filter(it -> !it.equals("before")).toList();
    assertTrue(first.indexOf("often") < first.lastIndexOf("prepared"));
    assertTrue(first.indexOf("prepared") < first.lastIndexOf("often"));
    assertTrue(
        String.join(" ", order).contains("often before prepared")
            && String.join(" ", order).contains("before prepared often"));
  }
}
