package dev.cloister.cli;

/** Whose command line it is. Most of it means the same in both. */
enum Dialect {
  /** {@code cloister run}'s. */
  CLOISTER,
  /** {@code cloister bwrap}'s, where {@link BubblewrapRules} hold as well. */
  BUBBLEWRAP
}
