package dev.cloister.cli;

import dev.cloister.spec.OsString;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What {@code --perms} and {@code --size} say of the option that comes next: they do nothing
 * themselves, and with nothing that takes them they are a mistake.
 */
final class Modifiers {
  /** All bits that chmod(2) knows. */
  private static final int MAX_MODE = 07777;

  private OptionalInt perms = OptionalInt.empty();
  private OptionalLong size = OptionalLong.empty();

  /** Takes the value of {@code --perms}. */
  void perms(RunOption option, OsString value) throws CliException {
    if (perms.isPresent()) {
      throw refused(option, value, "given twice for the same option");
    }
    perms = OptionalInt.of(mode(option, value));
  }

  /** Takes the value of {@code --size}. */
  void size(RunOption option, OsString value) throws CliException {
    if (size.isPresent()) {
      throw refused(option, value, "given twice for the same option");
    }
    size = OptionalLong.of(bytes(option, value));
  }

  /**
   * What {@code --perms} said, for the option that makes something; nothing if it was not there.
   */
  OptionalInt takePerms() {
    OptionalInt taken = perms;
    perms = OptionalInt.empty();
    return taken;
  }

  /** What {@code --size} said. */
  OptionalLong takeSize() {
    OptionalLong taken = size;
    size = OptionalLong.empty();
    return taken;
  }

  /** Refuses what {@code option}, the last one that was applied, has not taken. */
  void requireTakenBy(RunOption option) throws CliException {
    if (option != RunOption.PERMS && option != RunOption.SIZE) {
      requireTaken(option.word() + " takes none");
    }
  }

  /** Refuses what no option has taken. */
  void requireTaken() throws CliException {
    requireTaken("none follows");
  }

  private void requireTaken(String why) throws CliException {
    if (perms.isPresent()) {
      throw new CliException(
          "--perms %04o: must be followed by an option that makes a file or a directory; %s"
              .formatted(perms.getAsInt(), why));
    }
    if (size.isPresent()) {
      throw new CliException(
          "--size %d: must be followed by --tmpfs; %s".formatted(size.getAsLong(), why));
    }
  }

  /** Permissions as chmod(1) takes them. */
  static int mode(RunOption option, OsString value) throws CliException {
    int mode = 0;
    for (int i = 0; i < value.length(); i++) {
      int digit = value.charAt(i) - '0';
      if (digit < 0 || digit > 7 || mode > MAX_MODE) {
        throw notAMode(option, value);
      }
      mode = 8 * mode + digit;
    }
    if (value.isEmpty() || mode > MAX_MODE) {
      throw notAMode(option, value);
    }
    return mode;
  }

  private static CliException notAMode(RunOption option, OsString value) {
    return refused(option, value, "not an octal number from 0 to 07777");
  }

  /** As strtoull(3) with base 0, but for the sign and the blanks that it passes over. */
  private static long bytes(RunOption option, OsString value) throws CliException {
    String text = value.toString();
    int base = 10;
    String digits = text;
    if (text.startsWith("0x") || text.startsWith("0X")) {
      base = 16;
      digits = text.substring(2);
    } else if (text.startsWith("0")) {
      base = 8;
    }
    long bytes = 0;
    for (int i = 0; i < digits.length(); i++) {
      int digit = digits.charAt(i) < 0x80 ? Character.digit(digits.charAt(i), base) : -1;
      if (digit < 0 || bytes > (Long.MAX_VALUE - digit) / base) {
        throw notASize(option, value);
      }
      bytes = base * bytes + digit;
    }
    if (bytes == 0) {
      throw notASize(option, value);
    }
    return bytes;
  }

  private static CliException notASize(RunOption option, OsString value) {
    return refused(option, value, "not a number of bytes from 1 to 2^63-1");
  }

  private static CliException refused(RunOption option, OsString value, String why) {
    return new CliException("%s %s: %s".formatted(option.word(), Messages.value(value), why));
  }
}
