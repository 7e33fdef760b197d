package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.GREATER_OR_EQUAL;
import static dev.cloister.machine.Condition.LESS;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.V5;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.Consumer;

/** Writes the calls that a program consists of, each with what is done when it fails. */
final class CheckedCalls {
  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final String programName;
  private final Consumer<Instruction> others;

  /**
   * Where a call is made, where its failure is handled, where the program goes on, and where a
   * failure that nothing handles is reported.
   */
  private record Ways(Label again, Label failed, Label next, Label report) {}

  /**
   * Starts with no call written.
   *
   * @param others writes what is not a call and stands among calls
   */
  CheckedCalls(
      Emitter emitter, Routines routines, String programName, Consumer<Instruction> others) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.programName = programName;
    this.others = others;
  }

  /** The program's next step. */
  void write(Instruction.Call call) {
    write(call, ++emitter.step);
  }

  /** A call that must fail. */
  void writeExpected(Instruction.ExpectFailure expect) {
    int number = ++emitter.step;
    Label again = new Label();
    Label failed = new Label();
    Label next = new Label();
    Instruction.Call call = expect.call();
    asm.place(again);
    loadOperands(call);
    emitter.systemCall(call.call());
    asm.branch(LESS, RESULT, 0, failed);
    routines.dieSaying(programName + ": " + expect.otherwise());
    asm.place(next);
    Label report = emitter.onHost ? routines.failOnHost : routines.fail;
    emitter.later(() -> writeFailure(call, number, new Ways(again, failed, next, report)));
  }

  /** A call as step {@code number}. */
  private void write(Instruction.Call call, int number) {
    if (call.retried().isEmpty() && call.until().isEmpty() && call.recoveries().isEmpty()) {
      writeChecked(call, number);
    } else {
      Label report = emitter.onHost ? routines.failOnHost : routines.fail;
      Ways ways = new Ways(new Label(), new Label(), new Label(), report);
      writeMaking(call, ways);
      boolean stillOnHost = emitter.onHost;
      emitter.later(
          () -> {
            emitter.onHost = stillOnHost;
            writeFailure(call, number, ways);
          });
    }
    // From here on the paths of the host mean something else.
    emitter.onHost &= call.call() != SystemCall.PIVOT_ROOT && call.call() != SystemCall.CHROOT;
  }

  /** Most calls end the program whatever their errno, and so have no code of their own for it. */
  private void writeChecked(Instruction.Call call, int number) {
    routines.describe(number, call);
    loadOperands(call);
    emitter.systemCall(call);
    asm.call(emitter.onHost ? routines.checkOnHost : routines.check);
    call.result().ifPresent(slot -> emitter.storeVariable(emitter.slot(slot), RESULT));
  }

  private void loadOperands(Instruction.Call call) {
    for (int i = 0; i < call.operands().size(); i++) {
      emitter.operand(Register.argument(i), call.operands().get(i));
    }
  }

  private void writeMaking(Instruction.Call call, Ways ways) {
    if (!call.retried().isEmpty()) {
      asm.set(V5, Instruction.MAX_RETRIES);
    }
    asm.place(ways.again);
    loadOperands(call);
    emitter.systemCall(call);
    asm.branch(LESS, RESULT, 0, ways.failed);
    call.result().ifPresent(slot -> emitter.storeVariable(emitter.slot(slot), RESULT));
    if (call.until().isPresent()) {
      asm.jump(ways.again);
    }
    asm.place(ways.next);
  }

  private void writeFailure(Instruction.Call call, int number, Ways ways) {
    asm.place(ways.failed);
    call.until().ifPresent(errno -> asm.branch(EQUAL, RESULT, -errno.number(), ways.next));
    writeRetry(call, ways);
    writeRecoveries(call, number, ways.next);
    routines.describe(number, call);
    asm.jump(ways.report);
  }

  private void writeRetry(Instruction.Call call, Ways ways) {
    for (Errno errno : call.retried()) {
      Label other = new Label();
      asm.branch(NOT_EQUAL, RESULT, -errno.number(), other);
      asm.add(V5, -1);
      asm.branch(GREATER_OR_EQUAL, V5, 0, ways.again);
      asm.place(other);
    }
  }

  /** What several errnos are recovered from with is written once. */
  private void writeRecoveries(Instruction.Call call, int number, Label next) {
    IdentityHashMap<List<Instruction>, Label> written = new IdentityHashMap<>();
    call.recoveries()
        .forEach(
            (errno, instead) -> {
              Label recover = instead.isEmpty() ? next : written.get(instead);
              if (recover == null) {
                recover = new Label();
                written.put(instead, recover);
                writeRecovery(recover, instead, number, next);
              }
              asm.branch(EQUAL, RESULT, -errno.number(), recover);
            });
  }

  private void writeRecovery(Label recover, List<Instruction> instead, int number, Label next) {
    boolean stillOnHost = emitter.onHost;
    emitter.later(
        () -> {
          asm.place(recover);
          int last = emitter.step;
          emitter.onHost = stillOnHost;
          for (Instruction instruction : instead) {
            // What a step does instead is still that step.
            emitter.step = number;
            if (instruction instanceof Instruction.Call call) {
              write(call, number);
            } else {
              others.accept(instruction);
            }
          }
          emitter.step = last;
          asm.jump(next);
        });
  }

  /** Calls without a number, whose failure is of no importance. */
  void writeBestEffort(List<? extends Instruction> instructions) {
    for (Instruction instruction : instructions) {
      if (!(instruction instanceof Instruction.Call call)) {
        others.accept(instruction);
        continue;
      }
      Label next = new Label();
      Ways ways = new Ways(new Label(), new Label(), next, next);
      writeMaking(call, ways);
      emitter.later(
          () -> {
            asm.place(ways.failed);
            writeRetry(call, ways);
            asm.jump(next);
          });
    }
  }

  /** How code that follows a call reports its own failures: as that call's step. */
  Failure failure() {
    return new Failure(emitter.step, emitter.onHost ? routines.failOnHost : routines.fail);
  }
}
