package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.A3;
import static dev.cloister.machine.Register.A4;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.SCRATCH;

import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import java.util.OptionalLong;

/** Whether those are still there for whom a process works. */
final class Relations {
  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final String name;

  /** Speaks as {@code name} when someone is gone. */
  Relations(Emitter emitter, Routines routines, String name) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.name = name;
  }

  /**
   * Whose parent ended has another one.
   *
   * @param expected who it was when the launcher was asked for
   */
  void requireParent(Instruction.RequireParent require, OptionalLong expected) {
    Label gone = new Label();
    emitter.systemCall(SystemCall.GETPPID);
    asm.copy(A1, RESULT);
    emitter.loadVariable(A0, emitter.slot(require.parent()));
    asm.branch(NOT_EQUAL, A0, A1, gone);
    if (expected.isPresent()) {
      asm.branch(NOT_EQUAL, A0, Math.toIntExact(expected.getAsLong()), gone);
    }
    emitter.later(() -> die(gone, "the process that asked for this sandbox has ended"));
  }

  /** A pipe without a writer says so at once. */
  void requireLifeline(Instruction.RequireLifeline require) {
    Label gone = new Label();
    Label poll = emitter.data.zeroed(LinuxStruct.POLLFD.size());
    Label now = emitter.data.constant(new byte[LinuxStruct.TIMESPEC.size()], 8);
    emitter.operand(A0, require.pipe());
    asm.address(SCRATCH, poll);
    asm.store(SCRATCH, StructField.POLLFD_FD.offset(), A0, Width.WORD);
    asm.address(A0, poll);
    asm.set(A1, 1);
    asm.address(A2, now);
    asm.set(A3, 0);
    asm.set(A4, 0);
    emitter.systemCall(SystemCall.PPOLL);
    asm.branch(EQUAL, RESULT, 1, gone);
    emitter.later(() -> die(gone, "the process that waits for this sandbox has ended"));
  }

  private void die(Label gone, String text) {
    asm.place(gone);
    routines.dieSaying(name + ": " + text);
  }
}
