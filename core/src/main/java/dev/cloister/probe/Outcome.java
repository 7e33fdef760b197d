package dev.cloister.probe;

/** How a program that was tried ended. */
public sealed interface Outcome {
  /** It did all it should. */
  record Success() implements Outcome {}

  /**
   * A system call failed.
   *
   * @param step its number, from 1; 0 if the last one, the exec, failed
   */
  record Failure(int step, int errno) implements Outcome {}

  /** It ended in another way; {@code message} is what it said. */
  record Other(int status, String message) implements Outcome {}
}
