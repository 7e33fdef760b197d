package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.cloister.spec.OsString;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DurationsTest {
  private static Duration of(String text) throws CliException {
    return Durations.of(RunOption.TIMEOUT, OsString.of(text));
  }

  @ParameterizedTest
  @CsvSource({
    "0, PT0S",
    "90, PT1M30S",
    "1.5s, PT1.5S",
    "200ms, PT0.2S",
    "2m, PT2M",
    "0.5h, PT30M",
    "1d, PT24H",
    "0.000000001, PT0.000000001S",
    "0.0000000009, PT0S",
    "2147483647, PT2147483647S",
    "00000000000000000001, PT1S",
  })
  void haveAUnit(String text, Duration expected) throws CliException {
    assertEquals(expected, of(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "s",
        ".",
        ".5",
        "5.",
        "1..5",
        "1.5.5",
        "-1",
        "+1",
        "1e3",
        "1 s",
        "1S",
        "1ss",
        "\u0661",
        "2147483648",
        "2147483647.5",
        "24856d",
        "99999999999999999999",
        "000000000000000000001",
        "35791395m",
        "596524h"
      })
  void areRefused(String text) {
    assertThrows(CliException.class, () -> of(text));
  }

  /** Down to the nanosecond, where the fraction has no more digits than the unit has. */
  @Test
  void areExact() throws CliException {
    Map<String, Long> units = Map.of("ms", 1L, "s", 1000L, "m", 60_000L, "h", 3_600_000L);
    Random random = new Random(1);
    for (int i = 0; i < 2000; i++) {
      for (Map.Entry<String, Long> unit : units.entrySet()) {
        BigDecimal number = BigDecimal.valueOf(random.nextLong(1_000_000_000L), random.nextInt(10));
        BigDecimal nanos = number.multiply(BigDecimal.valueOf(unit.getValue() * 1_000_000));
        String text = number.toPlainString() + unit.getKey();
        if (nanos.compareTo(BigDecimal.valueOf(Integer.MAX_VALUE * 1_000_000_000L)) <= 0) {
          assertEquals(nanos.longValue(), of(text).toNanos(), text);
        }
      }
    }
  }
}
