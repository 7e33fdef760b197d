package dev.cloister.strategy;

import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

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
      return strategy.name() + ": " + assessment.text();
    }

    /** The lines that the remedy speaks of, to be said after it; often nothing. */
    public String attachment() {
      StringBuilder lines = new StringBuilder();
      for (String line : assessment.cause().attachment()) {
        lines.append("\n      ").append(line);
      }
      return lines.toString();
    }
  }

  /**
   * A strategy and why it was taken.
   *
   * @param host what to plan for
   * @param named whether it was asked for by name
   * @param required what it had to guarantee
   * @param guarantees what it does guarantee
   * @param rejections those that would have been preferred
   */
  public record Choice(
      IsolationStrategy strategy,
      HostReport host,
      boolean named,
      Set<Guarantee> required,
      Set<Guarantee> guarantees,
      List<Rejection> rejections) {
    public Choice {
      required = Guarantee.copy(required);
      guarantees = Guarantee.copy(guarantees);
      rejections = List.copyOf(rejections);
    }

    /** What the sandbox cannot be relied on for. */
    public Set<Guarantee> notGuaranteed() {
      return Guarantee.allBut(guarantees);
    }

    /** What to say even to those who asked for no report: lines for a person, often none. */
    public List<String> warnings() {
      return named ? List.of() : caveats();
    }

    private List<String> caveats() {
      return strategy.caveats(host);
    }

    /** One sentence for a person. */
    public String why() {
      return required.isEmpty() ? reason() : reason() + " with what is required";
    }

    private String reason() {
      if (named) {
        return "it was asked for by name, and works here";
      }
      return rejections.isEmpty()
          ? "it is the preferred one, and works here"
          : "it is the first that works here";
    }

    /** All of it in lines for a person: what was chosen, what not, and what that is good for. */
    public List<String> report() {
      List<String> lines = new ArrayList<>();
      lines.add("strategy " + strategy.name() + ": " + why());
      for (Rejection rejection : rejections) {
        lines.add("not " + rejection);
      }
      if (!host.workarounds().isEmpty()) {
        lines.add("done differently here: " + Workaround.words(host.workarounds()));
      }
      lines.add("guaranteed: " + Guarantee.words(guarantees));
      lines.add("not guaranteed: " + Guarantee.words(notGuaranteed()));
      lines.addAll(caveats());
      return lines;
    }
  }

  /** No strategy can be used. The message says why, for each and with what would help. */
  public static final class NoStrategyException extends Exception {
    private static final long serialVersionUID = 1L;
    private final transient @Nullable List<Rejection> rejections;

    NoStrategyException(List<Rejection> rejections) {
      super(message(rejections));
      this.rejections = List.copyOf(rejections);
    }

    private static String message(List<Rejection> rejections) {
      StringBuilder message = new StringBuilder("no strategy can make this sandbox here");
      for (Rejection rejection : rejections) {
        message.append("\n  ").append(rejection.strategy().name());
        message.append(": ").append(rejection.assessment().reason());
        message.append("\n    remedy: ").append(rejection.assessment().remedy());
        // The same file again would only hide that it is the same.
        if (message.indexOf(rejection.attachment()) < 0) {
          message.append(rejection.attachment());
        }
      }
      return message.toString();
    }

    @Override
    public String getMessage() {
      return Objects.requireNonNull(super.getMessage());
    }

    /** Why, for each that was considered; nothing of one that was serialized. */
    public List<Rejection> rejections() {
      return rejections == null ? List.of() : rejections;
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
   * @param required what it must guarantee
   */
  public Choice choose(SandboxSpec spec, Optional<String> name, Set<Guarantee> required)
      throws NoStrategyException {
    List<Rejection> rejections = new ArrayList<>();
    for (IsolationStrategy strategy : strategies) {
      if (name.isPresent() && !name.get().equals(strategy.name())) {
        continue;
      }
      Assessment assessment = assess(strategy, spec, required);
      if (assessment instanceof Assessment.Usable usable) {
        HostReport fitted = host.with(usable.workarounds());
        return new Choice(
            strategy,
            fitted,
            name.isPresent(),
            required,
            strategy.guarantees(spec, fitted),
            rejections);
      }
      if (assessment instanceof Assessment.Unusable unusable) {
        rejections.add(new Rejection(strategy, unusable));
      }
    }
    throw new NoStrategyException(rejections);
  }

  /** Whether {@code strategy} honours {@code spec} and works here, and how. */
  public Assessment assess(IsolationStrategy strategy, SandboxSpec spec) {
    return assess(strategy, spec, Set.of());
  }

  private Assessment assess(IsolationStrategy strategy, SandboxSpec spec, Set<Guarantee> required) {
    Assessment assessment = assess(strategy, spec, required, host);
    if (assessment instanceof Assessment.Unusable) {
      return assessment;
    }
    Assessment verdict = trial.of(strategy);
    if (verdict instanceof Assessment.Usable usable && !usable.workarounds().isEmpty()) {
      // What a workaround cannot do, and no longer guarantees, is the strategy's to say.
      assessment = assess(strategy, spec, required, host.with(usable.workarounds()));
      return assessment instanceof Assessment.Unusable ? assessment : verdict;
    }
    return verdict;
  }

  /** The same without trying it, and with what is required. */
  private Assessment assess(
      IsolationStrategy strategy, SandboxSpec spec, Set<Guarantee> required, HostReport fitted) {
    Assessment assessment = strategy.assess(spec, fitted);
    return assessment instanceof Assessment.Unusable || required.isEmpty()
        ? assessment
        : new Requirement(required).assess(strategy, spec, fitted, strategies);
  }
}
