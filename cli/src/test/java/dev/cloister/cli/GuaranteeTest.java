package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.strategy.Guarantee;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Every guarantee is documented, with the tests that attack it. */
class GuaranteeTest {
  private static final Pattern TEST = Pattern.compile("`(\\w+)\\.(\\w+)`");

  private static List<List<String>> rows() throws IOException {
    // Tests run in their module's directory.
    return Files.readAllLines(Path.of("../docs/guarantees.md").toAbsolutePath()).stream()
        .filter(line -> line.startsWith("| `"))
        .map(line -> Arrays.stream(line.split("\\|", -1)).map(String::strip).toList())
        .toList();
  }

  @Test
  void isDocumentedAsItDescribesItself() throws IOException {
    assertEquals(
        Arrays.stream(Guarantee.values())
            .map(each -> "`" + each.word() + "`: " + each.meaning())
            .toList(),
        rows().stream().map(row -> row.get(1) + ": " + row.get(2)).toList());
  }

  @Test
  void isAttackedByTestsThatExist() throws Exception {
    for (List<String> row : rows()) {
      List<MatchResult> tests = TEST.matcher(row.get(4)).results().toList();
      assertFalse(tests.isEmpty(), row::toString);
      for (MatchResult test : tests) {
        String name = getClass().getPackageName() + "." + test.group(1);
        // Not initialized: what it needs is made only after these tests.
        Class<?> type = Class.forName(name, false, getClass().getClassLoader());
        assertTrue(
            Arrays.stream(type.getDeclaredMethods())
                .anyMatch(
                    method ->
                        method.getName().equals(test.group(2))
                            && method.getAnnotations().length > 0),
            test.group());
      }
    }
  }

  @Test
  void isFoundByItsWordAlone() {
    for (Guarantee guarantee : Guarantee.values()) {
      assertEquals(Optional.of(guarantee), Guarantee.of(guarantee.word()));
      assertTrue(guarantee.word().matches("[a-z]+(-[a-z]+)*"), guarantee.word());
    }
    for (String other : new String[] {"", "IN_PLACE", "in-place ", "in-place,no-capabilities"}) {
      assertEquals(Optional.empty(), Guarantee.of(other));
    }
  }
}
