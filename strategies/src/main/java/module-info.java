/** The isolation strategies that Cloister ships with. */
@org.jspecify.annotations.NullMarked
module dev.cloister.strategies {
  requires transitive dev.cloister.core;
  requires static org.jspecify;

  exports dev.cloister.strategies;
}
