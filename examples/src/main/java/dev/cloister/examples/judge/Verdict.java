package dev.cloister.examples.judge;

/** What a judge says of a submission. */
public enum Verdict {
  /** It ended with status 0 and wrote what was expected. */
  OK,
  /** It ended with status 0 and wrote something else; or it wrote without an end. */
  WRONG,
  /** It ran too long, whether busy or asleep. */
  TIMEOUT,
  /**
   * It took too much memory. A program in C that is refused memory before it has used too much of
   * it, and does not bear that, is a {@link #CRASH}: nobody but the program knows of the refusal.
   */
  MEMORY,
  /** It ended with another status, or by a signal. */
  CRASH,
  /** There is no program: the compiler refused the source. */
  COMPILE_ERROR
}
