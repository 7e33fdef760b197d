/** What a sandbox is, how it is compiled, and how the result is launched. */
@org.jspecify.annotations.NullMarked
module dev.cloister.core {
  requires transitive dev.cloister.ffm;
  requires static org.jspecify;

  exports dev.cloister.host;
  exports dev.cloister.launch;
  exports dev.cloister.machine;
  exports dev.cloister.probe;
  exports dev.cloister.program;
  exports dev.cloister.recipe;
  exports dev.cloister.sandbox;
  exports dev.cloister.seccomp;
  exports dev.cloister.spec;
  exports dev.cloister.strategy;
}
