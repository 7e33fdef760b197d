package dev.cloister.cli;

import dev.cloister.host.Caller;
import dev.cloister.host.Evidence;
import dev.cloister.probe.Capability;
import dev.cloister.probe.CapabilityProbe;
import dev.cloister.probe.Diagnosis;
import dev.cloister.probe.Limit;
import dev.cloister.probe.StrategyTrial;
import dev.cloister.probe.VerdictStore;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.Strategies;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.StrategySelector;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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

  ProbeReport {
    strategies = List.copyOf(strategies);
    limits = List.copyOf(limits);
  }

  /**
   * A strategy that was tried.
   *
   * @param program what it was tried with; empty if that was pointless
   */
  record Strategy(String name, Assessment assessment, Optional<SyscallProgram> program) {}

  /** Tries everything. */
  static ProbeReport collect(Sandboxing sandboxing) {
    Diagnosis diagnosis = sandboxing.diagnosis();
    List<Strategy> strategies = tryOut(sandboxing, diagnosis, Strategies.ALL);
    CapabilityProbe probe = new CapabilityProbe(sandboxing.runner(), sandboxing.host(), diagnosis);
    Map<Capability, Assessment> capabilities = new LinkedHashMap<>();
    for (Capability capability : Capability.values()) {
      capabilities.put(capability, probe.of(capability));
    }
    return new ProbeReport(
        sandboxing.host().caller(),
        diagnosis.evidence(),
        strategies,
        capabilities,
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
      strategies.add(new Strategy(strategy.name(), assessment, program));
    }
    return strategies;
  }

  /** The strategy that {@code run} takes for a sandbox that asks for nothing special. */
  Optional<String> choice() {
    return strategies.stream()
        .filter(strategy -> strategy.assessment() instanceof Assessment.Usable)
        .map(Strategy::name)
        .findFirst();
  }
}
