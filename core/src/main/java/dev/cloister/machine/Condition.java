package dev.cloister.machine;

/** How a branch compares its two operands. */
enum Condition {
  EQUAL,
  NOT_EQUAL,
  /** Signed. */
  LESS,
  /** Signed. */
  GREATER_OR_EQUAL,
  /** Unsigned. */
  BELOW,
  /** Unsigned. */
  ABOVE_OR_EQUAL
}
