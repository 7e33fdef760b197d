package dev.cloister.machine;

/**
 * Who speaks in a launcher's messages, and with which status it ends where there is no command to
 * end with its own.
 *
 * @param name what each message starts with
 * @param isBubblewrap whether messages that bubblewrap has, too, are worded as its are
 */
public record Speaker(String name, boolean isBubblewrap) {
  /** As env(1), chroot(1) and timeout(1) have it. */
  public static final Speaker CLOISTER = new Speaker("cloister", false);

  /** In place of bubblewrap, for whom all failures are alike: bwrap(1), EXIT STATUS. */
  public static final Speaker BUBBLEWRAP = new Speaker("bwrap", true);

  /** The same, with how grave a message is in front of it: 3 is an error, as in syslog(3). */
  public Speaker withLevel(int level) {
    return new Speaker("<" + level + ">" + name, isBubblewrap);
  }

  /** What messages start with. */
  public String prefix() {
    return name + ": ";
  }

  /** The status where the sandbox could not be set up. */
  public int setUpFailed() {
    return isBubblewrap ? 1 : 125;
  }

  /** The status where the command cannot be executed. */
  int cannotExecute() {
    return isBubblewrap ? 1 : 126;
  }

  /** The status where there is no such command. */
  int notFound() {
    return isBubblewrap ? 1 : 127;
  }
}
