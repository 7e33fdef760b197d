package dev.cloister.sandbox;

import dev.cloister.ffm.ExitStatus;
import dev.cloister.ffm.ResourceUsage;

/**
 * How a command ended and what it took.
 *
 * @param status whether it exited, and with what, or which signal ended it. In a sandbox that
 *     bubblewrap makes without a pid namespace a signal shows as exit status 128 and its number
 * @param usage of the command and all the processes it waited for. Where nobody of the sandbox's
 *     waits for the command, or who did was killed with it, the most memory is never less than this
 *     program's own until the start
 * @param strategy the name of the strategy that made the sandbox
 */
public record Result(ExitStatus status, ResourceUsage usage, String strategy) {
  /** The status as {@link Process#exitValue} has it: 128 and the number for a signal. */
  public int exitValue() {
    return status.number();
  }

  /** Whether the command ended by itself, with status 0. */
  public boolean isSuccess() {
    return exitValue() == 0;
  }
}
