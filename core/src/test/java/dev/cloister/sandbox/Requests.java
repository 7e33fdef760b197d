package dev.cloister.sandbox;

import dev.cloister.spec.OsString;
import java.lang.ProcessBuilder.Redirect;
import java.util.List;
import java.util.Map;

/** What tests start. */
final class Requests {
  private Requests() {}

  /** {@code true} with pipes. */
  static Request in(String directory) {
    return new Request(
        List.of(OsString.of("true")),
        OsString.of(directory),
        List.of(),
        Redirect.PIPE,
        Redirect.PIPE,
        Redirect.PIPE,
        false,
        Map.of());
  }
}
