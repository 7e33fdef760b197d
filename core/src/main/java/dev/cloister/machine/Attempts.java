package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.A3;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.SCRATCH;
import static dev.cloister.machine.Register.V0;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;

/**
 * A process that tries something and whose end is reported on standard output: {@link
 * Instruction.Attempt#ENDED} and the status as wait4(2) has it, in two 32-bit numbers, behind what
 * the process itself may have reported as {@link Reporting#RECORD} has it.
 */
final class Attempts {
  private static final int STANDARD_OUTPUT = 1;

  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final Label record;

  Attempts(Emitter emitter, Routines routines) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.record = emitter.data.zeroed(2 * Integer.BYTES);
  }

  /** Writes the code of the child with {@code child}, then the parent's, which goes on. */
  void write(Runnable child) {
    Label parent = new Label();
    emitter.fork();
    asm.branch(Condition.NOT_EQUAL, RESULT, 0, parent);
    child.run();
    asm.set(A0, 0);
    emitter.systemCall(SystemCall.EXIT_GROUP);
    asm.trap();
    asm.place(parent);
    routines.failIfNegative("clone(SIGCHLD): ");
    await();
    report();
  }

  /** A stop and a continuation of this process interrupt the wait. */
  private void await() {
    Label again = new Label();
    asm.copy(V0, RESULT);
    asm.place(again);
    asm.copy(A0, V0);
    asm.address(A1, record);
    asm.add(A1, Integer.BYTES);
    asm.set(A2, 0);
    asm.set(A3, 0);
    emitter.systemCall(SystemCall.WAIT4);
    asm.branch(EQUAL, RESULT, -Errno.EINTR.number(), again);
  }

  private void report() {
    asm.address(A1, record);
    asm.set(SCRATCH, Instruction.Attempt.ENDED);
    asm.store(A1, 0, SCRATCH, Width.WORD);
    asm.set(A0, STANDARD_OUTPUT);
    asm.set(A2, 2 * Integer.BYTES);
    emitter.systemCall(SystemCall.WRITE);
  }
}
