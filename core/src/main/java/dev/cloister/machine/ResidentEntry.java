package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.LESS;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.A3;
import static dev.cloister.machine.Register.A4;
import static dev.cloister.machine.Register.A5;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.V0;
import static dev.cloister.machine.Register.V1;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.ResidentStart;
import dev.cloister.ffm.SystemCall;

/**
 * The function that a JVM calls to start a launcher which lies in its memory. For the caller it is
 * one of C: of the registers that such a function must leave alone it changes none, and its result
 * is in RESULT. In the new process it ends where the launcher itself begins, on a stack of its own.
 *
 * <p>Throughout, A5 is the address of the {@link ResidentStart}; system calls leave it alone.
 */
final class ResidentEntry {
  private static final int MOVE_SIZE = 8;
  private static final int SIGNAL_SET_SIZE = 8;

  /** As of a shell's whose command cannot be executed; nobody sees it. */
  private static final int FAILED = 127;

  private final Emitter emitter;
  private final Assembler asm;

  ResidentEntry(Emitter emitter) {
    this.emitter = emitter;
    this.asm = emitter.asm;
  }

  /** The launcher's code follows. */
  void write() {
    Label child = new Label();
    asm.enter();
    asm.copy(A5, A0);
    // A handler of the JVM's that ran in the child would run in the JVM's memory.
    setSignals(ResidentStart.ALL_SIGNALS, true);
    asm.copy(A0, A5);
    asm.set(A1, LinuxStruct.CLONE_ARGS.size());
    call(SystemCall.CLONE3);
    asm.branch(EQUAL, RESULT, 0, child);
    asm.copy(A4, RESULT);
    setSignals(ResidentStart.BLOCKED_SIGNALS, false);
    asm.copy(RESULT, A4);
    asm.leave();
    asm.place(child);
    moveDescriptors();
    // By now every signal has its default action (CLONE_CLEAR_SIGHAND).
    setSignals(ResidentStart.NO_SIGNALS, false);
  }

  private void setSignals(int blocked, boolean keepOld) {
    emitter.set(A0, LinuxConstant.SIG_SETMASK);
    asm.copy(A1, A5);
    asm.add(A1, blocked);
    if (keepOld) {
      asm.copy(A2, A5);
      asm.add(A2, ResidentStart.BLOCKED_SIGNALS);
    } else {
      asm.set(A2, 0);
    }
    asm.set(A3, SIGNAL_SET_SIZE);
    call(SystemCall.RT_SIGPROCMASK);
  }

  /** V0 is the next pair, V1 how many are left. */
  private void moveDescriptors() {
    Label next = new Label();
    Label keep = new Label();
    Label done = new Label();
    Label end = new Label();
    asm.load(V0, A5, ResidentStart.MOVES, Width.DOUBLE);
    asm.load(V1, A5, ResidentStart.MOVE_COUNT, Width.DOUBLE);
    asm.place(next);
    asm.branch(EQUAL, V1, 0, end);
    asm.load(A0, V0, 0, Width.WORD);
    asm.load(A1, V0, MOVE_SIZE / 2, Width.WORD);
    asm.set(A2, 0);
    asm.branch(EQUAL, A0, A1, keep);
    call(SystemCall.DUP3);
    asm.branch(LESS, RESULT, 0, writeFailure());
    asm.place(done);
    asm.add(V0, MOVE_SIZE);
    asm.add(V1, -1);
    asm.jump(next);
    asm.place(keep);
    // dup3(2) refuses the same number twice.
    emitter.set(A1, LinuxConstant.F_SETFD);
    call(SystemCall.FCNTL);
    asm.jump(done);
    asm.place(end);
  }

  private Label writeFailure() {
    Label failure = new Label();
    emitter.later(
        () -> {
          asm.place(failure);
          asm.store(A5, ResidentStart.ERROR, RESULT, Width.DOUBLE);
          asm.set(A0, FAILED);
          call(SystemCall.EXIT_GROUP);
        });
    return failure;
  }

  private void call(SystemCall call) {
    asm.systemCall(call.number(emitter.architecture));
  }
}
