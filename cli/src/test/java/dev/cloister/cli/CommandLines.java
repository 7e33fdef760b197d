package dev.cloister.cli;

import dev.cloister.fixture.Cases;
import dev.cloister.spec.OsString;
import dev.cloister.strategy.Guarantee;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Command lines as no person would write them, and some as one would. */
final class CommandLines {
  private static final int MAX_OPTIONS = 7;

  /** What a number, a path, a name or a size is most likely to be taken wrongly at. */
  private static final List<OsString> WILD = wild();

  /** Names of capabilities, limits, sizes and the like, for whatever option wants one. */
  private static final List<OsString> WORDS =
      strings(
          "host",
          "origin",
          "none",
          "auto",
          "pivot_root",
          "chroot",
          "bwrap",
          "landlock",
          "default",
          "all",
          "ALL",
          "CAP_NET_ADMIN",
          "cap_sys_admin",
          "net_raw",
          "CAP_",
          "nofile",
          "nofile=64",
          "nofile=64:128",
          "nofile=128:64",
          "NOFILE=unlimited",
          "core=0",
          "as=-1",
          "=5",
          "nofile=",
          "1s",
          "0s",
          "0",
          "1.5m",
          "2h",
          "1d",
          "99999999999999999999d",
          "s",
          "1ms",
          "64M",
          "1G",
          "18446744073709551616",
          "16E",
          "M",
          "0.5",
          "50%",
          "1e3",
          "3",
          "4",
          "1000000");

  private final Random random;
  private final List<OsString> sources;

  /**
   * Makes a generator.
   *
   * @param tree files that exist
   */
  CommandLines(Random random, List<Path> tree) {
    this.random = random;
    this.sources = tree.stream().map(OsString::of).toList();
  }

  private static List<OsString> wild() {
    List<OsString> wild = new ArrayList<>();
    wild.addAll(
        strings(
            "",
            "/",
            ".",
            "..",
            "/..",
            "//",
            "/.",
            "//a//b/../c",
            "//a//b/./c/",
            "a",
            "./a/",
            "a=b",
            "=",
            "a\nb",
            "\u001b[31mred\u0007",
            "'",
            "\"; rm -rf \"",
            "$(id)",
            "%s%n%d",
            "\\x41\\",
            " ",
            "--",
            "-",
            "---",
            "--help",
            "-h",
            "--bind",
            "--uid=5",
            "--nope",
            "--MOUNT",
            "run",
            "*",
            "~",
            "\u00e9",
            "\u202e\u2028\u0085",
            "\u0663",
            "\ud83d\ude00",
            "0",
            "-0",
            "-1",
            "+1",
            " 1",
            "1 ",
            "01",
            "0x10",
            "1.5",
            "2147483647",
            "2147483648",
            "4294967294",
            "4294967295",
            "4294967296",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "1".repeat(100),
            "/proc/self/fd/0",
            "/proc/self/exe",
            "/dev/null",
            "/dev/nope/x",
            "/etc/passwd/x"));
    for (int length : new int[] {255, 256, 4095, 4096, 5000}) {
      wild.add(OsString.of("/" + "x".repeat(length - 1)));
      wild.add(OsString.of("/ab".repeat(length / 3)));
    }
    // More names than a recursion has room for; the kernel takes 131071 bytes in one argument.
    wild.add(OsString.of("/a".repeat(60_000)));
    wild.add(bytes(0xff, 0xfe));
    wild.add(bytes('/', 0x80, '/', 0xc3));
    wild.add(bytes('-', '-', 0xff));
    wild.add(bytes(0xed, 0xa0, 0x80));
    return wild;
  }

