package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.LESS;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.A3;
import static dev.cloister.machine.Register.RESULT;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;

/**
 * Keeps the numbers of standard input, output and error from the program's own descriptors where
 * the caller closed them. Else the next directory that is opened gets such a number, is not closed
 * before the command starts, as its standard descriptors are not, and a planted link to {@code
 * /proc/self/fd/0} leads out.
 *
 * <p>In their place is a signalfd of no signal: nothing can be read from it, and signalfd4(2)
 * itself tells it from everything else.
 */
final class StandardDescriptors {
  /** Behind standard error. */
  private static final int FIRST_OTHER = 3;

  private static final int SIGNAL_SET_SIZE = 8;

  private final Emitter emitter;
  private final Assembler asm;
  private final Label noSignal;

  StandardDescriptors(Emitter emitter) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.noSignal = emitter.data.zeroed(SIGNAL_SET_SIZE);
  }

  /**
   * Takes the numbers that are free.
   *
   * @param keep whether they stay taken in a program that is executed, and makes the same mistake
   * @param failed where to go with an errno in RESULT
   */
  void occupy(boolean keep, Label failed) {
    Label next = new Label();
    Label end = new Label();
    asm.place(next);
    asm.set(A0, -1);
    setFlags(keep);
    emitter.systemCall(SystemCall.SIGNALFD4);
    // No number is left below the limit, and so none of the first three.
    asm.branch(EQUAL, RESULT, -Errno.EMFILE.number(), end);
    asm.branch(LESS, RESULT, 0, failed);
    asm.branch(LESS, RESULT, FIRST_OTHER, next);
    asm.copy(A0, RESULT);
    emitter.systemCall(SystemCall.CLOSE);
    asm.place(end);
  }

  private void setFlags(boolean keep) {
    asm.address(A1, noSignal);
    asm.set(A2, SIGNAL_SET_SIZE);
    if (keep) {
      asm.set(A3, 0);
    } else {
      emitter.set(A3, LinuxConstant.SFD_CLOEXEC);
    }
  }

  /** Closes those that an earlier program took and kept. */
  void free() {
    for (int number = 0; number < FIRST_OTHER; number++) {
      Label next = new Label();
      asm.set(A0, number);
      setFlags(true);
      emitter.systemCall(SystemCall.SIGNALFD4);
      asm.branch(LESS, RESULT, 0, next);
      asm.set(A0, number);
      emitter.systemCall(SystemCall.CLOSE);
      asm.place(next);
    }
  }
}
