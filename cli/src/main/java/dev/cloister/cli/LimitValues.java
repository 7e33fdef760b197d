package dev.cloister.cli;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.recipe.ResourceLimits;
import dev.cloister.spec.Limits;
import dev.cloister.spec.Limits.Cpu;
import dev.cloister.spec.Limits.ResourceLimit;
import dev.cloister.spec.OsString;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The values of the options that limit what a sandbox may use. */
final class LimitValues {
  private static final String UNLIMITED = "unlimited";
  private static final String UNITS = "KMGT";

  /** The kernel's own: PID_MAX_LIMIT, 2^22 on every 64-bit machine (linux/threads.h). */
  private static final long MAX_PIDS = 4_194_304;

  /** The kernel's default period (cgroups(7), cpu.max), and the least quota it takes: 1 ms. */
  private static final long PERIOD_MICROS = 100_000;

  /** Made when it is first asked for: by few. */
  private static final class Shares {
    private static final BigDecimal LEAST = new BigDecimal("0.01");
    private static final BigDecimal MOST = new BigDecimal(1_000_000);
  }

  private final String option;
  private final OsString value;

  /**
   * A value.
   *
   * @param option whose it is, for messages
   */
  LimitValues(RunOption option, OsString value) {
    this.option = option.word();
    this.value = value;
  }

  /** {@code NAME=SOFT[:HARD]}: the limits with this one. */
  Limits resource(Limits limits) throws CliException {
    String text = value.toString();
    int equals = text.indexOf('=');
    if (equals < 0) {
      throw wrong("not of the form NAME=VALUE");
    }
    LinuxConstant resource = resource(text.substring(0, equals));
    List<String> parts = List.of(text.substring(equals + 1).split(":", -1));
    if (parts.size() > 2) {
      throw wrong("not a limit, or a soft and a hard one as SOFT:HARD");
    }
    long soft = limit(resource, parts.getFirst());
    long hard = limit(resource, parts.getLast());
    if (Long.compareUnsigned(soft, hard) > 0) {
      throw wrong("the soft limit is above the hard limit");
    }
    return limits.with(resource, new ResourceLimit(soft, hard));
  }

  private LinuxConstant resource(String name) throws CliException {
    String word = name.toLowerCase(Locale.ROOT);
    if (word.startsWith("rlimit_")) {
      word = word.substring("rlimit_".length());
    }
    StringBuilder known = new StringBuilder();
    for (LinuxConstant resource : Limits.known()) {
      String knownWord = ResourceLimits.word(resource);
      if (knownWord.equals(word)) {
        return resource;
      }
      known.append(known.isEmpty() ? "" : ", ").append(knownWord);
    }
    throw wrong("'" + name + "' is not one of " + known);
  }

  private long limit(LinuxConstant resource, String text) throws CliException {
    if (text.equals(UNLIMITED)) {
      return ResourceLimit.UNLIMITED;
    }
    boolean bytes = countsBytes(resource);
    Optional<BigInteger> number = number(text, bytes);
    if (number.isEmpty() || number.get().bitLength() > Long.SIZE) {
      throw wrong(
          "'%s' is not %s from 0 to 2^64-1 or %s"
              .formatted(text, bytes ? "a size (K, M, G, T)" : "a number", UNLIMITED));
    }
    return number.get().longValue();
  }

  /** What getrlimit(2) says of it. */
  private static boolean countsBytes(LinuxConstant resource) {
    return switch (resource) {
      case RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE -> true;
      case RLIMIT_RSS, RLIMIT_MEMLOCK, RLIMIT_AS, RLIMIT_MSGQUEUE -> true;
      default -> false;
    };
  }

  /** {@code SIZE} of memory. */
  long memory() throws CliException {
    Optional<BigInteger> size = number(value.toString(), true);
    if (size.isEmpty() || size.get().signum() == 0 || size.get().bitLength() >= Long.SIZE) {
      throw wrong("not a size in bytes, or with K, M, G or T behind it");
    }
    return size.get().longValue();
  }

  /** {@code N} processes. */
  long pids() throws CliException {
    Optional<BigInteger> number = number(value.toString(), false);
    if (number.isEmpty()
        || number.get().signum() == 0
        || number.get().compareTo(BigInteger.valueOf(MAX_PIDS)) > 0) {
      throw wrong("not a number from 1 to " + MAX_PIDS);
    }
    return number.get().longValue();
  }

  /** {@code SHARE}: how many processors. */
  Cpu cpu() throws CliException {
    String text = value.toString();
    if (text.matches("[0-9]{1,7}([.][0-9]{1,5})?|[.][0-9]{1,5}")) {
      BigDecimal share = new BigDecimal(text);
      if (share.compareTo(Shares.LEAST) >= 0 && share.compareTo(Shares.MOST) <= 0) {
        long quota = share.multiply(BigDecimal.valueOf(PERIOD_MICROS)).longValueExact();
        return new Cpu(quota, PERIOD_MICROS);
      }
    }
    throw wrong(
        "not a number of processors from %s to %s, such as 1.5"
            .formatted(Shares.LEAST, Shares.MOST));
  }

  /** Binary units; no sign, and no digits of other scripts. */
  private static Optional<BigInteger> number(String text, boolean units) {
    String digits = text;
    int shift = 0;
    if (units && !text.isEmpty()) {
      int unit = UNITS.indexOf(Character.toUpperCase(text.charAt(text.length() - 1)));
      if (unit >= 0) {
        shift = 10 * (unit + 1);
        digits = text.substring(0, text.length() - 1);
      }
    }
    return Digits.only(digits, 20)
        ? Optional.of(new BigInteger(digits).shiftLeft(shift))
        : Optional.empty();
  }

  private CliException wrong(String why) {
    return new CliException("%s %s: %s".formatted(option, Messages.value(value), why));
  }
}
