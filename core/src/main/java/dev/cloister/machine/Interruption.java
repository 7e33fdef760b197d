package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.LESS;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.A3;
import static dev.cloister.machine.Register.A4;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.SCRATCH;
import static dev.cloister.machine.Register.V3;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Operand;
import java.util.List;

/**
 * Lets signals end a process that waits for its caller's data. Process 1 of a pid namespace gets
 * none that it has no handler for (pid_namespaces(7)), unless it blocks them; and those that the
 * process outside passes on come through the lifeline, which nobody else looks at yet.
 *
 * <p>Throughout, V3 is the signalfd.
 */
final class Interruption {
  private static final List<LinuxConstant> SIGNALS =
      List.of(
          LinuxConstant.SIGHUP, LinuxConstant.SIGINT, LinuxConstant.SIGQUIT, LinuxConstant.SIGTERM);

  private static final int POLL_SIZE = LinuxStruct.POLLFD.size();
  private static final int DESCRIPTOR = 0;
  private static final int LIFELINE = 1;
  private static final int SIGNAL = 2;
  private static final int MASK_SIZE = 8;
  private static final int SIGNALLED = 128;

  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final Operand lifeline;
  private final Label mask;
  private final Label oldMask;
  private final Label polls;
  private final Label signal;

  Interruption(Emitter emitter, Routines routines, Operand lifeline) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.lifeline = lifeline;
    this.mask = emitter.data.constant(new ByteBuilder().u64(signals()).toArray(), MASK_SIZE);
    this.oldMask = emitter.data.zeroed(MASK_SIZE);
    this.polls = emitter.data.zeroed((SIGNAL + 1) * POLL_SIZE);
    this.signal = emitter.data.zeroed(LinuxStruct.SIGNALFD_SIGINFO.size());
  }

  private long signals() {
    long bits = 0;
    for (LinuxConstant each : SIGNALS) {
      bits |= 1L << (each.value(emitter.architecture) - 1);
    }
    return bits;
  }

  /** Writes what comes before the first wait for {@code descriptor}. */
  void begin(int descriptor) {
    emitter.set(A0, LinuxConstant.SIG_BLOCK);
    asm.address(A1, mask);
    asm.address(A2, oldMask);
    asm.set(A3, MASK_SIZE);
    emitter.systemCall(SystemCall.RT_SIGPROCMASK);
    routines.failIfNegative("rt_sigprocmask(SIG_BLOCK): ");
    asm.set(A0, -1);
    asm.address(A1, mask);
    asm.set(A2, MASK_SIZE);
    emitter.set(A3, LinuxConstant.SFD_CLOEXEC);
    emitter.systemCall(SystemCall.SIGNALFD4);
    routines.failIfNegative("signalfd4(SFD_CLOEXEC): ");
    asm.copy(V3, RESULT);
    asm.set(A0, descriptor);
    watch(DESCRIPTOR);
    emitter.operand(A0, lifeline);
    watch(LIFELINE);
    asm.copy(A0, V3);
    watch(SIGNAL);
  }

  private void watch(int index) {
    asm.address(SCRATCH, polls);
    asm.store(SCRATCH, index * POLL_SIZE + StructField.POLLFD_FD.offset(), A0, Width.WORD);
    emitter.set(A0, LinuxConstant.POLLIN);
    asm.store(SCRATCH, index * POLL_SIZE + StructField.POLLFD_EVENTS.offset(), A0, Width.HALF);
  }

  /** Writes a wait, which is over when something can be read, or is known to be wrong. */
  void await() {
    Label again = new Label();
    Label over = new Label();
    Label signalled = new Label();
    Label relayed = new Label();
    asm.place(again);
    asm.address(A0, polls);
    asm.set(A1, SIGNAL + 1);
    asm.set(A2, 0);
    asm.set(A3, 0);
    asm.set(A4, 0);
    emitter.systemCall(SystemCall.PPOLL);
    asm.branch(EQUAL, RESULT, -Errno.EINTR.number(), again);
    // Whoever reads then will say why.
    asm.branch(LESS, RESULT, 0, over);
    branchIf(SIGNAL, signalled);
    branchIf(LIFELINE, relayed);
    asm.place(over);
    emitter.later(() -> writeSignalled(signalled));
    emitter.later(() -> writeRelayed(relayed));
  }

  private void branchIf(int index, Label target) {
    asm.address(SCRATCH, polls);
    asm.load(A0, SCRATCH, index * POLL_SIZE + StructField.POLLFD_REVENTS.offset(), Width.HALF);
    asm.branch(NOT_EQUAL, A0, 0, target);
  }

  private void writeSignalled(Label here) {
    asm.place(here);
    asm.copy(A0, V3);
    asm.address(A1, signal);
    asm.set(A2, LinuxStruct.SIGNALFD_SIGINFO.size());
    emitter.systemCall(SystemCall.READ);
    endBy(StructField.SIGNALFD_SIGINFO_SIGNO.offset());
  }

  /** A number of a signal, or the end of the process outside. */
  private void writeRelayed(Label here) {
    asm.place(here);
    asm.address(A1, signal);
    emitter.set(A0, LinuxConstant.SIGKILL);
    asm.store(A1, 0, A0, Width.WORD);
    emitter.operand(A0, lifeline);
    asm.set(A2, Integer.BYTES);
    emitter.systemCall(SystemCall.READ);
    endBy(0);
  }

  private void endBy(int offset) {
    asm.address(SCRATCH, signal);
    asm.load(A0, SCRATCH, offset, Width.WORD);
    asm.add(A0, SIGNALLED);
    emitter.systemCall(SystemCall.EXIT_GROUP);
  }

  /** Writes what comes after the last wait. */
  void end() {
    asm.copy(A0, V3);
    emitter.systemCall(SystemCall.CLOSE);
    emitter.set(A0, LinuxConstant.SIG_SETMASK);
    asm.address(A1, oldMask);
    asm.set(A2, 0);
    asm.set(A3, MASK_SIZE);
    emitter.systemCall(SystemCall.RT_SIGPROCMASK);
    routines.failIfNegative("rt_sigprocmask(SIG_SETMASK): ");
  }
}
