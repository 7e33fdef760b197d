package dev.cloister.ffm;

/** How a process ended. */
public sealed interface ExitStatus {
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
