package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.A3;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.SCRATCH;
import static dev.cloister.machine.Register.V0;
import static dev.cloister.machine.Register.V3;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import dev.cloister.program.Slot;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A process outside of the sandbox that only waits for another, passes signals on and sees to its
 * end.
 *
 * <p>Signals of job control are not blocked: the terminal sends them to the whole group, and this
 * process must stop and go on with its child. For the same reason only signals that a process sent
 * ({@code si_code <= 0}) are passed on; the terminal's own have reached the command already.
 */
final class Supervision {
  private static final List<LinuxConstant> JOB_CONTROL =
      List.of(
          LinuxConstant.SIGTSTP,
          LinuxConstant.SIGTTIN,
          LinuxConstant.SIGTTOU,
          LinuxConstant.SIGCONT);
  private static final int WRITING_END = 4;
  private static final int SIGNAL_SIZE = 4;
  private static final int LONGEST_REPORT = 64;
  private static final int FOREVER_SECONDS = Integer.MAX_VALUE;

  /** The phases of a time limit: not reached, SIGTERM was sent, SIGKILL was sent. */
  private static final int ASKED = 1;

  private static final int KILLED = 2;

  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final Instruction.Supervise supervise;
  private final ChildWait wait;
  private final Label command;
  private final Label signalNumber;
  private final Optional<Label> time;
  private final Label phase;
  private final Label wasKilled;

