package dev.cloister.cli;

/** What {@code cloister NAME} does. */
interface Subcommand {
  /** The word on the command line. */
  String name();

  /** One line for the list of commands. */
  String summary();

  /** The whole help text. */
  String help();

  /**
   * Does it.
   *
   * @return the exit status
   * @throws CliException with a message for the user; the status is then 125
   */
  int run(Invocation invocation) throws CliException;
}
