package dev.cloister.ffm;

/** How a process ended. */
public sealed interface ExitStatus {
  /**
   * Reads a status as wait(2) gives it: the exit status is in the second byte, or the signal in the
   * first, with 0x80 for a core dump.
   */
  static ExitStatus decode(int status) {
    int signal = status & 0x7f;
    return signal == 0
        ? new Exited((status >> 8) & 0xff)
        : new Killed(signal, (status & 0x80) != 0);
  }

  /** As one number, as a shell says it: 128 and the signal if that ended the process. */
  default int number() {
    return this instanceof Killed killed ? 128 + killed.signal() : ((Exited) this).code();
  }

  /**
   * It ended itself.
   *
   * @param code from 0 to 255
   */
  record Exited(int code) implements ExitStatus {}

  /**
   * A signal ended it.
   *
   * @param signal the signal's number
   * @param coreDumped whether it left a core dump
   */
  record Killed(int signal, boolean coreDumped) implements ExitStatus {}
}
