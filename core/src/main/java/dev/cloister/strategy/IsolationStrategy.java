package dev.cloister.strategy;

import dev.cloister.host.HostReport;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.SandboxSpec;
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
   * The program that makes the sandbox and becomes the command.
   *
   * @throws PlanException if the specification contradicts itself
   */
  SyscallProgram plan(SandboxSpec spec, HostReport host) throws PlanException;
}
