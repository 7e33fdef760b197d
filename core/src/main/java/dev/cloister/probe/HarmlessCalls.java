package dev.cloister.probe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.CText;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.SyscallProgram;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tells a seccomp filter from the kernel. A filter sees little more than which call is made; the
 * kernel looks at nonsense in the arguments before it asks for any right. So a call that asks for
 * nothing, or for nonsense, and still gets EPERM was refused by a filter.
 */
final class HarmlessCalls {
  private static final Operand NOWHERE = Operand.of(-1);
  private static final Operand NOTHING = Operand.of(0);

  private static final Map<SystemCall, Call> CALLS =
      Map.of(
          SystemCall.UNSHARE,
          Call.of(SystemCall.UNSHARE, NOTHING),
          SystemCall.MOUNT,
          Call.of(SystemCall.MOUNT, Operand.NULL, Operand.NULL, Operand.NULL, NOTHING, Operand.NULL)
              .tolerate(Errno.EFAULT),
          SystemCall.UMOUNT2,
          Call.of(SystemCall.UMOUNT2, Operand.NULL, NOWHERE).tolerate(Errno.EINVAL),
          SystemCall.SETNS,
          Call.of(SystemCall.SETNS, NOWHERE, NOTHING).tolerate(Errno.EBADF),
          SystemCall.OPEN_TREE,
          Call.of(SystemCall.OPEN_TREE, NOWHERE, Operand.NULL, NOTHING).tolerate(Errno.EFAULT),
          SystemCall.MOUNT_SETATTR,
          Call.of(SystemCall.MOUNT_SETATTR, NOWHERE, Operand.NULL, NOTHING, Operand.NULL, NOTHING)
              .tolerate(Errno.EINVAL));

  private final ProgramRunner runner;

  HarmlessCalls(ProgramRunner runner) {
    this.runner = runner;
  }

  /** A call of this kind that fails with {@code errno} although the kernel would not say that. */
  Optional<String> refused(SystemCall kind, Errno errno) {
    Call call = CALLS.get(kind);
    if (call == null) {
      return Optional.empty();
    }
    SyscallProgram program =
        new SyscallProgram("harmless call", List.of(call, new Instruction.Exit()));
    Outcome expected = new Outcome.Failure(1, errno.number());
    return runner.run(program).equals(expected) ? Optional.of(CText.of(call)) : Optional.empty();
  }
}
