package dev.cloister.spec;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How the processes of a sandbox live and end.
 *
 * @param commandIsInit whether the command itself is process 1 of the pid namespace, which then
 *     must reap what is orphaned; else Cloister's own init is
 * @param dieWithParent whether the command is killed when the process that started Cloister ends
 * @param newSession whether the command gets a session without a controlling terminal (setsid(2))
 * @param timeout after which the command is ended
 * @param locks the files in the sandbox that a process of it has a read lock on as long as the
 *     command runs (fcntl(2), F_SETLK)
 * @param name what the command is told to be called, its argument 0, if not as it was called
 */
public record Processes(
    boolean commandIsInit,
    boolean dieWithParent,
    boolean newSession,
    Optional<Timeout> timeout,
    List<Destination> locks,
    Optional<OsString> name) {
  /** Whatever the caller's processes do. */
  public static final Processes PLAIN =
      new Processes(false, false, false, Optional.empty(), List.of(), Optional.empty());

  public Processes {
    locks = List.copyOf(locks);
  }

  /** The same with the command as process 1. */
  public Processes withCommandAsInit() {
    return new Processes(true, dieWithParent, newSession, timeout, locks, name);
  }

  /** The same, ending with the caller. */
  public Processes dyingWithParent() {
    return new Processes(commandIsInit, true, newSession, timeout, locks, name);
  }

  /** The same in a session of its own. */
  public Processes inNewSession() {
    return new Processes(commandIsInit, dieWithParent, true, timeout, locks, name);
  }

  /** The same with at most this much time. */
  public Processes within(Timeout limit) {
    return new Processes(commandIsInit, dieWithParent, newSession, Optional.of(limit), locks, name);
  }

  /** The same with a lock on one more file. */
  public Processes locking(Destination file) {
    List<Destination> more = new ArrayList<>(locks);
    more.add(file);
    return new Processes(commandIsInit, dieWithParent, newSession, timeout, more, name);
  }

  /** The same with another name for the command. */
  public Processes called(OsString value) {
    return new Processes(
        commandIsInit, dieWithParent, newSession, timeout, locks, Optional.of(value));
  }
}
