package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A user on a host, and what Cloister must find out and do there.
 *
 * @param choice the strategy it takes; empty for none
 * @param rejections what it says against strategies, by name; all others must work
 * @param lacking what it says against single capabilities, by name; nothing is said of others
 * @param also what else is tried
 */
record HostRow(
    SimulatedHost host,
    CallingUser user,
    String choice,
    Map<String, Rejection> rejections,
    Map<String, Rejection> lacking,
    List<Trial> also) {
  private static final List<String> STRATEGIES = List.of("pivot_root", "chroot", "bwrap");

  /** What the command in the sandbox must find. */
  private static final String GUARANTEES =
      "CapEff:\t0000000000000000\nNoNewPrivs:\t1\nhome is hidden\n";

  private static final String LOOK =
      "PATH=/usr/bin:/bin; grep -E '^(CapEff|NoNewPrivs):' /proc/self/status;"
          + " [ -e \"$HOME\" ] || echo home is hidden";

  /** Words that a reason and a remedy must contain. */
  record Rejection(List<String> cause, List<String> remedy) {
    void check(JsonObject verdict) {
      assertWords(cause, verdict.get("reason").getAsString());
      assertWords(remedy, verdict.get("remedy").getAsString());
    }

    private static void assertWords(List<String> words, String text) {
      for (String word : words) {
        // Either of some.
        assertTrue(
            Arrays.stream(word.split("\\|", -1)).anyMatch(text::contains),
            () -> "does not name " + word + ": " + text);
      }
    }
  }

  /** Something else that is tried there. */
  @FunctionalInterface
  interface Trial {
    void check(SimulatedHost host, CallingUser user);
  }

  HostRow {
    rejections = Map.copyOf(rejections);
    lacking = Map.copyOf(lacking);
    also = List.copyOf(also);
  }

  /** Where everything works. */
  static HostRow of(SimulatedHost host, CallingUser user) {
    return new HostRow(host, user, STRATEGIES.getFirst(), Map.of(), Map.of(), List.of());
  }

  /** Where this strategy does not work. */
  HostRow rejects(String strategy, String cause, String remedy) {
    Map<String, Rejection> more = new LinkedHashMap<>(rejections);
    more.put(strategy, new Rejection(List.of(cause), List.of(remedy)));
    String first =
        STRATEGIES.stream().filter(name -> !more.containsKey(name)).findFirst().orElse("");
    return new HostRow(host, user, first, more, lacking, also);
  }

  HostRow rejectsAll(String cause, String remedy) {
    HostRow row = this;
    for (String strategy : STRATEGIES) {
      row = row.rejects(strategy, cause, remedy);
    }
    return row;
  }

  HostRow lacks(String capability, String cause, String remedy) {
    Map<String, Rejection> more = new LinkedHashMap<>(lacking);
    more.put(capability, new Rejection(List.of(cause), List.of(remedy)));
    return new HostRow(host, user, choice, rejections, more, also);
  }

  HostRow also(Trial trial) {
    List<Trial> more = new ArrayList<>(also);
    more.add(trial);
    return new HostRow(host, user, choice, rejections, lacking, more);
  }

  /** What a command there must write. */
  HostRow alsoPrints(String script, String expected) {
    return also((at, as) -> at.cloister(as, "run").script(script).run().prints(expected));
  }

  /** Has the real command line look at the host: the JSON it writes. */
  JsonObject probe() {
    Ran ran = host.cloister(user, "probe", "--json").run();
    assertTrue(ran.status() <= 1, ran::toString);
    JsonObject report = new Gson().fromJson(ran.out(), JsonObject.class);
    assertEquals(report.get("choice").isJsonNull() ? 1 : 0, ran.status(), ran::toString);
    return report;
  }

  /** Holds Cloister to what it must say, and to what it has said. */
  void check(JsonObject report) {
    checkVerdicts(report);
    if (choice.isEmpty()) {
      refuse(report);
    } else {
      run();
    }
    also.forEach(trial -> trial.check(host, user));
    assertEquals(List.of(), user.launchers(), "launchers left behind");
  }

  private void checkVerdicts(JsonObject report) {
    JsonElement chosen = report.get("choice");
    assertEquals(choice, chosen.isJsonNull() ? "" : chosen.getAsString(), report::toString);
    for (String strategy : STRATEGIES) {
      check(verdict(report, "strategies", strategy), rejections.get(strategy));
    }
    lacking.forEach(
        (capability, rejection) -> check(verdict(report, "capabilities", capability), rejection));
  }

  private static void check(JsonObject verdict, @Nullable Rejection expected) {
    assertEquals(expected == null, verdict.get("usable").getAsBoolean(), verdict::toString);
    if (expected != null) {
      expected.check(verdict);
    }
  }

  static JsonObject verdict(JsonObject report, String array, String name) {
    for (JsonElement element : report.getAsJsonArray(array)) {
      JsonObject verdict = element.getAsJsonObject();
      if (verdict.get("name").getAsString().equals(name)) {
        return verdict;
      }
    }
    throw new AssertionError("no " + name + " in " + report);
  }

  /** The choice, and whatever else is said to work, makes good on it. */
  private void run() {
    String[] look = {"/bin/sh", "-c", LOOK};
    Ran chosen = host.cloister(user, "run", "--verbose").command(look).run().prints(GUARANTEES);
    assertTrue(chosen.err().contains("strategy " + choice), chosen::toString);
    for (String strategy : STRATEGIES) {
      if (!strategy.equals(choice) && !rejections.containsKey(strategy)) {
        host.cloister(user, "run", "--strategy", strategy).command(look).run().prints(GUARANTEES);
      }
    }
  }

  /** One error with every strategy, its cause and its remedy, and nothing was run. */
  private void refuse(JsonObject report) {
    Ran ran = host.cloister(user, "run").command("/bin/echo", "ran").run().exits(125);
    assertEquals("", ran.out(), ran::toString);
    List<String> said = ran.err().lines().toList();
    assertTrue(said.getFirst().startsWith("cloister: "), ran::toString);
    assertTrue(
        said.stream().skip(1).allMatch(line -> line.startsWith(" ") || line.startsWith("hint: ")),
        ran::toString);
    for (String strategy : STRATEGIES) {
      JsonObject verdict = verdict(report, "strategies", strategy);
      assertTrue(ran.err().contains(strategy + ": "), ran::toString);
      assertTrue(ran.err().contains(verdict.get("remedy").getAsString()), ran::toString);
    }
    rejections.values().forEach(rejection -> Rejection.assertWords(rejection.cause(), ran.err()));
  }

  @Override
  public String toString() {
    return host + ", " + user;
  }
}
