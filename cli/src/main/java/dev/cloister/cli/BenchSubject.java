package dev.cloister.cli;

import java.io.IOException;

/**
 * A way to start the program that does nothing.
 *
 * @param name the strategy's or the other program's
 */
record BenchSubject(String name, Kind kind, Start start) {
  /** What a subject is to Cloister. */
  enum Kind {
    /** No sandbox at all, which the others are compared with. */
    PLAIN,
    /** One of Cloister's, through the library. */
    STRATEGY,
    /** Another program that makes sandboxes. */
    PEER
  }

  /** Starts the program, its standard streams being pipes. */
  @FunctionalInterface
  interface Start {
    Process start() throws IOException;
  }

  /**
   * Starts the program and waits for its end.
   *
   * @return how long that took, in nanoseconds
   * @throws IOException if it could not be started, or did not end well
   */
  long sample() throws IOException, InterruptedException {
    long begin = System.nanoTime();
    int status = start.start().waitFor();
    long end = System.nanoTime();
    if (status != 0) {
      throw new IOException(name + ": a start ended with status " + status);
    }
    return end - begin;
  }
}
