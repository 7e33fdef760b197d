package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What a test needs from the machine and may miss. */
final class Required {
  private static final boolean MUST_WORK = "1".equals(System.getenv("CLOISTER_MUST_WORK"));

  private Required() {}

  /** Skips the test if something is missing, or fails it where nothing may be missing. */
  static void that(boolean present, String what) {
    if (present) {
      return;
    }
    if (MUST_WORK) {
      fail("missing, though CLOISTER_MUST_WORK is set: " + what);
    }
    abort("missing: " + what);
  }

  /** The path of a program where every user finds it. */
  static String tool(String name) {
    Stream<Path> places = Stream.of("/usr/bin", "/bin", "/usr/sbin", "/sbin").map(Path::of);
    Path found =
        places
            .map(place -> place.resolve(name))
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(Path.of(""));
    that(!found.toString().isEmpty(), "the program " + name);
    return found.toString();
  }
}
