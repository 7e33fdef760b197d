package dev.cloister.cli;

import dev.cloister.spec.OsString;
import java.math.BigDecimal;
import java.time.Duration;

/** Durations as timeout(1) takes them, and milliseconds. */
final class Durations {
  private static final BigDecimal NANOS_PER_SECOND = BigDecimal.valueOf(1_000_000_000);

  /** More than anyone waits for, and few enough for a timespec. */
  private static final BigDecimal MOST_SECONDS = BigDecimal.valueOf(Integer.MAX_VALUE);

  private Durations() {}

  /** A duration that is more than nothing. */
  static Duration positive(CliOption option, OsString text) throws CliException {
    Duration duration = of(option, text);
    if (duration.isZero()) {
      throw invalid(option, text);
    }
    return duration;
  }

  /** A number and a unit; without a unit, seconds. */
  static Duration of(CliOption option, OsString text) throws CliException {
    String all = text.toString();
    int end = 0;
    while (end < all.length() && (isDigit(all.charAt(end)) || all.charAt(end) == '.')) {
      end++;
    }
    String number = all.substring(0, end);
    long millis = unit(all.substring(end));
    if (millis == 0 || !isNumber(number)) {
      throw invalid(option, text);
    }
    BigDecimal seconds =
        new BigDecimal(number).multiply(BigDecimal.valueOf(millis)).movePointLeft(3);
    if (seconds.compareTo(MOST_SECONDS) > 0) {
      throw invalid(option, text);
    }
    return Duration.ofNanos(seconds.multiply(NANOS_PER_SECOND).longValue());
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static boolean isNumber(String text) {
    int point = text.indexOf('.');
    return !text.isEmpty()
        && text.length() <= 20
        && isDigit(text.charAt(0))
        && isDigit(text.charAt(text.length() - 1))
        && point == text.lastIndexOf('.');
  }

  /** How many milliseconds it has; 0 if there is no such unit. */
  private static long unit(String unit) {
    return switch (unit) {
      case "ms" -> 1;
      case "", "s" -> 1000;
      case "m" -> 60_000;
      case "h" -> 3_600_000;
      case "d" -> 86_400_000;
      default -> 0;
    };
  }

  private static CliException invalid(CliOption option, OsString text) {
    return new CliException(
        "%s %s: not a duration, such as 90, 1.5s, 200ms or 2m"
            .formatted(option.word(), Messages.value(text)));
  }
}
