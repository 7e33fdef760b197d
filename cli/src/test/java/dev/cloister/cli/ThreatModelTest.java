package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.strategy.Guarantee;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * docs/threat-model.md says what the tests hold Cloister to. Its table of promises is written by
 * {@code -Dcloister.golden=write}.
 */
class ThreatModelTest {
  private static final Path PAGE = Path.of("../docs/threat-model.md");
  private static final String START =
      "<!-- the table of promises: written by ThreatModelTest -->\n";
  private static final String END = "<!-- end of the table -->\n";
  private static final Pattern TEST = Pattern.compile("`([A-Z]\\w+(?:IT|Test))\\.(\\w+)`");
  private static final CallingUser ROOT = new CallingUser(0, true);
  private static final CallingUser OTHER = new CallingUser(CallingUser.UNPRIVILEGED, false);

  private static String table() {
    StringBuilder table = new StringBuilder("\n| promise | it holds with |");
    Setting.STRATEGIES.forEach(strategy -> table.append(" `").append(strategy).append("` |"));
    table
        .append(" `landlock` | attacked by |\n|---|---|---|")
        .append("---|".repeat(Setting.STRATEGIES.size()));
    table.append("---|\n");
    for (Promise promise : Promise.values()) {
      table.append(row(promise)).append('\n');
    }
    return table.append('\n').toString();
  }

  private static String row(Promise promise) {
    String option = promise.option().isEmpty() ? "" : "`" + promise.option() + "`";
    String strategies =
        Setting.STRATEGIES.stream()
            .map(strategy -> holders(promise, strategy))
            .collect(Collectors.joining(" | "));
    String attacks =
        Stream.concat(
                promise.attacks().stream().map(Attack::name),
                promise.otherTests().stream().map(test -> "`" + test + "`"))
            .collect(Collectors.joining("; "));
    return "| `%s`: %s | %s | %s | %s | %s |"
        .formatted(
            promise.word(), promise.meaning(), option, strategies, landlock(promise), attacks);
  }

  private static String landlock(Promise promise) {
    if (promise.guarantee().isEmpty()) {
      return "not claimed";
    }
    if (!promise.holdsWithLandlock()) {
      return "no";
    }
    return promise == Promise.GROUPS_DROPPED ? "root" : "yes";
  }

  private static String holders(Promise promise, String strategy) {
    boolean root = promise.holds(new Setting(ROOT, strategy));
    boolean other = promise.holds(new Setting(OTHER, strategy));
    if (root == other) {
      return root ? "yes" : "no";
    }
    return root ? "root" : "not root";
  }

  @Test
  void hasTheTableOfPromises() throws IOException {
    String page = Files.readString(PAGE);
    int start = page.indexOf(START) + START.length();
    int end = page.indexOf(END);
    assertTrue(page.contains(START) && start <= end);
    if ("write".equals(System.getProperty("cloister.golden"))) {
      Files.writeString(PAGE, page.substring(0, start) + table() + page.substring(end));
      return;
    }
    assertEquals(table(), page.substring(start, end));
  }

  @Test
  void hasEveryGuarantee() {
    for (Guarantee guarantee : Guarantee.values()) {
      assertTrue(Promise.of(guarantee).isPresent(), guarantee::word);
    }
    assertEquals(Optional.of(Promise.IN_PLACE), Promise.of(Guarantee.IN_PLACE));
  }

  @Test
  void everyPromiseIsAttacked() {
    for (Promise promise : Promise.values()) {
      assertFalse(promise.attacks().isEmpty() && promise.otherTests().isEmpty(), promise::toString);
    }
  }

  @Test
  void attacksHaveNamesOfTheirOwn() {
    List<String> names = Attack.ALL.stream().map(Attack::name).toList();
    assertEquals(new TreeSet<>(names).size(), names.size(), names::toString);
  }

  /** What the page says beside the table, too. */
  @Test
  void namesTestsAndAttacksThatExist() throws Exception {
    String page = Files.readString(PAGE);
    List<MatchResult> tests = TEST.matcher(page).results().toList();
    assertFalse(tests.isEmpty());
    for (MatchResult test : tests) {
      assertTrue(isTest(test.group(1), test.group(2)), test.group());
    }
    for (MatchResult attack :
        Pattern.compile("attack \"([^\"]+)\"").matcher(page).results().toList()) {
      assertTrue(
          Attack.ALL.stream().anyMatch(each -> each.name().equals(attack.group(1))),
          attack.group());
    }
  }

  /** Those of other modules are named with theirs, and looked for in the source. */
  private static boolean isTest(String type, String method) throws IOException {
    for (String module : List.of("cli", "core", "strategies", "ffm-bindings")) {
      Path tests = Path.of("..", module, "src/test/java");
      try (Stream<Path> files = Files.walk(tests)) {
        Optional<Path> source = files.filter(file -> file.endsWith(type + ".java")).findFirst();
        if (source.isPresent()) {
          return Files.readString(source.get()).contains("void " + method + "(");
        }
      }
    }
    return false;
  }
}
