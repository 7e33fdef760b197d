package dev.cloister.strategy;

import dev.cloister.host.HostReport;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.SandboxSpec;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One way to make a sandbox. A strategy is a pure function: it looks at nothing but its arguments,
 * and what it cannot honour it refuses. It never weakens a specification silently.
 */
public interface IsolationStrategy {
  /** As in {@code --strategy}. */
  String name();

  /** Whether this strategy can honour every part of {@code spec} on such a host. */
  Assessment assess(SandboxSpec spec, HostReport host);

  /**
   * What a sandbox that this strategy makes of {@code spec} on such a host can be relied on for.
   * Only what an attack has been tried against: {@code docs/guarantees.md}.
   */
  Set<Guarantee> guarantees(SandboxSpec spec, HostReport host);

  /**
   * Whether the command gets a file system of its own. Else it only loses rights to what is there,
   * so a specification can ask for nothing but places as they are, and less for each than the
   * caller has.
   */
  default boolean hasOwnView() {
    return true;
  }

  /**
   * What somebody must be told who asked for a sandbox and not for this strategy: lines for a
   * person; none if it is what they expect.
   */
  default List<String> caveats(HostReport host) {
    return List.of();
  }

  /**
   * The program that makes the sandbox and becomes the command.
   *
   * @throws PlanException if the specification contradicts itself
   */
  SyscallProgram plan(SandboxSpec spec, HostReport host) throws PlanException;

  /**
   * The program of {@link #plan} in two, so that the first can be run before there is a command.
   *
   * @return nothing where the sandbox needs a process of its own meanwhile
   * @throws PlanException if the specification contradicts itself
   */
  default Optional<SplitPlan> split(SandboxSpec spec, HostReport host) throws PlanException {
    return Optional.empty();
  }
}
