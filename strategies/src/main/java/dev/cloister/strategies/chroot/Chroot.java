package dev.cloister.strategies.chroot;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.HostReport;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.SyscallProgram;
import dev.cloister.recipe.Credentials;
import dev.cloister.recipe.NativeProgram;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.PlanException;
import java.util.List;
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
    return NativeProgram.plan(name(), spec, host, _ -> enterRoot());
  }

  private static List<Instruction> enterRoot() {
    return List.of(
        Call.of(SystemCall.CHROOT, Operand.of("."))
            .hint(Errno.EPERM, "a seccomp filter forbids chroot; see `cloister probe`"),
        Call.of(SystemCall.CHDIR, Operand.of("/")));
  }
}
