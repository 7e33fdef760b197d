package dev.cloister.probe;

import dev.cloister.ffm.Errno;
import java.util.Optional;

/** How a program that was tried ended. */
public sealed interface Outcome {
  /** It did all it should. */
  record Success() implements Outcome {}

  /**
   * A system call failed.
   *
   * @param step its number, from 1; 0 if the last one, the exec, failed
   */
  record Failure(int step, int errno) implements Outcome {
    /** The errno as text: {@code EPERM (Operation not permitted)}. */
    public String error() {
      Optional<Errno> known = Errno.of(errno);
      return known.map(e -> e.name() + " (" + e.text() + ")").orElse("errno " + errno);
    }
  }

  /** It ended in another way; {@code message} is what it said. */
  record Other(int status, String message) implements Outcome {}
}
