package dev.cloister.strategies;

import dev.cloister.strategies.bwrap.Bubblewrap;
import dev.cloister.strategies.chroot.Chroot;
import dev.cloister.strategies.pivotroot.PivotRoot;
import dev.cloister.strategy.IsolationStrategy;
import java.util.List;

/** The strategies Cloister ships with. */
public final class Strategies {
  /** In order of preference: the first that is usable is taken. */
  public static final List<IsolationStrategy> ALL =
      List.of(new PivotRoot(), new Chroot(), new Bubblewrap());

  private Strategies() {}
}
