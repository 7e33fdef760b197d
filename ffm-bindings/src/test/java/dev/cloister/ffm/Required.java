package dev.cloister.ffm;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

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
}
