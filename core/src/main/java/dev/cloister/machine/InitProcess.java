package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.SCRATCH;
import static dev.cloister.machine.Register.V0;
import static dev.cloister.machine.Register.V2;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Process 1 of a pid namespace. The kernel keeps from it every signal it has no handler for
 * (pid_namespaces(7)), so it blocks none but SIGCHLD, and what is meant for the command comes
 * through a pipe. That this pipe has no writer any more says that the one outside has ended.
 */
final class InitProcess {
  private static final int SIGNAL_SIZE = 4;
  private static final String NAME = "cloister-init";
  private static final int KILLED = 128 + 9;

  private final Emitter emitter;
  private final Assembler asm;
  private final Instruction.Init init;
  private final ChildWait wait;
  private final Label lifeline;
  private final Label signal;

  InitProcess(Emitter emitter, Routines routines, Instruction.Init init) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.init = init;
    long sigchld = 1L << (LinuxConstant.SIGCHLD.value(emitter.architecture) - 1);
    this.wait = new ChildWait(emitter, routines, sigchld, init.status());
    this.lifeline = emitter.data.zeroed(8);
    this.signal = emitter.data.zeroed(8);
  }

  /**
   * Writes the code of the child, then that of process 1.
   *
   * @param child writes the child's instructions
   * @param bestEffort writes calls whose failure is of no importance
   */
  void write(Runnable child, Consumer<List<? extends Instruction>> bestEffort) {
    wait.fork(child, () -> {});
    emitter.operand(A0, init.lifeline());
    emitter.storeVariable(lifeline, A0);
    wait.watchAlso();
    hideArguments();
    bestEffort.accept(init.waiting());
    Label next = new Label();
    Label relayed = new Label();
    asm.place(next);
    wait.await(true, Optional.empty(), next);
    wait.branchIfAlso(relayed);
    wait.readSignal(next);
    wait.reap(next);
    wait.say();
    wait.loadStatus();
    emitter.systemCall(SystemCall.EXIT_GROUP);
    asm.place(relayed);
    passOn();
    asm.jump(next);
  }

  /**
   * What the launcher was called with names the host's directories and the values of {@code
   * --setenv}, and everyone may read it in {@code /proc/1/cmdline} (proc(5)). The child has a copy
   * of its own.
   */
  private void hideArguments() {
    Label argument = new Label();
    Label character = new Label();
    Label end = new Label();
    emitter.loadVariable(V2, emitter.ownArguments);
    writeName(argument, character);
    asm.place(argument);
    asm.load(A0, V2, 0, Width.DOUBLE);
    asm.branch(EQUAL, A0, 0, end);
    asm.place(character);
    asm.set(A1, 0);
    asm.load(A2, A0, 0, Width.BYTE);
    asm.store(A0, 0, A1, Width.BYTE);
    asm.add(A0, 1);
    asm.branch(NOT_EQUAL, A2, 0, character);
    asm.add(V2, 8);
    asm.jump(argument);
    asm.place(end);
    emitter.set(A0, LinuxConstant.PR_SET_NAME);
    emitter.text(A1, NAME);
    emitter.systemCall(SystemCall.PRCTL);
  }

  /**
   * Makes the first argument a name for ps(1), as far as there is room.
   *
   * @param argument the next one, by V2
   * @param rest what follows the name, from A0 on
   */
  private void writeName(Label argument, Label rest) {
    Label copy = new Label();
    Label full = new Label();
    asm.load(A0, V2, 0, Width.DOUBLE);
    emitter.text(A1, NAME);
    asm.place(copy);
    asm.load(A2, A1, 0, Width.BYTE);
    asm.branch(EQUAL, A2, 0, rest);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, full);
    asm.store(A0, 0, A2, Width.BYTE);
    asm.add(A0, 1);
    asm.add(A1, 1);
    asm.jump(copy);
    asm.place(full);
    asm.add(V2, 8);
    asm.jump(argument);
  }

  private void passOn() {
    Label someone = new Label();
    emitter.loadVariable(A0, lifeline);
    asm.address(A1, signal);
    asm.set(A2, SIGNAL_SIZE);
    emitter.systemCall(SystemCall.READ);
    asm.branch(Condition.GREATER_OR_EQUAL, RESULT, 1, someone);
    asm.set(A0, KILLED);
    emitter.systemCall(SystemCall.EXIT_GROUP);
    asm.place(someone);
    asm.copy(A0, V0);
    asm.address(SCRATCH, signal);
    asm.load(A1, SCRATCH, 0, Width.WORD);
    emitter.systemCall(SystemCall.KILL);
  }
}
