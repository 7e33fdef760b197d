package dev.cloister.cli;

/** Something the user must change; the message is one line for them. */
final class CliException extends Exception {
  private static final long serialVersionUID = 1L;

  CliException(String message) {
    super(message);
  }
}
