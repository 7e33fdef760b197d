package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.LESS;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
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
import java.util.Optional;

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

  private static final int DESCRIPTOR = 0;
  private static final int LIFELINE = 1;
  private static final int SIGNAL = 2;
  private static final int SIGNALLED = 128;

  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final Operand lifeline;
  private final BlockedSignals signals;
  private final PollList polls;
  private final Label signal;

  Interruption(Emitter emitter, Routines routines, Operand lifeline) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.lifeline = lifeline;
    this.signals = new BlockedSignals(emitter, routines, signals());
    this.polls = new PollList(emitter, SIGNAL + 1);
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
    signals.block();
    signals.open();
    routines.failIfNegative("signalfd4(SFD_CLOEXEC): ");
    asm.copy(V3, RESULT);
    asm.set(A0, descriptor);
    polls.watch(DESCRIPTOR);
    emitter.operand(A0, lifeline);
    polls.watch(LIFELINE);
    asm.copy(A0, V3);
    polls.watch(SIGNAL);
  }

  /** Writes a wait, which is over when something can be read, or is known to be wrong. */
  void await() {
    Label again = new Label();
    Label over = new Label();
    Label signalled = new Label();
    Label relayed = new Label();
    asm.place(again);
    polls.await(SIGNAL + 1, Optional.empty());
    asm.branch(EQUAL, RESULT, -Errno.EINTR.number(), again);
    // Whoever reads then will say why.
    asm.branch(LESS, RESULT, 0, over);
    polls.branchIf(NOT_EQUAL, SIGNAL, signalled);
    polls.branchIf(NOT_EQUAL, LIFELINE, relayed);
    asm.place(over);
    emitter.later(() -> writeSignalled(signalled));
    emitter.later(() -> writeRelayed(relayed));
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
    signals.restore();
  }
}
