package dev.cloister.machine;

import static dev.cloister.machine.Condition.ABOVE_OR_EQUAL;
import static dev.cloister.machine.Condition.BELOW;
import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.LESS;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.SCRATCH;
import static dev.cloister.machine.Register.V0;
import static dev.cloister.machine.Register.V1;
import static dev.cloister.machine.Register.V2;
import static dev.cloister.machine.Register.V3;
import static dev.cloister.machine.Register.V4;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import dev.cloister.program.Operand;

/**
 * Closes the descriptors that procfs lists, for kernels without close_range(2).
 *
 * <p>The list is read again until it names nothing more to close: what getdents64(2) says of a
 * directory that changes meanwhile is not specified, and a descriptor that is overlooked may lead
 * out of the sandbox. This process has one thread, so nobody opens another meanwhile.
 *
 * <p>Throughout, V0 is the directory, V1 the entry, V2 the end of those that were read, V3 whether
 * any was closed since the start of the list, and V4 the entry's number.
 */
final class DescriptorClosing {
  private static final int BUFFER_SIZE = 4096;

  /** Of struct linux_dirent64 (getdents64(2)). */
  private static final int RECORD_LENGTH = 16;

  private static final int NAME = 19;

  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final Label buffer;
  private final Label child;
  private final Label signals;

  DescriptorClosing(Emitter emitter, Routines routines) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.buffer = emitter.data.zeroed(BUFFER_SIZE);
    this.child = emitter.data.zeroed(8);
    this.signals = emitter.data.zeroed(8);
  }

  void write(Instruction.CloseListed close, Failure failure) {
    Label pass = new Label();
    Label more = new Label();
    Label entry = new Label();
    Label next = new Label();
    Label passed = new Label();
    Label failed = new Label();
    // A process that closes its caller's does so while it waits for a child: ChildWait has these.
    boolean waits = close.whose() == Instruction.CloseListed.Whose.CALLERS;
    if (waits) {
      emitter.storeVariable(child, V0);
      emitter.storeVariable(signals, V1);
    }
    emitter.loadVariable(V0, emitter.slot(close.directory()));
    asm.place(pass);
    asm.set(V3, 0);
    rewind();
    asm.branch(LESS, RESULT, 0, failed);
    asm.place(more);
    readEntries();
    asm.branch(LESS, RESULT, 0, failed);
    asm.branch(EQUAL, RESULT, 0, passed);
    asm.address(V1, buffer);
    asm.copy(V2, V1);
    asm.add(V2, RESULT);
    asm.place(entry);
    parseNumber(next);
    asm.branch(BELOW, V4, close.first(), next);
    asm.branch(EQUAL, V4, V0, next);
    leaveOut(close, next);
    // Whatever it returns, the number is free (close(2)); were it not, the next pass would see it.
    asm.copy(A0, V4);
    emitter.systemCall(SystemCall.CLOSE);
    asm.set(V3, 1);
    asm.place(next);
    asm.load(A0, V1, RECORD_LENGTH, Width.HALF);
    asm.add(V1, A0);
    asm.branch(BELOW, V1, V2, entry);
    asm.jump(more);
    asm.place(passed);
    asm.branch(NOT_EQUAL, V3, 0, pass);
    if (close.closesDirectory()) {
      asm.copy(A0, V0);
      emitter.systemCall(SystemCall.CLOSE);
    }
    if (waits) {
      emitter.loadVariable(V0, child);
      emitter.loadVariable(V1, signals);
    }
    emitter.later(() -> writeFailure(failed, failure));
  }

  /** Goes to {@code next} if descriptor V4 is to be left open. */
  private void leaveOut(Instruction.CloseListed close, Label next) {
    for (Operand kept : close.kept()) {
      emitter.operand(A0, kept);
      asm.branch(EQUAL, V4, A0, next);
    }
    if (close.whose() != Instruction.CloseListed.Whose.ANYONES) {
      asm.copy(A0, V4);
      emitter.set(A1, LinuxConstant.F_GETFD);
      emitter.systemCall(SystemCall.FCNTL);
      // FD_CLOEXEC is the only flag there is (fcntl(2)).
      boolean own = close.whose() == Instruction.CloseListed.Whose.OWN;
      asm.branch(own ? EQUAL : NOT_EQUAL, RESULT, 0, next);
    }
  }

  private void rewind() {
    asm.copy(A0, V0);
    asm.set(A1, 0);
    emitter.set(A2, LinuxConstant.SEEK_SET);
    emitter.systemCall(SystemCall.LSEEK);
  }

  private void readEntries() {
    asm.copy(A0, V0);
    asm.address(A1, buffer);
    asm.set(A2, BUFFER_SIZE);
    emitter.systemCall(SystemCall.GETDENTS64);
  }

  /** V4 = the name of the entry at V1, unless it is no number ({@code .} and {@code ..}). */
  private void parseNumber(Label noNumber) {
    Label digit = new Label();
    Label end = new Label();
    asm.copy(A0, V1);
    asm.add(A0, NAME);
    asm.set(V4, 0);
    asm.place(digit);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, end);
    asm.branch(BELOW, SCRATCH, '0', noNumber);
    asm.branch(ABOVE_OR_EQUAL, SCRATCH, '9' + 1, noNumber);
    // Ten times what it was, in shifts: 8 + 2.
    asm.copy(A1, V4);
    asm.shiftLeft(A1, 3);
    asm.shiftLeft(V4, 1);
    asm.add(V4, A1);
    asm.add(V4, SCRATCH);
    asm.add(V4, -'0');
    asm.add(A0, 1);
    asm.jump(digit);
    asm.place(end);
  }

  private void writeFailure(Label failed, Failure failure) {
    asm.place(failed);
    routines.describe(failure.step(), "closing descriptors: getdents64(\"/proc/self/fd\"): ");
    asm.jump(failure.report());
  }
}
