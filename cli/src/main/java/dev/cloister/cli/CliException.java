package dev.cloister.cli;

/** Something the user must change; the message is one line for them. */
final class CliException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String bubblewraps;

  CliException(String message) {
    this(message, message);
  }

  /**
   * The same where bubblewrap has words for it that scripts may look for.
   *
   * @param bubblewraps what is said where Cloister stands in for bubblewrap
   */
  CliException(String message, String bubblewraps) {
    super(message);
    this.bubblewraps = bubblewraps;
  }

  String inBubblewrapsWords() {
    return bubblewraps;
  }

  /** The same with where it was said what is wrong. */
  CliException in(String origin) {
    return new CliException(origin + ": " + getMessage(), origin + ": " + bubblewraps);
  }
}
