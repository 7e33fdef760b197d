package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What {@code cloister probe --json} found.
 *
 * @param choice empty for none
 */
record Verdicts(String choice, Map<String, Verdict> strategies, Map<String, Verdict> capabilities) {
  /**
   * Of one strategy or capability; without reason and remedy if it is usable.
   *
   * @param cause what of the reason is more than the step that failed; empty if that is unknown
   */
  record Verdict(boolean usable, String reason, String cause, String remedy) {
    /** Holds if it cannot be used, for a reason that has all of {@code words}. */
    Verdict refusedBecause(String... words) {
      assertTrue(!usable, this::toString);
      for (String word : words) {
        assertTrue(reason.contains(word), () -> "does not name " + word + ": " + this);
      }
      return this;
    }

    /** Holds if the remedy has all of {@code words}. */
    void remedy(String... words) {
      for (String word : words) {
        assertTrue(remedy.contains(word), () -> "does not name " + word + ": " + this);
      }
    }
  }

  static Verdicts of(Ran probe) {
    JsonObject report = new Gson().fromJson(probe.out(), JsonObject.class);
    assertTrue(report != null, probe::toString);
    JsonElement choice = report.get("choice");
    probe.exits(choice.isJsonNull() ? 1 : 0);
    return new Verdicts(
        choice.isJsonNull() ? "" : choice.getAsString(),
        verdicts(report, "strategies"),
        verdicts(report, "capabilities"));
  }

  private static Map<String, Verdict> verdicts(JsonObject report, String array) {
    Map<String, Verdict> verdicts = new LinkedHashMap<>();
    for (JsonElement element : report.getAsJsonArray(array)) {
      JsonObject each = element.getAsJsonObject();
      verdicts.put(
          each.get("name").getAsString(),
          new Verdict(
              each.get("usable").getAsBoolean(),
              text(each, "reason"),
              text(each, "cause"),
              text(each, "remedy")));
    }
    return verdicts;
  }

  private static String text(JsonObject verdict, String field) {
    return verdict.has(field) ? verdict.get(field).getAsString() : "";
  }

  Verdict strategy(String name) {
    return known(strategies, name);
  }

  Verdict capability(String name) {
    return known(capabilities, name);
  }

  private static Verdict known(Map<String, Verdict> verdicts, String name) {
    Verdict verdict = verdicts.get(name);
    assertTrue(verdict != null, () -> "nothing is said of " + name);
    return verdict;
  }

  /** Holds if this strategy is chosen and all others but these work too. */
  Verdicts chooses(String strategy, String... unusable) {
    assertEquals(strategy, choice, this::toString);
    assertEquals(Set.of(unusable), Set.copyOf(unusable(strategies)), this::toString);
    return this;
  }

  /**
   * Holds if no strategy works that gives a file system of its own, each for a reason that has all
   * of {@code words}.
   */
  void choosesNothingBecause(String... words) {
    assertEquals("", choice, this::toString);
    strategies.forEach(
        (name, verdict) -> {
          if (!name.equals("landlock")) {
            verdict.refusedBecause(words);
          }
        });
  }

  /** Holds if all capabilities but these are there. */
  Verdicts lacks(String... unusable) {
    assertEquals(Set.of(unusable), Set.copyOf(unusable(capabilities)), this::toString);
    return this;
  }

  static List<String> unusable(Map<String, Verdict> verdicts) {
    return verdicts.entrySet().stream()
        .filter(verdict -> !verdict.getValue().usable())
        .map(Map.Entry::getKey)
        .toList();
  }

  /** Adds a row to the table of the host lab. */
  Verdicts print(String row, String user) {
    HostLabTable.add(row, user, this);
    return this;
  }
}
