package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
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
import static dev.cloister.machine.Register.V4;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import java.util.List;

/**
 * A process that only waits for another and passes signals on.
 *
 * <p>Signals are blocked and read from a signalfd(2). Those of job control are not: the terminal
 * sends them to the whole group, and this process must stop and go on with its child. For the same
 * reason only signals that a process sent ({@code si_code <= 0}) are passed on; the terminal's own
 * have reached the command already.
 */
final class Supervision {
  private static final List<LinuxConstant> JOB_CONTROL =
      List.of(
          LinuxConstant.SIGTSTP,
          LinuxConstant.SIGTTIN,
          LinuxConstant.SIGTTOU,
          LinuxConstant.SIGCONT);
  private static final int MASK_SIZE = 8;

  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final Instruction.Supervise supervise;
  private final Label mask;
  private final Label oldMask;
  private final Label signal;
  private final Label status;
  private final Label command;

  Supervision(Emitter emitter, Routines routines, Instruction.Supervise supervise) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.supervise = supervise;
    this.mask = emitter.data.constant(mask(), 8);
    this.oldMask = emitter.data.zeroed(MASK_SIZE);
    this.signal = emitter.data.zeroed(LinuxStruct.SIGNALFD_SIGINFO.size());
    this.status = emitter.data.zeroed(8);
    this.command = emitter.data.zeroed(8);
  }

  private byte[] mask() {
    long bits = -1;
    for (LinuxConstant signal : JOB_CONTROL) {
      bits &= ~(1L << (signal.value(emitter.architecture) - 1));
    }
    return new ByteBuilder().u64(bits).toArray();
  }

  /** Writes the code of the child with {@code child}, then the parent's. */
  void write(Runnable child) {
    Label parent = new Label();
    changeMask(LinuxConstant.SIG_BLOCK, mask, oldMask);
    openSignals();
    emitter.fork();
    asm.branch(NOT_EQUAL, RESULT, 0, parent);
    changeMask(LinuxConstant.SIG_SETMASK, oldMask, null);
    child.run();
    asm.trap();
    asm.place(parent);
    writeParent();
  }

  private void changeMask(
      LinuxConstant how, Label to, @org.jspecify.annotations.Nullable Label old) {
    emitter.set(A0, how);
    asm.address(A1, to);
    if (old == null) {
      asm.set(A2, 0);
    } else {
      asm.address(A2, old);
    }
    asm.set(A3, MASK_SIZE);
    emitter.systemCall(SystemCall.RT_SIGPROCMASK);
  }

  /** V1 = the signalfd. Before the fork: without it nobody could wait for the child. */
  private void openSignals() {
    asm.set(A0, -1);
    asm.address(A1, mask);
    asm.set(A2, MASK_SIZE);
    emitter.set(A3, LinuxConstant.SFD_CLOEXEC);
    emitter.systemCall(SystemCall.SIGNALFD4);
    routines.failIfNegative("signalfd4(SFD_CLOEXEC): ");
    asm.copy(V1, RESULT);
  }

  /** V0 is the child's process id (or the negative errno of the fork), V1 the signalfd. */
  private void writeParent() {
    Label next = new Label();
    Label child = new Label();
    asm.copy(V0, RESULT);
    routines.failIfNegative("clone(SIGCHLD): ");
    asm.place(next);
    asm.copy(A0, V1);
    asm.address(A1, signal);
    asm.set(A2, LinuxStruct.SIGNALFD_SIGINFO.size());
    emitter.systemCall(SystemCall.READ);
    asm.branch(LESS, RESULT, 0, next);
    asm.address(A2, signal);
    asm.load(A1, A2, StructField.SIGNALFD_SIGINFO_SIGNO.offset(), Width.WORD);
    int sigchld = (int) LinuxConstant.SIGCHLD.value(emitter.architecture);
    asm.branch(EQUAL, A1, sigchld, child);
    passOn(next);
    asm.place(child);
    reap(next);
    end();
  }

  /** Sends signal A1, described at A2, to the command, or to the child while there is none. */
  private void passOn(Label next) {
    Label send = new Label();
    asm.load(A3, A2, StructField.SIGNALFD_SIGINFO_CODE.offset(), Width.WORD);
    // si_code is signed; as an unsigned word its negative values have the top bit set.
    asm.branch(EQUAL, A3, 0, send);
    asm.shiftRight(A3, 31);
    asm.branch(EQUAL, A3, 0, next);
    asm.place(send);
    readStarted();
    asm.address(A2, signal);
    asm.load(A1, A2, StructField.SIGNALFD_SIGINFO_SIGNO.offset(), Width.WORD);
    emitter.loadVariable(A0, command);
    Label known = new Label();
    asm.branch(NOT_EQUAL, A0, 0, known);
    asm.copy(A0, V0);
    asm.place(known);
    emitter.systemCall(SystemCall.KILL);
    asm.jump(next);
  }

  /** Reads the command's process id, if it was written since; an eventfd gives it once. */
  private void readStarted() {
    emitter.loadVariable(A0, emitter.slot(supervise.started()));
    asm.address(A1, command);
    asm.set(A2, 8);
    emitter.systemCall(SystemCall.READ);
  }

  private void reap(Label next) {
    asm.copy(A0, V0);
    asm.address(A1, status);
    emitter.set(A2, LinuxConstant.WNOHANG);
    asm.set(A3, 0);
    emitter.systemCall(SystemCall.WAIT4);
    asm.branch(NOT_EQUAL, RESULT, V0, next);
  }

  private void end() {
    Label signalled = new Label();
    Label exit = new Label();
    Label failed = new Label();
    readStarted();
    emitter.loadVariable(A1, command);
    asm.branch(EQUAL, A1, 0, failed);
    asm.address(SCRATCH, status);
    asm.load(A0, SCRATCH, 0, Width.WORD);
    asm.copy(A1, A0);
    asm.and(A1, 0x7f);
    asm.branch(NOT_EQUAL, A1, 0, signalled);
    asm.shiftRight(A0, 8);
    asm.jump(exit);
    asm.place(signalled);
    asm.copy(A0, A1);
    asm.add(A0, 128);
    asm.place(exit);
    emitter.systemCall(SystemCall.EXIT_GROUP);
    asm.place(failed);
    routines.startMessage();
    routines.append(supervise.failure() + "\n");
    asm.set(V4, Routines.SETUP_FAILED);
    asm.jump(routines.die);
  }
}
