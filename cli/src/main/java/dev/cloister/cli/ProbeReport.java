package dev.cloister.cli;

import dev.cloister.host.Caller;
import dev.cloister.host.Evidence;
import dev.cloister.probe.Capability;
import dev.cloister.probe.CapabilityProbe;
import dev.cloister.probe.Diagnosis;
import dev.cloister.probe.Limit;
import dev.cloister.probe.Meanwhile;
import dev.cloister.probe.StrategyTrial;
import dev.cloister.probe.VerdictStore;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.Identity;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.Strategies;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.StrategySelector;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What was found out about a host.
 *
 * @param strategies in order of preference
 * @param capabilities verdicts in the order of {@link Capability}
 */
record ProbeReport(
    Caller caller,
    Evidence evidence,
    List<Strategy> strategies,
    Map<Capability, Assessment> capabilities,
    List<Limit> limits) {

  /** What options can add to a sandbox's guarantees. */
  private static final SandboxSpec MOST_ISOLATED = mostIsolated();

  private static SandboxSpec mostIsolated() {
    SandboxSpec.Builder spec = SandboxSpec.builder().identity(Identity.CALLER.withUid(65534));
    for (Namespace namespace : Namespace.values()) {
      spec.unshare(namespace);
    }
    return spec.build();
  }

  ProbeReport {
    strategies = List.copyOf(strategies);
    limits = List.copyOf(limits);
  }

  /**
   * A strategy that was tried.
   *
   * @param ownView whether the command gets a file system of its own
   * @param program what it was tried with; empty if that was pointless
   * @param guarantees what a sandbox that asks for nothing special can be relied on for; of one
   *     that cannot be used, nothing
   * @param outOfReach what one cannot be relied on for here whatever it asks for
   */
  record Strategy(
      String name,
      Assessment assessment,
      boolean ownView,
      Optional<SyscallProgram> program,
      Set<Guarantee> guarantees,
      Set<Guarantee> outOfReach) {}

  /** Tries everything. */
  static ProbeReport collect(Sandboxing sandboxing) {
    Diagnosis diagnosis = sandboxing.diagnosis();
    CapabilityProbe probe = new CapabilityProbe(sandboxing.runner(), sandboxing.host(), diagnosis);
    // Both wait for other processes nearly all the time, so they do so at once.
    Meanwhile<Map<Capability, Assessment>> capabilities =
        Meanwhile.find("capabilities", probe::ofAll);
    List<Strategy> strategies = tryOut(sandboxing, diagnosis, Strategies.ALL);
    return new ProbeReport(
        sandboxing.host().caller(),
        diagnosis.evidence(),
        strategies,
        capabilities.result(),
        Limit.of(diagnosis));
  }

  /** Tries one strategy, and nothing else. */
  static ProbeReport collect(Sandboxing sandboxing, IsolationStrategy strategy) {
    Diagnosis diagnosis = sandboxing.diagnosis();
    return new ProbeReport(
        sandboxing.host().caller(),
        diagnosis.evidence(),
        tryOut(sandboxing, diagnosis, List.of(strategy)),
        Map.of(),
        List.of());
  }

  /** Whatever was remembered is found out anew, and remembered. */
  private static List<Strategy> tryOut(
      Sandboxing sandboxing, Diagnosis diagnosis, List<IsolationStrategy> all) {
    StrategyTrial trial = sandboxing.trial(diagnosis);
    Map<String, SyscallProgram> programs = new HashMap<>();
    VerdictStore verdicts =
        sandboxing.verdicts(
            strategy -> {
              StrategyTrial.Tried tried = trial.tryOut(strategy);
              programs.put(strategy.name(), tried.program());
              return tried.assessment();
            });
    verdicts.forget();
    StrategySelector selector = new StrategySelector(all, sandboxing.host(), verdicts);
    SandboxSpec plain = SandboxSpec.builder().build();
    List<Strategy> strategies = new ArrayList<>();
    for (IsolationStrategy strategy : all) {
      Assessment assessment = selector.assess(strategy, plain);
      Optional<SyscallProgram> program = Optional.ofNullable(programs.get(strategy.name()));
      Set<Guarantee> given = guarantees(sandboxing, strategy, assessment, plain);
      // Some hold only if nothing is asked for: who has namespaces waits.
      Set<Guarantee> reach = EnumSet.noneOf(Guarantee.class);
      reach.addAll(given);
      reach.addAll(guarantees(sandboxing, strategy, assessment, MOST_ISOLATED));
      strategies.add(
          new Strategy(
              strategy.name(),
              assessment,
              strategy.hasOwnView(),
              program,
              given,
              Guarantee.allBut(reach)));
    }
    return strategies;
  }

  private static Set<Guarantee> guarantees(
      Sandboxing sandboxing, IsolationStrategy strategy, Assessment assessment, SandboxSpec spec) {
    return assessment instanceof Assessment.Usable usable
        ? strategy.guarantees(spec, sandboxing.host().with(usable.workarounds()))
        : Set.of();
  }

  /**
   * The strategy that {@code run} takes for a sandbox that asks for nothing special, with an empty
   * {@code /tmp} as all have that do not ask for another; or the only one that was tried.
   */
  Optional<String> choice() {
    return strategies.stream()
        .filter(strategy -> strategy.assessment() instanceof Assessment.Usable)
        .filter(strategy -> strategy.ownView() || strategies.size() == 1)
        .map(Strategy::name)
        .findFirst();
  }
}
