package dev.cloister.machine;

/** How a launcher tells that its set-up failed, before it ends with status 125. */
public enum Reporting {
  /** One message for a person, on standard error. */
  TEXT,
  /**
   * For a program: two 32-bit little-endian numbers on standard output, the step (0 where the
   * command itself could not be executed) and the errno.
   */
  RECORD
}
