package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.GREATER_OR_EQUAL;
import static dev.cloister.machine.Condition.LESS;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.A3;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.SCRATCH;
import static dev.cloister.machine.Register.V0;
import static dev.cloister.machine.Register.V1;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What every process does that waits for a child: it blocks signals and reads them from a
 * signalfd(2), looks at other descriptors besides, and reaps. V0 is the child's process id, V1 the
 * signalfd.
 */
final class ChildWait {
  /** Of what is said of a child: two numbers, and what it took. */
  private static final int NUMBERS = 8;

  private static final int RECORD_SIZE = NUMBERS + LinuxStruct.RUSAGE.size();

  /** Signal n dies with this status in the eyes of a shell. */
  private static final int SIGNALLED = 128;

  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final BlockedSignals signals;
  private final PollList polls;
  private final Label signal;
  private final Label status;
  private final OptionalInt saying;
  private final Label record;

  /**
   * Prepares the data.
   *
   * @param signals the set of those to block and read, bit n-1 for signal n
   * @param saying on which descriptor to say how the child ended
   */
  ChildWait(Emitter emitter, Routines routines, long signals, OptionalInt saying) {
    this.saying = saying;
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.signals = new BlockedSignals(emitter, routines, signals);
    // The signalfd and one more.
    this.polls = new PollList(emitter, 2);
    this.signal = emitter.data.zeroed(LinuxStruct.SIGNALFD_SIGINFO.size());
    this.status = emitter.data.zeroed(8);
    this.record = emitter.data.zeroed(RECORD_SIZE);
  }

  /**
   * Writes the fork and the code of the child; what follows is the parent's.
   *
   * @param child the child's code, which starts with the signal mask of the caller
   * @param undo code for when there can be no child; keeps V0
   */
  void fork(Runnable child, Runnable undo) {
    Label parent = new Label();
    signals.block();
    // Before the fork: without it nobody could wait for the child.
    openSignals(undo);
    emitter.fork();
    asm.branch(NOT_EQUAL, RESULT, 0, parent);
    signals.restore();
    asm.copy(A0, V1);
    emitter.systemCall(SystemCall.CLOSE);
    child.run();
    asm.trap();
    asm.place(parent);
    asm.copy(V0, RESULT);
    failIfNegative("clone(SIGCHLD): ", undo);
    asm.copy(A0, V1);
    polls.watch(0);
  }

  /** V0 is RESULT. */
  private void failIfNegative(String call, Runnable undo) {
    Label good = new Label();
    asm.branch(GREATER_OR_EQUAL, V0, 0, good);
    undo.run();
    asm.copy(RESULT, V0);
    routines.failIfNegative(call);
    asm.place(good);
  }

  private void openSignals(Runnable undo) {
    signals.open();
    asm.copy(V0, RESULT);
    failIfNegative("signalfd4(SFD_CLOEXEC): ", undo);
    asm.copy(V1, V0);
  }

  /** Looks at descriptor A0 besides the signals, or with -1 no longer. */
  void watchAlso() {
    polls.watch(1);
  }

  /**
   * Waits for something to happen. RESULT is 0 if it was the time.
   *
   * @param also whether {@link #watchAlso} was told of a descriptor
   * @param interrupted where to go when nothing was
   */
  void await(boolean also, Optional<Label> timeout, Label interrupted) {
    polls.await(also ? 2 : 1, timeout);
    asm.branch(LESS, RESULT, 0, interrupted);
  }

  /** Goes to {@code target} if something is known of the descriptor that is watched, too. */
  void branchIfAlso(Label target) {
    polls.branchIf(NOT_EQUAL, 1, target);
  }

  /**
   * Reads a signal, which is then described at A2 and numbered A1.
   *
   * @param none where to go if there is none
   */
  void readSignal(Label none) {
    polls.branchIf(EQUAL, 0, none);
    asm.copy(A0, V1);
    asm.address(A1, signal);
    asm.set(A2, LinuxStruct.SIGNALFD_SIGINFO.size());
    emitter.systemCall(SystemCall.READ);
    asm.branch(LESS, RESULT, 0, none);
    loadSignal();
  }

  /** Once more what {@link #readSignal} read. */
  void loadSignal() {
    asm.address(A2, signal);
    asm.load(A1, A2, StructField.SIGNALFD_SIGINFO_SIGNO.offset(), Width.WORD);
  }

  /** Reaps all that have ended; goes to {@code next} unless the child is among them. */
  void reap(Label next) {
    Label again = new Label();
    asm.place(again);
    asm.set(A0, -1);
    asm.address(A1, status);
    emitter.set(A2, LinuxConstant.WNOHANG);
    asm.set(A3, 0);
    saying.ifPresent(_ -> addUsage());
    emitter.systemCall(SystemCall.WAIT4);
    asm.branch(LESS, RESULT, 1, next);
    asm.branch(NOT_EQUAL, RESULT, V0, again);
  }

  private void addUsage() {
    asm.address(A3, record);
    asm.add(A3, NUMBERS);
  }

  /** Says on a descriptor how the child ended, if that is wanted. */
  void say() {
    saying.ifPresent(this::say);
  }

  private void say(int descriptor) {
    asm.address(A1, record);
    asm.set(A0, Instruction.Attempt.ENDED);
    asm.store(A1, 0, A0, Width.WORD);
    asm.address(SCRATCH, status);
    asm.load(A0, SCRATCH, 0, Width.WORD);
    asm.store(A1, NUMBERS / 2, A0, Width.WORD);
    asm.set(A0, descriptor);
    asm.set(A2, RECORD_SIZE);
    emitter.systemCall(SystemCall.WRITE);
  }

  /** A0 = the status with which the child ended, as a shell has it. */
  void loadStatus() {
    Label signalled = new Label();
    Label end = new Label();
    asm.address(SCRATCH, status);
    asm.load(A0, SCRATCH, 0, Width.WORD);
    asm.copy(A1, A0);
    asm.and(A1, 0x7f);
    asm.branch(NOT_EQUAL, A1, 0, signalled);
    asm.shiftRight(A0, 8);
    asm.jump(end);
    asm.place(signalled);
    asm.copy(A0, A1);
    asm.add(A0, SIGNALLED);
    asm.place(end);
  }
}
