package dev.cloister.recipe;

import dev.cloister.host.CallerKind;
import dev.cloister.host.HostReport;
import dev.cloister.program.Instruction;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A program for whoever runs it, on any host that needs no workaround. */
public final class PortableProgram {
  private final IsolationStrategy strategy;
  private final Map<CallerKind, SandboxSpec> specs;

  /**
   * Of these sandboxes.
   *
   * @param specs one for each kind of callers
   */
  public PortableProgram(IsolationStrategy strategy, Map<CallerKind, SandboxSpec> specs) {
    this.strategy = strategy;
    this.specs = Map.copyOf(specs);
  }

  /**
   * Plans it.
   *
   * @param conditions what must hold before anything is done
   * @throws PlanException for what cannot be planned without knowing the host
   */
  public SyscallProgram plan(List<Instruction.RequireVariable> conditions) throws PlanException {
    Map<CallerKind, List<Instruction>> lists = new EnumMap<>(CallerKind.class);
    for (CallerKind kind : CallerKind.values()) {
      lists.put(kind, strategy.plan(spec(kind), HostReport.anyFor(kind)).instructions());
    }
    List<Instruction> steps = new ArrayList<>(conditions);
    steps.add(new Instruction.RecognizeCaller());
    steps.addAll(MergedProgram.of(lists));
    return new SyscallProgram(strategy.name(), steps);
  }

  /** What holds for every caller. */
  public Set<Guarantee> guarantees() {
    Optional<Set<Guarantee>> common = Optional.empty();
    for (CallerKind kind : CallerKind.values()) {
      Set<Guarantee> given = strategy.guarantees(spec(kind), HostReport.anyFor(kind));
      common.ifPresent(given::retainAll);
      common = Optional.of(given);
    }
    return common.orElseThrow();
  }

  private SandboxSpec spec(CallerKind kind) {
    return Optional.ofNullable(specs.get(kind)).orElseThrow();
  }
}
