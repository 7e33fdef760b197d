package dev.cloister.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.cloister.spec.OsString;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Beside the map of a real {@link ProcessBuilder}, which refuses the same in the same way. */
class CommandEnvironmentTest {
  private static List<OsString> list(String... variables) {
    return List.of(variables).stream().map(OsString::of).toList();
  }

  @Test
  void startsWithWhatItIsGivenAndKeepsTheOrder() {
    Map<String, String> map = new CommandEnvironment(list("B=1=2", "no variable", "A="));
    map.put("C", "ü");
    map.remove("A");
    assertEquals(Map.of("B", "1=2", "C", "ü"), map);
    assertEquals(list("B=1=2", "C=ü"), ((CommandEnvironment) map).toList());
  }

  @ParameterizedTest
  @CsvSource({"a=b, c", "=, c", "a\0b, c", "a, b\0c"})
  void refusesWhatNoVariableCanBe(String name, String value) {
    Map<String, String> ours = new CommandEnvironment(list());
    Map<String, String> theirs = new ProcessBuilder("x").environment();
    for (Map<String, String> map : List.of(ours, theirs)) {
      assertThrows(IllegalArgumentException.class, () -> map.put(name, value));
      assertThrows(IllegalArgumentException.class, () -> map.putAll(Map.of(name, value)));
    }
  }

  @Test
  @SuppressWarnings("NullAway") // that is what is refused
  void refusesNull() {
    Map<String, String> ours = new CommandEnvironment(list());
    Map<String, String> theirs = new ProcessBuilder("x").environment();
    for (Map<String, String> map : List.of(ours, theirs)) {
      assertThrows(NullPointerException.class, () -> map.put(null, "x"));
      assertThrows(NullPointerException.class, () -> map.put("x", null));
    }
  }

  @Test
  void checksOnceMoreWhatWasSetBehindItsBack() {
    CommandEnvironment map = new CommandEnvironment(list("A=1"));
    map.entrySet().iterator().next().setValue("a\0b");
    assertThrows(IllegalArgumentException.class, map::toList);
  }
}
