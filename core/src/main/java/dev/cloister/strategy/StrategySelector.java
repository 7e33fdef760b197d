package dev.cloister.strategy;

import dev.cloister.host.HostReport;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Chooses the first strategy that honours a specification and works on this host. */
public final class StrategySelector {
  private final List<IsolationStrategy> strategies;
  private final HostReport host;
  private final Trial trial;

  /** Finds out whether a strategy works here at all, by using it. */
  @FunctionalInterface
  public interface Trial {
    Assessment of(IsolationStrategy strategy);
  }

  /** A strategy that was not taken. */
  public record Rejection(IsolationStrategy strategy, Assessment.Unusable assessment) {
    @Override
    public String toString() {
      return "%s: %s (%s)".formatted(strategy.name(), assessment.reason(), assessment.remedy());
    }
  }

  /**
   * A strategy and why it was taken.
   *
   * @param host what to plan for
   * @param named whether it was asked for by name
   * @param rejections those that would have been preferred
   */
  public record Choice(
      IsolationStrategy strategy, HostReport host, boolean named, List<Rejection> rejections) {
    public Choice {
      rejections = List.copyOf(rejections);
    }

    /** One sentence for a person. */
    public String why() {
      if (named) {
        return "it was asked for by name, and works here";
      }
      return rejections.isEmpty()
          ? "it is the preferred one, and works here"
          : "it is the first that works here";
    }
  }

  /** No strategy can be used. */
  public static final class NoStrategyException extends Exception {
    private static final long serialVersionUID = 1L;
    private final transient List<Rejection> rejections;

    NoStrategyException(List<Rejection> rejections) {
      super("no strategy can make this sandbox here");
      this.rejections = List.copyOf(rejections);
    }

    public List<Rejection> rejections() {
      return rejections;
    }
  }

  /**
   * Makes a selector.
   *
   * @param strategies in order of preference
   */
  public StrategySelector(List<IsolationStrategy> strategies, HostReport host, Trial trial) {
    this.strategies = List.copyOf(strategies);
    this.host = host;
    this.trial = trial;
  }

  /**
   * Chooses. Nothing is tried that the choice does not need.
   *
   * @param name the only strategy to consider, or empty for all
   */
  public Choice choose(SandboxSpec spec, Optional<String> name) throws NoStrategyException {
    List<Rejection> rejections = new ArrayList<>();
    for (IsolationStrategy strategy : strategies) {
      if (name.isPresent() && !name.get().equals(strategy.name())) {
        continue;
      }
      Assessment assessment = assess(strategy, spec);
      if (assessment instanceof Assessment.Usable usable) {
        HostReport fitted = host.with(usable.workarounds());
        return new Choice(strategy, fitted, name.isPresent(), rejections);
      }
      if (assessment instanceof Assessment.Unusable unusable) {
        rejections.add(new Rejection(strategy, unusable));
      }
    }
    throw new NoStrategyException(rejections);
  }

  /** Whether {@code strategy} honours {@code spec} and works here, and how. */
  public Assessment assess(IsolationStrategy strategy, SandboxSpec spec) {
    Assessment assessment = strategy.assess(spec, host);
    if (assessment instanceof Assessment.Unusable) {
      return assessment;
    }
    Assessment verdict = trial.of(strategy);
    if (verdict instanceof Assessment.Usable usable && !usable.workarounds().isEmpty()) {
      // What a workaround cannot do is the strategy's to say.
      assessment = strategy.assess(spec, host.with(usable.workarounds()));
      return assessment instanceof Assessment.Unusable ? assessment : verdict;
    }
    return verdict;
  }
}
