package dev.cloister.machine;

import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.A3;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;

/** Signals that a launcher reads from a descriptor for a while, in place of being ended by them. */
final class BlockedSignals {
  private static final int MASK_SIZE = 8;

  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final Label mask;
  private final Label oldMask;

  /**
   * Prepares the data.
   *
   * @param signals bit n-1 for signal n
   */
  BlockedSignals(Emitter emitter, Routines routines, long signals) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.mask = emitter.data.constant(new ByteBuilder().u64(signals).toArray(), MASK_SIZE);
    this.oldMask = emitter.data.zeroed(MASK_SIZE);
  }

  void block() {
    emitter.set(A0, LinuxConstant.SIG_BLOCK);
    asm.address(A1, mask);
    asm.address(A2, oldMask);
    change(LinuxConstant.SIG_BLOCK);
  }

  /** As before {@link #block}. */
  void restore() {
    emitter.set(A0, LinuxConstant.SIG_SETMASK);
    asm.address(A1, oldMask);
    asm.set(A2, 0);
    change(LinuxConstant.SIG_SETMASK);
  }

  private void change(LinuxConstant how) {
    asm.set(A3, MASK_SIZE);
    emitter.systemCall(SystemCall.RT_SIGPROCMASK);
    // A signal that is not blocked is never read, and so what it tells never noticed.
    routines.failIfNegative("rt_sigprocmask(" + how + "): ");
  }

  /** RESULT = a descriptor that they are read from, or a negative errno. */
  void open() {
    asm.set(A0, -1);
    asm.address(A1, mask);
    asm.set(A2, MASK_SIZE);
    emitter.set(A3, LinuxConstant.SFD_CLOEXEC);
    emitter.systemCall(SystemCall.SIGNALFD4);
  }
}
