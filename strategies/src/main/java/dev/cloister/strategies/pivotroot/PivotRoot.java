package dev.cloister.strategies.pivotroot;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.HostReport;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.recipe.Credentials;
import dev.cloister.recipe.NativeProgram;
import dev.cloister.recipe.Steps;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.PlanException;
import dev.cloister.strategy.SplitPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Swaps the root for the new one and unmounts the old one: nothing of it is left. */
public final class PivotRoot implements IsolationStrategy {
  private static final Slot OLD_ROOT = new Slot("old_root");

  @Override
  public String name() {
    return "pivot_root";
  }

  @Override
  public Assessment assess(SandboxSpec spec, HostReport host) {
    return Credentials.assess(spec, host);
  }

  @Override
  public Set<Guarantee> guarantees(SandboxSpec spec, HostReport host) {
    Set<Guarantee> given = NativeProgram.guarantees(spec, host);
    given.add(Guarantee.OLD_ROOT_UNMOUNTED);
    return given;
  }

  @Override
  public SyscallProgram plan(SandboxSpec spec, HostReport host) throws PlanException {
    return NativeProgram.plan(name(), spec, host, PivotRoot::enterRoot);
  }

  @Override
  public Optional<SplitPlan> split(SandboxSpec spec, HostReport host) throws PlanException {
    return NativeProgram.split(name(), spec, host, PivotRoot::enterRoot);
  }

  /**
   * The old root lands on top of the new one (pivot_root(2), "pivot_root(".", ".")") and is
   * unmounted from within, so that the count can never go down to the new root itself, which has a
   * parent on hosts that were started from an initramfs. What was mounted over the old root before
   * the new one comes off first: with one call too few, {@code cd /..} would lead to the host.
   */
  private static List<Instruction> enterRoot(int coveringMounts) {
    List<Instruction> steps = new ArrayList<>();
    steps.add(openOldRoot());
    steps.add(
        pivot()
            .hint(
                Errno.EINVAL,
                "the root cannot be pivoted (an initramfs, or a chroot that is not a mount point);"
                    + " the chroot strategy does not need that"));
    steps.addAll(unmountOldRoot(coveringMounts));
    return steps;
  }

  /** Before {@link #pivot}. */
  public static Call openOldRoot() {
    return Steps.openDirectory("/", OLD_ROOT);
  }

  /** Makes the working directory the root. */
  public static Call pivot() {
    return Call.of(SystemCall.PIVOT_ROOT, Operand.of("."), Operand.of("."))
        .hint(Errno.EPERM, "a seccomp filter forbids pivot_root; see `cloister probe`");
  }

  /** After {@link #pivot}: nothing of the old root is left. */
  public static List<Instruction> unmountOldRoot(int coveringMounts) {
    Call detach =
        Call.of(SystemCall.UMOUNT2, Operand.of("."), Operand.of(LinuxConstant.MNT_DETACH));
    List<Instruction> steps = new ArrayList<>();
    steps.add(Call.of(SystemCall.FCHDIR, Operand.of(OLD_ROOT)));
    for (int i = 0; i < coveringMounts; i++) {
      steps.add(detach);
    }
    steps.add(detach.until(Errno.EINVAL));
    steps.add(Call.of(SystemCall.CHDIR, Operand.of("/")));
    return steps;
  }
}