  Supervision(Emitter emitter, Routines routines, Instruction.Supervise supervise) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.supervise = supervise;
    this.wait = new ChildWait(emitter, routines, signals(), supervise.status());
    this.command = emitter.data.zeroed(8);
    this.signalNumber = emitter.data.zeroed(8);
    this.time = supervise.timeout().map(_ -> emitter.data.zeroed(LinuxStruct.TIMESPEC.size()));
    this.phase = emitter.data.zeroed(8);
    this.wasKilled = emitter.data.zeroed(8);
  }

  private long signals() {
    long bits = -1;
    for (LinuxConstant signal : JOB_CONTROL) {
      bits &= ~(1L << (signal.value(emitter.architecture) - 1));
    }
    return bits;
  }

  /**
   * Writes the code of the child, then the parent's.
   *
   * @param child writes the child's instructions
   * @param bestEffort writes calls whose failure is of no importance
   */
  void write(Runnable child, Consumer<List<? extends Instruction>> bestEffort) {
    wait.fork(
        () -> {
          supervise.lifeline().ifPresent(this::keepReadingEnd);
          child.run();
        },
        () -> bestEffort.accept(supervise.after()));
    supervise.lifeline().ifPresent(this::keepWritingEnd);
    supervise.parent().ifPresent(this::watch);
    bestEffort.accept(supervise.waiting());
    time.ifPresent(_ -> setTime(supervise.timeout().orElseThrow().limit()));
    Label next = new Label();
    Label ended = new Label();
    writeLoop(next, ended);
    asm.place(ended);
    bestEffort.accept(supervise.after());
    end();
  }

  /** Else the child would hold the pipe open that shall tell it that this process has ended. */
  private void keepReadingEnd(Slot lifeline) {
    asm.address(SCRATCH, emitter.slot(lifeline));
    asm.load(A0, SCRATCH, WRITING_END, Width.WORD);
    emitter.systemCall(SystemCall.CLOSE);
    asm.address(SCRATCH, emitter.slot(lifeline));
    asm.load(A0, SCRATCH, 0, Width.WORD);
    emitter.storeVariable(emitter.slot(lifeline), A0);
  }

  /** The other end stays open, too: writing to a pipe that nobody reads is a signal (pipe(7)). */
  private void keepWritingEnd(Slot lifeline) {
    asm.address(SCRATCH, emitter.slot(lifeline));
    asm.load(A0, SCRATCH, WRITING_END, Width.WORD);
    emitter.storeVariable(emitter.slot(lifeline), A0);
  }

  private void watch(Slot parent) {
    emitter.loadVariable(A0, emitter.slot(parent));
    wait.watchAlso();
  }

  private void setTime(Duration duration) {
    asm.address(SCRATCH, time.orElseThrow());
    asm.set(A0, duration.toSeconds());
    asm.store(SCRATCH, StructField.TIMESPEC_SEC.offset(), A0, Width.DOUBLE);
    asm.set(A0, duration.toNanosPart());
    asm.store(SCRATCH, StructField.TIMESPEC_NSEC.offset(), A0, Width.DOUBLE);
  }

  private void writeLoop(Label next, Label ended) {
    Label expired = new Label();
    Label lost = new Label();
    Label child = new Label();
    Label killed = new Label();
    asm.place(next);
    // ppoll(2) takes from the time what has passed.
    wait.await(supervise.parent().isPresent(), time, next);
    time.ifPresent(_ -> asm.branch(EQUAL, RESULT, 0, expired));
    supervise.parent().ifPresent(_ -> wait.branchIfAlso(lost));
    wait.readSignal(next);
    int sigchld = (int) LinuxConstant.SIGCHLD.value(emitter.architecture);
    asm.branch(EQUAL, A1, sigchld, child);
    supervise.killer().ifPresent(signal -> branchIf(signal, killed));
    passOn(next);
    asm.place(child);
    wait.reap(next);
    asm.jump(ended);
    time.ifPresent(_ -> writeExpired(expired, next));
    supervise.parent().ifPresent(_ -> writeLost(lost, next));
    supervise.killer().ifPresent(_ -> writeKilled(killed, next));
  }

  private void branchIf(LinuxConstant signal, Label target) {
    asm.branch(EQUAL, A1, (int) signal.value(emitter.architecture), target);
  }

  private void writeKilled(Label here, Label next) {
    asm.place(here);
    asm.set(A0, 1);
    emitter.storeVariable(wasKilled, A0);
    kill();
    asm.jump(next);
  }

  /** Who waits for this process sees what it has done to the child. */
  private void endLikewise() {
    Label normally = new Label();
    emitter.loadVariable(A0, wasKilled);
    asm.branch(EQUAL, A0, 0, normally);
    emitter.systemCall(SystemCall.GETPID);
    asm.copy(A0, RESULT);
    emitter.set(A1, LinuxConstant.SIGKILL);
    emitter.systemCall(SystemCall.KILL);
    asm.place(normally);
  }

  /** Passes signal A1, described at A2, on to the command. */
  private void passOn(Label next) {
    if (!supervise.terminal()) {
      Label send = new Label();
      asm.load(A3, A2, StructField.SIGNALFD_SIGINFO_CODE.offset(), Width.WORD);
      // si_code is signed; as an unsigned word its negative values have the top bit set.
      asm.branch(EQUAL, A3, 0, send);
      asm.shiftRight(A3, 31);
      asm.branch(EQUAL, A3, 0, next);
      asm.place(send);
    }
    send(next);
  }

  /** Sends signal A1 to the command, or to the child while there is none. */
  private void send(Label next) {
    emitter.storeVariable(signalNumber, A1);
    if (supervise.relay()) {
      emitter.loadVariable(A0, emitter.slot(supervise.lifeline().orElseThrow()));
      asm.address(A1, signalNumber);
      asm.set(A2, SIGNAL_SIZE);
      emitter.systemCall(SystemCall.WRITE);
    } else {
      loadCommand();
      emitter.loadVariable(A1, signalNumber);
      emitter.systemCall(SystemCall.KILL);
    }
    asm.jump(next);
  }

  /** A0 = the command's process id, or the child's. */
  private void loadCommand() {
    Label known = new Label();
    readStarted();
    emitter.loadVariable(A0, command);
    asm.branch(NOT_EQUAL, A0, 0, known);
    asm.copy(A0, V0);
    asm.place(known);
  }

  /** Reads the command's process id, if it was written since; an eventfd gives it once. */
  private void readStarted() {
    supervise
        .started()
        .ifPresent(
            started -> {
              emitter.loadVariable(A0, emitter.slot(started.event()));
              asm.address(A1, command);
              asm.set(A2, 8);
              emitter.systemCall(SystemCall.READ);
            });
  }

  private void writeExpired(Label expired, Label next) {
    Label insist = new Label();
    asm.place(expired);
    emitter.loadVariable(A0, phase);
    asm.branch(NOT_EQUAL, A0, 0, insist);
    asm.set(A0, ASKED);
    emitter.storeVariable(phase, A0);
    setTime(supervise.timeout().orElseThrow().grace());
    emitter.set(A1, LinuxConstant.SIGTERM);
    send(next);
    asm.place(insist);
    asm.set(A0, KILLED);
    emitter.storeVariable(phase, A0);
    setTime(Duration.ofSeconds(FOREVER_SECONDS));
    kill();
    asm.jump(next);
  }

  private void writeLost(Label lost, Label next) {
    asm.place(lost);
    asm.set(A0, -1);
    wait.watchAlso();
    kill();
    asm.jump(next);
  }

  /** An init ends when its lifeline does, even one of another user. */
  private void kill() {
    if (supervise.relay()) {
      emitter.loadVariable(A0, emitter.slot(supervise.lifeline().orElseThrow()));
      emitter.systemCall(SystemCall.CLOSE);
    } else {
      loadCommand();
      emitter.set(A1, LinuxConstant.SIGKILL);
      emitter.systemCall(SystemCall.KILL);
    }
    asm.copy(A0, V0);
    emitter.set(A1, LinuxConstant.SIGKILL);
    emitter.systemCall(SystemCall.KILL);
  }

  /** A reader that is gone costs nothing: this process blocks SIGPIPE. */
  private void reportExit(Instruction.Supervise.ExitReport report) {
    Label text = emitter.data.zeroed(LONGEST_REPORT);
    Label nothing = new Label();
    emitter.loadVariable(A0, emitter.slot(report.executed()));
    asm.load(A0, A0, 0, Width.WORD);
    asm.branch(EQUAL, A0, 0, nothing);
    asm.address(V3, text);
    routines.appendPlain("{ \"exit-code\": ");
    wait.loadStatus();
    asm.copy(RESULT, A0);
    asm.call(routines.appendNumber);
    routines.appendPlain(" }\n");
    asm.address(A1, text);
    asm.copy(A2, V3);
    asm.subtract(A2, A1);
    asm.set(A0, report.descriptor());
    emitter.systemCall(SystemCall.WRITE);
    asm.place(nothing);
  }

  private void end() {
    Label failed = new Label();
    if (supervise.started().isPresent()) {
      readStarted();
      emitter.loadVariable(A1, command);
      asm.branch(EQUAL, A1, 0, failed);
    }
    Label inTime = new Label();
    wait.say();
    if (supervise.report().isPresent()) {
      reportExit(supervise.report().get());
    }
    supervise.killer().ifPresent(_ -> endLikewise());
    wait.loadStatus();
    if (time.isPresent()) {
      emitter.loadVariable(A1, phase);
      asm.branch(EQUAL, A1, 0, inTime);
      asm.set(A0, Instruction.Supervise.TIMED_OUT);
    }
    asm.place(inTime);
    emitter.systemCall(SystemCall.EXIT_GROUP);
    supervise
        .started()
        .ifPresent(
            started -> {
              asm.place(failed);
              routines.dieSaying(started.failure());
            });
  }
}
