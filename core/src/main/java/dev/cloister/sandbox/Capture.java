package dev.cloister.sandbox;

import java.nio.charset.StandardCharsets;

/**
 * What a command wrote until it ended, or until it was killed for writing too much or taking too
 * long.
 *
 * @param result how it ended; killed, where a limit was exceeded
 * @param output what it wrote to standard output, at most as much as the limit
 * @param error what it wrote to standard error, likewise
 * @param exceeded which limit it exceeded
 */
@SuppressWarnings("ArrayRecordComponent") // bytes are what a command writes; compared by nobody
public record Capture(Result result, byte[] output, byte[] error, Exceeded exceeded) {
  /** Which limit a command exceeded. */
  public enum Exceeded {
    NONE,
    /** It wrote more than the limit to one of the two. */
    BYTES,
    /** It ran longer than the limit. */
    TIME
  }

  /** The output as UTF-8. */
  public String outputText() {
    return new String(output, StandardCharsets.UTF_8);
  }

  /** The standard error as UTF-8. */
  public String errorText() {
    return new String(error, StandardCharsets.UTF_8);
  }
}
