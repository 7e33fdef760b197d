package dev.cloister.examples.judge;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Files;
import java.nio.file.Path;

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

  /** A program in one of the usual directories. */
  static String program(String name) {
    for (String directory : new String[] {"/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/"}) {
      if (Files.isExecutable(Path.of(directory + name))) {
        return directory + name;
      }
    }
    that(false, "the program " + name);
    throw new AssertionError("a missing program ends the test");
  }
}
