package dev.cloister.strategies;

import dev.cloister.strategies.bwrap.Bubblewrap;
import dev.cloister.strategies.chroot.Chroot;
import dev.cloister.strategies.landlock.Landlock;
import dev.cloister.strategies.pivotroot.PivotRoot;
import dev.cloister.strategy.IsolationStrategy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The strategies Cloister ships with. */
public final class Strategies {
  /** In order of preference: the first that is usable is taken. */
  public static final List<IsolationStrategy> ALL =
      List.of(new PivotRoot(), new Chroot(), new Bubblewrap(), new Landlock());

  /** For programs whose host is not known before they run. */
  public static final IsolationStrategy PORTABLE = new PivotRootOrChroot();

  private Strategies() {}

  /** The one of that name. */
  public static Optional<IsolationStrategy> find(String name) {
    for (IsolationStrategy strategy : ALL) {
      if (strategy.name().equals(name)) {
        return Optional.of(strategy);
      }
    }
    return Optional.empty();
  }

  /** All names, for a person. */
  public static String names() {
    List<String> names = new ArrayList<>();
    for (IsolationStrategy strategy : ALL) {
      names.add(strategy.name());
    }
    return String.join(", ", names);
  }
}
