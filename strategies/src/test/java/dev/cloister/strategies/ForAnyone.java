package dev.cloister.strategies;

import dev.cloister.host.CallerKind;
import dev.cloister.host.HostReport;
import dev.cloister.program.SyscallProgram;
import dev.cloister.recipe.PortableProgram;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.MountOperation.LateBind;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A strategy's programs for whoever runs them, in the place of those for this caller on this host:
 * what holds for these must hold for those.
 */
record ForAnyone(IsolationStrategy strategy) implements IsolationStrategy {
  @Override
  public String name() {
    return strategy.name();
  }

  @Override
  public Assessment assess(SandboxSpec spec, HostReport host) {
    return spec.limits().needCgroup()
        ? new Assessment.Unusable("a cgroup must be looked for on the host", "do not ask for one")
        : strategy.assess(spec, host);
  }

  @Override
  public Set<Guarantee> guarantees(SandboxSpec spec, HostReport host) {
    CallerKind kind =
        host.caller().uid() != 0
            ? CallerKind.USER
            : host.caller().isPrivileged() ? CallerKind.ROOT : CallerKind.PLAIN_ROOT;
    return strategy.guarantees(late(spec), HostReport.anyFor(kind));
  }

  @Override
  public SyscallProgram plan(SandboxSpec spec, HostReport host) throws PlanException {
    return portable(spec).plan(List.of());
  }

  private PortableProgram portable(SandboxSpec spec) {
    Map<CallerKind, SandboxSpec> specs = new EnumMap<>(CallerKind.class);
    for (CallerKind kind : CallerKind.values()) {
      specs.put(kind, late(spec));
    }
    return new PortableProgram(strategy, specs);
  }

  private static SandboxSpec late(SandboxSpec spec) {
    List<MountOperation> mounts = new ArrayList<>();
    for (MountOperation mount : spec.mounts()) {
      mounts.add(
          mount instanceof Bind bind
              ? new LateBind(
                  bind.source().path(), bind.destination(), bind.access(), /* optional= */ false)
              : mount);
    }
    return new SandboxSpec(
        mounts,
        spec.namespaces(),
        spec.identity(),
        spec.environment(),
        spec.workingDirectory(),
        spec.hostname(),
        spec.processes(),
        spec.privileges(),
        spec.limits(),
        spec.handover(),
        spec.descriptors(),
        spec.given(),
        spec.reports());
  }
}
