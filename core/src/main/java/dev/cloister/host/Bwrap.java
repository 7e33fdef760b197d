package dev.cloister.host;

import dev.cloister.spec.OsString;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * An installed bubblewrap.
 *
 * @param options those it says it has, found out only if needed; none if it says nothing
 */
public record Bwrap(OsString path, Supplier<Set<String>> options) {
  /** How the script starts that is Cloister's entry. */
  private static final String CLOISTER = "#!/bin/sh\n# Starts Cloister:";

  /** One that is not asked what it can do. */
  public Bwrap(OsString path) {
    this(path, Set::of);
  }

  /** Looks for an executable {@code bwrap} in the absolute directories of a PATH. */
  static Optional<Bwrap> find(String path) {
    for (String directory : path.split(":", -1)) {
      // A relative element would let the working directory choose what runs with these rights.
      if (directory.startsWith("/")
          && Files.isExecutable(Path.of(directory, "bwrap"))
          && !isCloister(Path.of(directory, "bwrap"))) {
        String file = directory + "/bwrap";
        return Optional.of(new Bwrap(OsString.of(file), () -> help(file)));
      }
    }
    return Optional.empty();
  }

  /**
   * Cloister itself may go by that name; to call it for help it would call itself. Not through a
   * channel, for the reason that {@link SmallFiles} gives.
   */
  private static boolean isCloister(Path file) {
    try (InputStream in = new FileInputStream(file.toFile())) {
      byte[] start = in.readNBytes(CLOISTER.length());
      return new String(start, StandardCharsets.US_ASCII).equals(CLOISTER);
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * The first of these options that it does not have, by what it says of itself: distributions
   * backport options, so its version proves nothing. One that says nothing is broken, which its
   * trial shows.
   */
  public Optional<String> lacks(List<String> wanted) {
    Set<String> known = options.get();
    return known.isEmpty()
        ? Optional.empty()
        : wanted.stream().filter(option -> !known.contains(option)).findFirst();
  }

  private static Set<String> help(String file) {
    return Arrays.stream(say(file, "--help").split("\\s+", -1))
        .filter(word -> word.startsWith("--"))
        .collect(Collectors.toSet());
  }

  /** What it calls itself, with its version; nothing if it says nothing. */
  public Optional<String> version() {
    return say(path.toString(), "--version").lines().findFirst();
  }

  /** Nothing of one that cannot be asked. */
  private static String say(String file, String option) {
    try {
      Process process =
          new ProcessBuilder(file, option)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .start();
      try (InputStream output = process.getInputStream()) {
        return new String(output.readAllBytes(), StandardCharsets.UTF_8);
      }
    } catch (IOException e) {
      return "";
    }
  }
}
