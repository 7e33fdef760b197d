package dev.cloister.machine;

import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.A3;
import static dev.cloister.machine.Register.A4;
import static dev.cloister.machine.Register.SCRATCH;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import java.util.Optional;

/** Descriptors that a launcher waits for, in a fixed order: an array for ppoll(2). */
final class PollList {
  private static final int SIZE = LinuxStruct.POLLFD.size();

  private final Emitter emitter;
  private final Assembler asm;
  private final Label polls;

  PollList(Emitter emitter, int count) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.polls = emitter.data.zeroed(count * SIZE);
  }

  /** Looks at descriptor A0 in this place, or with -1 at none. Changes A0, SCRATCH. */
  void watch(int index) {
    asm.address(SCRATCH, polls);
    asm.store(SCRATCH, index * SIZE + StructField.POLLFD_FD.offset(), A0, Width.WORD);
    emitter.set(A0, LinuxConstant.POLLIN);
    asm.store(SCRATCH, index * SIZE + StructField.POLLFD_EVENTS.offset(), A0, Width.HALF);
  }

  /** Waits for the first {@code count}; RESULT is ppoll(2)'s, 0 if the time is over. */
  void await(int count, Optional<Label> timeout) {
    asm.address(A0, polls);
    asm.set(A1, count);
    timeout.ifPresentOrElse(time -> asm.address(A2, time), () -> asm.set(A2, 0));
    asm.set(A3, 0);
    asm.set(A4, 0);
    emitter.systemCall(SystemCall.PPOLL);
  }

  /** Compares what has happened to this descriptor with 0, nothing. Changes A0, SCRATCH. */
  void branchIf(Condition condition, int index, Label target) {
    asm.address(SCRATCH, polls);
    asm.load(A0, SCRATCH, index * SIZE + StructField.POLLFD_REVENTS.offset(), Width.HALF);
    asm.branch(condition, A0, 0, target);
  }
}
