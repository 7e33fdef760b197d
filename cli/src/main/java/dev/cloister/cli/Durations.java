package dev.cloister.cli;

import dev.cloister.spec.OsString;
import java.time.Duration;

/** Durations as timeout(1) takes them, and milliseconds. */
final class Durations {
  private static final long NANOS_PER_MILLI = 1_000_000;

  /** More than anyone waits for, and few enough seconds for a timespec. */
  private static final long MOST_NANOS = Integer.MAX_VALUE * 1_000_000_000L;

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
    while (end < all.length() && (Digits.is(all.charAt(end)) || all.charAt(end) == '.')) {
      end++;
    }
    String number = all.substring(0, end);
    long unit = unit(all.substring(end)) * NANOS_PER_MILLI;
    if (unit == 0 || !isNumber(number)) {
      throw invalid(option, text);
    }
    long nanos = nanos(number, unit);
    if (nanos > MOST_NANOS) {
      throw invalid(option, text);
    }
    return Duration.ofNanos(nanos);
  }

  /**
   * How many nanoseconds so many units are, or some number above {@link #MOST_NANOS}. By hand: the
   * first {@link java.math.BigDecimal} makes a pool of threads, should it have large numbers to
   * square.
   */
  private static long nanos(String number, long unit) {
    long nanos = 0;
    long place = unit;
    boolean fraction = false;
    for (int i = 0; i < number.length() && nanos <= MOST_NANOS; i++) {
      int digit = number.charAt(i) - '0';
      if (number.charAt(i) == '.') {
        fraction = true;
      } else if (fraction) {
        place /= 10;
        nanos += place * digit;
      } else {
        // Neither overflows: a day has fewer than 10^14.
        nanos = nanos > MOST_NANOS / 10 ? MOST_NANOS + 1 : nanos * 10 + unit * digit;
      }
    }
    return nanos;
  }

  private static boolean isNumber(String text) {
    int point = text.indexOf('.');
    return !text.isEmpty()
        && text.length() <= 20
        && Digits.is(text.charAt(0))
        && Digits.is(text.charAt(text.length() - 1))
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
