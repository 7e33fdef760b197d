package dev.cloister.strategies.chroot;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.recipe.Credentials;
import dev.cloister.recipe.NativeProgram;
import dev.cloister.recipe.Steps;
import dev.cloister.spec.OsString;
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

/**
 * Leaves the old root mounted below the new one and makes the new one the process's root: tmpfs,
 * recursive binds, chroot. Works where the root cannot be pivoted.
 *
 * <p>The new root lies on top of the mount namespace's root, so for the kernel this process is not
 * in a chroot at all, and may make the user namespace that takes its capabilities. Without
 * CAP_SYS_ADMIN over the mount namespace nobody can lift the new root off the old one.
 */
public final class Chroot implements IsolationStrategy {
  private static final Slot NEW_ROOT = new Slot("new_root");

  @Override
  public String name() {
    return "chroot";
  }

  @Override
  public Assessment assess(SandboxSpec spec, HostReport host) {
    return Credentials.assess(spec, host);
  }

  @Override
  public Set<Guarantee> guarantees(SandboxSpec spec, HostReport host) {
    return NativeProgram.guarantees(spec, host);
  }

  @Override
  public SyscallProgram plan(SandboxSpec spec, HostReport host) throws PlanException {
    return NativeProgram.plan(name(), spec, host, covering -> enterRoot(host, covering));
  }

  @Override
  public Optional<SplitPlan> split(SandboxSpec spec, HostReport host) throws PlanException {
    return NativeProgram.split(name(), spec, host, covering -> enterRoot(host, covering));
  }

  private static List<Instruction> enterRoot(HostReport host, int coveringMounts) {
    List<Instruction> steps = new ArrayList<>(protectOldRoot(host, coveringMounts));
    steps.addAll(changeRoot());
    return steps;
  }

  /** Makes the working directory the root. */
  public static List<Instruction> changeRoot() {
    return List.of(
        Call.of(SystemCall.CHROOT, Operand.of("."))
            .hint(Errno.EPERM, "a seccomp filter forbids chroot; see `cloister probe`"),
        Call.of(SystemCall.CHDIR, Operand.of("/")));
  }

  /** Before {@link #changeRoot}, where the caller may be root. */
  public static List<Instruction> protectOldRoot(HostReport host, int coveringMounts) {
    return mayBeRoot(host.caller())
            && !host.needs(Workaround.REMOUNT_EACH)
            && !host.needs(Workaround.BIND_BY_PATH)
        ? protectOldRoot(coveringMounts)
        : List.of();
  }

  /** Others could write to nothing of the kernel's if they saw it. */
  private static boolean mayBeRoot(Caller caller) {
    return caller.uid() == 0 || caller.isPrivileged();
  }

  /**
   * Makes what is below the new root read-only. Who may mount something, if only in a user
   * namespace made for that, may mount a new procfs or sysfs with the rights of one that is mounted
   * already, even where its path does not lead (mount_too_revealing of fs/namespace.c). The host's
   * would let a command that is really root write to {@code core_pattern}. The new root, a copy
   * meanwhile, stays as it is.
   */
  private static List<Instruction> protectOldRoot(int coveringMounts) {
    OsString top = OsString.of(NativeProgram.NEW_ROOT);
    List<Instruction> steps = new ArrayList<>();
    steps.add(Steps.openTree(top, NEW_ROOT));
    for (int i = 0; i < coveringMounts; i++) {
      steps.add(Call.of(SystemCall.UMOUNT2, Operand.of(top), Operand.of(LinuxConstant.MNT_DETACH)));
    }
    steps.add(Steps.setAttributes(OsString.of("/"), LinuxConstant.MOUNT_ATTR_RDONLY));
    steps.add(Steps.moveMount(NEW_ROOT, OsString.of("/")));
    steps.add(Steps.chdir(NativeProgram.NEW_ROOT));
    return steps;
  }
}
