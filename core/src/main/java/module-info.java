/**
 * Sandboxed processes: {@link dev.cloister.sandbox} is the library. The other packages, of what a
 * sandbox is and how it is compiled and launched, are the project's own.
 */
@org.jspecify.annotations.NullMarked
@SuppressWarnings("module") // those that may use them are built after this
module dev.cloister.core {
  requires transitive dev.cloister.ffm;
  requires static org.jspecify;

  uses dev.cloister.strategy.IsolationStrategy;

  exports dev.cloister.sandbox;
  exports dev.cloister.host to
      dev.cloister.strategies,
      dev.cloister.cli;
  exports dev.cloister.launch to
      dev.cloister.strategies,
      dev.cloister.cli;
  exports dev.cloister.machine to
      dev.cloister.strategies,
      dev.cloister.cli;
  exports dev.cloister.probe to
      dev.cloister.strategies,
      dev.cloister.cli;
  exports dev.cloister.program to
      dev.cloister.strategies,
      dev.cloister.cli;
  exports dev.cloister.recipe to
      dev.cloister.strategies,
      dev.cloister.cli;
  exports dev.cloister.seccomp to
      dev.cloister.strategies,
      dev.cloister.cli;
  exports dev.cloister.spec to
      dev.cloister.strategies,
      dev.cloister.cli;
  exports dev.cloister.strategy to
      dev.cloister.strategies,
      dev.cloister.cli;
}
