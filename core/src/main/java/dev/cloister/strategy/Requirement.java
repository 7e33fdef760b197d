package dev.cloister.strategy;

import dev.cloister.host.HostReport;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** What a sandbox must guarantee, whichever strategy makes it. */
record Requirement(Set<Guarantee> guarantees) {
  Requirement {
    guarantees = Guarantee.copy(guarantees);
  }

  /**
   * Whether {@code strategy} guarantees all of it.
   *
   * @param others who may do what it does not, for the remedy
   */
  Assessment assess(
      IsolationStrategy strategy,
      SandboxSpec spec,
      HostReport host,
      List<IsolationStrategy> others) {
    Set<Guarantee> missing = new TreeSet<>(guarantees);
    missing.removeAll(strategy.guarantees(spec, host));
    if (missing.isEmpty()) {
      return Assessment.USABLE;
    }
    List<String> remedies = new ArrayList<>();
    for (Guarantee guarantee : missing) {
      String remedy = remedy(guarantee, spec, host, others);
      remedies.add(missing.size() == 1 ? remedy : "for " + guarantee.word() + ": " + remedy);
    }
    return new Assessment.Unusable(
        "does not guarantee " + Guarantee.words(missing) + ", as --require asks",
        String.join("; ", remedies));
  }

  private static String remedy(
      Guarantee guarantee, SandboxSpec spec, HostReport host, List<IsolationStrategy> strategies) {
    List<String> names = new ArrayList<>();
    for (IsolationStrategy strategy : strategies) {
      if (strategy.assess(spec, host) instanceof Assessment.Usable
          && strategy.guarantees(spec, host).contains(guarantee)) {
        names.add(strategy.name());
      }
    }
    return names.isEmpty() ? guarantee.remedy() : "use --strategy " + String.join(" or ", names);
  }
}
