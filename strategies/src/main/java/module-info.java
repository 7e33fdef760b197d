/** The isolation strategies that Cloister ships with. */
@org.jspecify.annotations.NullMarked
@SuppressWarnings("module") // who may use them is built after this
module dev.cloister.strategies {
  requires transitive dev.cloister.core;
  requires static org.jspecify;

  exports dev.cloister.strategies to
      dev.cloister.cli;

  // In order of preference, as in Strategies.ALL.
  provides dev.cloister.strategy.IsolationStrategy with
      dev.cloister.strategies.pivotroot.PivotRoot,
      dev.cloister.strategies.chroot.Chroot,
      dev.cloister.strategies.bwrap.Bubblewrap,
      dev.cloister.strategies.landlock.Landlock;
}