  private static OsString bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return OsString.ofBytes(bytes);
  }

  private static List<OsString> strings(String... texts) {
    return Arrays.stream(texts).map(OsString::of).toList();
  }

  /** A subcommand's arguments: its name, options, a command; one or two of them then spoiled. */
  List<OsString> next(String subcommand, List<? extends CliOption> options, OsString... command) {
    List<OsString> words = new ArrayList<>();
    int number = random.nextInt(MAX_OPTIONS);
    for (int i = 0; i < number; i++) {
      CliOption option = Cases.pick(random, options);
      words.add(OsString.of(option.word()));
      option.operands().forEach(operand -> words.add(value(operand)));
    }
    if (random.nextInt(8) != 0) {
      words.add(OsString.of("--"));
      words.addAll(List.of(command));
    } else if (random.nextBoolean()) {
      words.add(value("COMMAND"));
    }
    if (random.nextInt(3) == 0) {
      spoil(words);
    }
    keepOffDescriptors(words);
    words.addFirst(OsString.of(subcommand));
    return words;
  }

  /** What the tests' own process has open is not for them to read, and may never end. */
  private static void keepOffDescriptors(List<OsString> words) {
    for (int i = 1; i < words.size(); i++) {
      boolean read = words.get(i - 1).toString().contains("seccomp");
      if (read && words.get(i).toString().matches("0*[0-9]{1,4}")) {
        words.set(i, OsString.of("98765"));
      }
    }
  }

  private void spoil(List<OsString> words) {
    for (int times = 1 + random.nextInt(2); times > 0 && !words.isEmpty(); times--) {
      int place = random.nextInt(words.size());
      switch (random.nextInt(4)) {
        case 0 -> words.remove(place);
        case 1 -> words.add(place, words.get(random.nextInt(words.size())));
        case 2 -> words.set(place, Cases.pick(random, WILD));
        default -> words.add(place, noise());
      }
    }
  }

  private OsString value(String operand) {
    return switch (random.nextInt(8)) {
      case 0 -> Cases.pick(random, WILD);
      case 1 -> Cases.pick(random, WORDS);
      case 2 -> random.nextInt(4) == 0 ? noise() : usual(operand);
      default -> usual(operand);
    };
  }

  /** What an operand of this name is for; for a name that is not known here, any word. */
  private OsString usual(String operand) {
    return switch (operand) {
      case "PATH", "SRC", "FILE" -> Cases.pick(random, sources);
      case "DEST", "DIR" -> destination();
      case "TARGET" ->
          Cases.pick(random, strings("a", "../a", "/a", "/usr", "usr/bin", "..", "/proc/self"));
      case "FD" -> OsString.of(random.nextBoolean() ? "0" : number());
      case "UID", "GID", "N", "NUMBER" -> OsString.of(number());
      case "UPPER", "WORK" -> Cases.pick(random, sources);
      case "OCTAL" -> Cases.pick(random, strings("0755", "700", "1777", "0", "7777"));
      case "BYTES" -> Cases.pick(random, strings("4096", "0x1000", "1048576"));
      case "VAR" -> Cases.pick(random, strings("HOME", "PATH", "A", "UNSET"));
      case "GUARANTEE" -> OsString.of(Cases.pick(random, Guarantee.values()).word());
      default -> Cases.pick(random, WORDS);
    };
  }

  private String number() {
    return Integer.toString(random.nextInt(1, 100_000));
  }

  private OsString destination() {
    StringBuilder path = new StringBuilder();
    for (int depth = 1 + random.nextInt(3); depth > 0; depth--) {
      path.append('/').append(Cases.pick(random, "a", "b", "tmp", "usr", "dev", "proc", "bin"));
    }
    return OsString.of(path.toString());
  }

  /** Any bytes but NUL. */
  private OsString noise() {
    byte[] bytes = new byte[random.nextInt(12)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (1 + random.nextInt(255));
    }
    return OsString.ofBytes(bytes);
  }

  /** For a person: what a shell would take for the same words, where they are text. */
  static String text(List<OsString> words) {
    StringBuilder text = new StringBuilder();
    for (OsString word : words) {
      text.append(" '").append(new String(word.bytes(), StandardCharsets.ISO_8859_1)).append('\'');
    }
    return OsString.of(text.toString()).toString();
  }
}
