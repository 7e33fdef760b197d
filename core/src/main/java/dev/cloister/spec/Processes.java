package dev.cloister.spec;

import java.util.Optional;

/**
 * How the processes of a sandbox live and end.
 *
 * @param commandIsInit whether the command itself is process 1 of the pid namespace, which then
 *     must reap what is orphaned; else Cloister's own init is
 * @param dieWithParent whether the command is killed when the process that started Cloister ends
 * @param newSession whether the command gets a session without a controlling terminal (setsid(2))
 * @param timeout after which the command is ended
 */
public record Processes(
    boolean commandIsInit, boolean dieWithParent, boolean newSession, Optional<Timeout> timeout) {
  /** Whatever the caller's processes do. */
  public static final Processes PLAIN = new Processes(false, false, false, Optional.empty());

  /** The same with the command as process 1. */
  public Processes withCommandAsInit() {
    return new Processes(true, dieWithParent, newSession, timeout);
  }

  /** The same, ending with the caller. */
  public Processes dyingWithParent() {
    return new Processes(commandIsInit, true, newSession, timeout);
  }

  /** The same in a session of its own. */
  public Processes inNewSession() {
    return new Processes(commandIsInit, dieWithParent, true, timeout);
  }

  /** The same with at most this much time. */
  public Processes within(Timeout limit) {
    return new Processes(commandIsInit, dieWithParent, newSession, Optional.of(limit));
  }
}
