package dev.cloister.machine;

import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.V0;
import static dev.cloister.machine.Register.V1;
import static dev.cloister.machine.Register.V2;

import dev.cloister.ffm.SystemCall;
import dev.cloister.program.CText;
import dev.cloister.program.Instruction;

/** Executes another program, which then executes the command. */
final class ProgramExecution {
  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final String programName;
  private final int argumentsBefore;

  /**
   * Starts with nothing written.
   *
   * @param argumentsBefore how many of the launcher's own arguments go with the command, before it
   */
  ProgramExecution(Emitter emitter, Routines routines, String programName, int argumentsBefore) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.programName = programName;
    this.argumentsBefore = argumentsBefore;
  }

  /** Makes the argument vector on the stack: the fixed arguments, then the command's. */
  void write(Instruction.ExecuteProgram program) {
    Label copy = new Label();
    int fixed = program.arguments().size();
    emitter.loadVariable(V0, emitter.argumentCount);
    if (argumentsBefore > 0) {
      asm.add(V0, argumentsBefore);
    }
    asm.shiftLeft(V0, 3);
    asm.copy(A0, V0);
    asm.add(A0, 8 * fixed + 8 + 15);
    asm.and(A0, -16);
    asm.reserveStack(A0);
    asm.stackPointer(V1);
    for (int i = 0; i < fixed; i++) {
      asm.address(A0, emitter.data.text(program.arguments().get(i)));
      asm.store(V1, 8 * i, A0, Width.DOUBLE);
    }
    emitter.loadVariable(V2, emitter.arguments);
    if (argumentsBefore > 0) {
      asm.add(V2, -8 * argumentsBefore);
    }
    asm.copy(A1, V1);
    asm.add(A1, 8 * fixed);
    asm.place(copy);
    // The caller's vector ends with a null pointer, which is copied too.
    asm.load(A0, V2, 0, Width.DOUBLE);
    asm.store(A1, 0, A0, Width.DOUBLE);
    asm.add(V2, 8);
    asm.add(A1, 8);
    asm.branch(Condition.NOT_EQUAL, A0, 0, copy);
    asm.address(A0, emitter.data.text(program.path()));
    asm.copy(A1, V1);
    emitter.loadVariable(A2, emitter.environment);
    emitter.systemCall(SystemCall.EXECVE);
    routines.describe(0, programName + ": execve(" + CText.quote(program.path()) + "): ");
    asm.jump(routines.fail);
  }
}
