package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.LESS;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.SCRATCH;
import static dev.cloister.machine.Register.V0;
import static dev.cloister.machine.Register.V1;
import static dev.cloister.machine.Register.V2;
import static dev.cloister.machine.Register.V3;
import static dev.cloister.machine.Register.V4;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Listing;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.OsString;
import java.util.List;

/**
 * What a standalone launcher makes of its own arguments: V0 is the address of their count, which
 * they follow (execve(2)), V1 the count, at least 1. Both are kept.
 */
final class ArgumentVector {
  private static final int POINTER_SIZE = 8;
  private static final int STANDARD_OUTPUT = 1;

  /** How a listing calls the command that is not known yet. */
  private static final OsString COMMAND = OsString.of("COMMAND");

  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final Standalone standalone;
  private final SyscallProgram program;

  ArgumentVector(
      Emitter emitter, Routines routines, Standalone standalone, SyscallProgram program) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.standalone = standalone;
    this.program = program;
  }

  /** Stores the command's argument vector and how many there are. */
  void write() {
    standalone.command().ifPresentOrElse(this::append, this::parse);
  }

  /** The command's first arguments and then the launcher's own, in a vector on the stack. */
  private void append(List<OsString> command) {
    Label copy = new Label();
    asm.copy(A0, V1);
    asm.shiftLeft(A0, 3);
    // One more in front, as every vector has the launcher's own name there.
    asm.add(A0, POINTER_SIZE * (command.size() + 1) + 15);
    asm.and(A0, -16);
    asm.reserveStack(A0);
    asm.stackPointer(V2);
    asm.add(V2, POINTER_SIZE);
    emitter.storeVariable(emitter.arguments, V2);
    for (OsString argument : command) {
      asm.address(A0, emitter.data.text(argument));
      asm.store(V2, 0, A0, Width.DOUBLE);
      asm.add(V2, POINTER_SIZE);
    }
    asm.copy(A1, V0);
    asm.add(A1, 2 * POINTER_SIZE);
    asm.place(copy);
    // With the null pointer at its end.
    asm.load(A0, A1, 0, Width.DOUBLE);
    asm.store(V2, 0, A0, Width.DOUBLE);
    asm.add(A1, POINTER_SIZE);
    asm.add(V2, POINTER_SIZE);
    asm.branch(NOT_EQUAL, A0, 0, copy);
    asm.copy(A0, V1);
    asm.add(A0, command.size() - 1);
    emitter.storeVariable(emitter.argumentCount, A0);
  }

  /** V2 is where the argument is, V3 what it says. */
  private void parse() {
    Label command = new Label();
    Label none = new Label();
    Label behind = new Label();
    Label help = new Label();
    Label explain = new Label();
    asm.copy(V2, V0);
    asm.add(V2, 2 * POINTER_SIZE);
    asm.load(V3, V2, 0, Width.DOUBLE);
    asm.branch(EQUAL, V3, 0, none);
    asm.load(SCRATCH, V3, 0, Width.BYTE);
    asm.branch(NOT_EQUAL, SCRATCH, '-', command);
    branchIf("--", behind);
    branchIf("--help", help);
    branchIf("--explain", explain);
    complain();
    asm.place(behind);
    asm.add(V2, POINTER_SIZE);
    asm.load(V3, V2, 0, Width.DOUBLE);
    asm.branch(EQUAL, V3, 0, none);
    asm.place(command);
    emitter.storeVariable(emitter.arguments, V2);
    // What lies before the command is not among its arguments.
    asm.copy(A0, V2);
    asm.subtract(A0, V0);
    asm.shiftRight(A0, 3);
    asm.negate(A0);
    asm.add(A0, V1);
    asm.add(A0, 1);
    emitter.storeVariable(emitter.argumentCount, A0);
    emitter.later(() -> writeAnswers(none, help, explain));
  }

  /** Goes to {@code target} if the argument is this. Changes A0, A1, A3, RESULT, SCRATCH. */
  private void branchIf(String option, Label target) {
    Label other = new Label();
    emitter.text(A0, option);
    asm.copy(A1, V3);
    asm.call(routines.skipPrefix);
    asm.branch(EQUAL, RESULT, 0, other);
    asm.load(SCRATCH, RESULT, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, target);
    asm.place(other);
  }

  private void complain() {
    asm.copy(V2, V3);
    routines.startMessage();
    routines.append("cloister: unknown option ");
    asm.copy(A0, V2);
    asm.call(routines.appendName);
    routines.append("; see --help\n");
    fail();
  }

  private void fail() {
    asm.set(V4, routines.speaker().setUpFailed());
    asm.jump(routines.die);
  }

  private void writeAnswers(Label none, Label help, Label explain) {
    Label print = new Label();
    asm.place(none);
    routines.startMessage();
    routines.append("cloister: no command given; see --help\n");
    fail();
    asm.place(help);
    load(standalone.help());
    asm.jump(print);
    asm.place(explain);
    load(String.join("\n", Listing.ofLauncher(program, COMMAND)) + "\n");
    asm.place(print);
    writePrint();
  }

  /** V0 = the text, V1 = its end. */
  private void load(String text) {
    asm.address(V0, emitter.data.rareText(text));
    asm.set(V1, OsString.of(text).length());
    asm.add(V1, V0);
  }

  /** Prints what lies between V0 and V1, and ends. */
  private void writePrint() {
    Label more = new Label();
    Label failed = new Label();
    routines.unpack();
    asm.place(more);
    asm.set(A0, STANDARD_OUTPUT);
    asm.copy(A1, V0);
    asm.copy(A2, V1);
    asm.subtract(A2, V0);
    emitter.systemCall(SystemCall.WRITE);
    asm.branch(LESS, RESULT, 1, failed);
    asm.add(V0, RESULT);
    asm.branch(NOT_EQUAL, V0, V1, more);
    asm.set(A0, 0);
    emitter.systemCall(SystemCall.EXIT_GROUP);
    asm.place(failed);
    asm.copy(V2, RESULT);
    asm.negate(V2);
    asm.branch(EQUAL, V2, Errno.EINTR.number(), more);
    routines.startMessage();
    routines.append("cloister: cannot write to standard output: ");
    asm.call(routines.appendErrno);
    routines.append("\n");
    fail();
  }
}
