package dev.cloister.strategies;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.HostReport;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Instruction.IfSet;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.recipe.Credentials;
import dev.cloister.recipe.NativeProgram;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.chroot.Chroot;
import dev.cloister.strategies.pivotroot.PivotRoot;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Decides when the sandbox is made: pivots the root, and where the kernel cannot (EINVAL, as from
 * an initramfs) goes on as {@link Chroot}. For programs whose host is not known before.
 */
final class PivotRootOrChroot implements IsolationStrategy {
  private static final Slot NOT_PIVOTED = new Slot("not_pivoted");

  @Override
  public String name() {
    return "pivot_root or chroot";
  }

  @Override
  public Assessment assess(SandboxSpec spec, HostReport host) {
    return Credentials.assess(spec, host);
  }

  /** Those of both. */
  @Override
  public Set<Guarantee> guarantees(SandboxSpec spec, HostReport host) {
    return NativeProgram.guarantees(spec, host);
  }

  @Override
  public SyscallProgram plan(SandboxSpec spec, HostReport host) throws PlanException {
    return NativeProgram.plan(name(), spec, host, covering -> enterRoot(host, covering));
  }

  private static List<Instruction> enterRoot(HostReport host, int coveringMounts) {
    List<Instruction> steps = new ArrayList<>();
    steps.add(PivotRoot.openOldRoot());
    // A number that is never 0 is all that is asked of this call.
    Call mark = Call.of(SystemCall.GETPID).into(NOT_PIVOTED);
    steps.add(PivotRoot.pivot().recover(Errno.EINVAL, List.of(mark)));
    List<Instruction> protect = Chroot.protectOldRoot(host, coveringMounts);
    if (!protect.isEmpty()) {
      steps.add(new IfSet(NOT_PIVOTED, protect, List.of()));
    }
    steps.add(
        new IfSet(NOT_PIVOTED, Chroot.changeRoot(), PivotRoot.unmountOldRoot(coveringMounts)));
    return steps;
  }
}
