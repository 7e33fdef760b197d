package dev.cloister.machine;

import static dev.cloister.machine.Condition.ABOVE_OR_EQUAL;
import static dev.cloister.machine.Condition.BELOW;
import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.LESS;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.A3;
import static dev.cloister.machine.Register.A4;
import static dev.cloister.machine.Register.A5;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.SCRATCH;
import static dev.cloister.machine.Register.V0;
import static dev.cloister.machine.Register.V1;
import static dev.cloister.machine.Register.V2;
import static dev.cloister.machine.Register.V3;
import static dev.cloister.machine.Register.V4;
import static dev.cloister.machine.Register.V5;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;

/**
 * Takes the command, its environment and its standard descriptors from a socket.
 *
 * <p>Whoever sends is this launcher's own parent, and yet nothing is believed that could lead out
 * of the memory that is read into.
 *
 * <p>Throughout, V0 is the size of the strings, V1 how many are arguments, V2 how many are
 * variables, V4 where they are.
 */
final class CommandReceipt {
  private static final int HEADER_SIZE = 16;
  private static final int ARGUMENTS = 4;
  private static final int VARIABLES = 8;
  private static final int POINTER_SIZE = 8;
  private static final int STANDARD = 3;
  private static final int DESCRIPTOR_SIZE = 4;

  /** For a few descriptors more than there should be, so that more are noticed. */
  private static final int CONTROL_SIZE = 64;

  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final int socket;
  private final Label message;
  private final Label part;
  private final Label header;
  private final Label control;
  private final Label gone = new Label();
  private final Label failed = new Label();
  private final Label malformed = new Label();

  CommandReceipt(Emitter emitter, Routines routines, Instruction.AwaitCommand await) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.socket = await.socket();
    this.message = emitter.data.zeroed(LinuxStruct.MSGHDR.size());
    this.part = emitter.data.zeroed(LinuxStruct.IOVEC.size());
    this.header = emitter.data.zeroed(HEADER_SIZE);
    this.control = emitter.data.zeroed(CONTROL_SIZE);
  }

  /**
   * Writes it.
   *
   * @param command which of the arguments is the command
   * @param name who speaks in messages
   */
  void write(int command, String name) {
    receive();
    takeDescriptors();
    readHeader(command);
    allocate();
    readStrings();
    makeVectors(command);
    emitter.later(() -> writeEnds(name));
  }

  /** The header alone; the strings stay in the socket. */
  private void receive() {
    Label again = new Label();
    asm.place(again);
    asm.address(A1, message);
    asm.address(A0, part);
    asm.store(A1, StructField.MSGHDR_IOV.offset(), A0, Width.DOUBLE);
    asm.address(A2, header);
    asm.store(A0, StructField.IOVEC_BASE.offset(), A2, Width.DOUBLE);
    asm.set(A2, HEADER_SIZE);
    asm.store(A0, StructField.IOVEC_LEN.offset(), A2, Width.DOUBLE);
    asm.set(A0, 1);
    asm.store(A1, StructField.MSGHDR_IOVLEN.offset(), A0, Width.DOUBLE);
    asm.address(A0, control);
    asm.store(A1, StructField.MSGHDR_CONTROL.offset(), A0, Width.DOUBLE);
    asm.set(A0, CONTROL_SIZE);
    asm.store(A1, StructField.MSGHDR_CONTROLLEN.offset(), A0, Width.DOUBLE);
    asm.set(A0, socket);
    emitter.set(A2, LinuxConstant.MSG_CMSG_CLOEXEC);
    emitter.systemCall(SystemCall.RECVMSG);
    judge(again);
    asm.branch(NOT_EQUAL, RESULT, HEADER_SIZE, malformed);
  }

  /** Goes on with RESULT bytes. Who left without reading all that was said is gone, too. */
  private void judge(Label again) {
    asm.branch(EQUAL, RESULT, -Errno.EINTR.number(), again);
    asm.branch(EQUAL, RESULT, 0, gone);
    asm.branch(EQUAL, RESULT, -Errno.ECONNRESET.number(), gone);
    asm.branch(LESS, RESULT, 0, failed);
  }

  /** Their own numbers are closed on exec. */
  private void takeDescriptors() {
    int start = LinuxStruct.CMSGHDR.size();
    asm.address(V0, control);
    asm.load(A0, V0, StructField.CMSGHDR_LEN.offset(), Width.DOUBLE);
    asm.branch(NOT_EQUAL, A0, start + STANDARD * DESCRIPTOR_SIZE, malformed);
    requireField(StructField.CMSGHDR_LEVEL, LinuxConstant.SOL_SOCKET);
    requireField(StructField.CMSGHDR_TYPE, LinuxConstant.SCM_RIGHTS);
    for (int number = 0; number < STANDARD; number++) {
      asm.load(A0, V0, start + number * DESCRIPTOR_SIZE, Width.WORD);
      asm.set(A1, number);
      asm.set(A2, 0);
      emitter.systemCall(SystemCall.DUP3);
      asm.branch(LESS, RESULT, 0, failed);
    }
  }

  private void requireField(StructField field, LinuxConstant value) {
    asm.load(A0, V0, field.offset(), Width.WORD);
    asm.branch(NOT_EQUAL, A0, Math.toIntExact(value.value(emitter.architecture)), malformed);
  }

  /** There is a command, and each string is one byte at least, its NUL. */
  private void readHeader(int command) {
    asm.address(A0, header);
    asm.load(V0, A0, 0, Width.WORD);
    asm.load(V1, A0, ARGUMENTS, Width.WORD);
    asm.load(V2, A0, VARIABLES, Width.WORD);
    asm.branch(BELOW, V1, command + 1, malformed);
    asm.copy(A0, V1);
    asm.add(A0, V2);
    asm.branch(BELOW, V0, A0, malformed);
  }

  /** V4 = memory for the strings, and behind them for both vectors with their ends. */
  private void allocate() {
    asm.copy(A1, V1);
    asm.add(A1, V2);
    asm.add(A1, 2);
    asm.shiftLeft(A1, 3);
    asm.add(A1, V0);
    asm.add(A1, POINTER_SIZE);
    asm.set(A0, 0);
    setBoth(A2, LinuxConstant.PROT_READ, LinuxConstant.PROT_WRITE);
    setBoth(A3, LinuxConstant.MAP_PRIVATE, LinuxConstant.MAP_ANONYMOUS);
    asm.set(A4, -1);
    asm.set(A5, 0);
    emitter.systemCall(SystemCall.MMAP);
    asm.branch(LESS, RESULT, 0, failed);
    asm.copy(V4, RESULT);
  }

  private void setBoth(Register to, LinuxConstant one, LinuxConstant other) {
    asm.set(to, one.value(emitter.architecture) | other.value(emitter.architecture));
  }

  /** V3 = their end, where the last byte is a NUL. */
  private void readStrings() {
    Label again = new Label();
    asm.copy(V3, V4);
    asm.copy(V5, V0);
    asm.place(again);
    asm.set(A0, socket);
    asm.copy(A1, V3);
    asm.copy(A2, V5);
    emitter.systemCall(SystemCall.READ);
    judge(again);
    asm.add(V3, RESULT);
    asm.subtract(V5, RESULT);
    asm.branch(NOT_EQUAL, V5, 0, again);
    asm.load(A0, V3, -1, Width.BYTE);
    asm.branch(NOT_EQUAL, A0, 0, malformed);
  }

  /** V5 is the next pointer's place, A1 the next string. */
  private void makeVectors(int command) {
    asm.copy(V5, V3);
    asm.add(V5, POINTER_SIZE - 1);
    asm.and(V5, -POINTER_SIZE);
    emitter.storeVariable(emitter.ownArguments, V5);
    asm.copy(A0, V5);
    asm.add(A0, POINTER_SIZE * command);
    emitter.storeVariable(emitter.arguments, A0);
    asm.copy(A0, V1);
    asm.add(A0, -command);
    emitter.storeVariable(emitter.argumentCount, A0);
    asm.copy(A1, V4);
    makeVector(V1);
    emitter.storeVariable(emitter.environment, V5);
    emitter.storeVariable(emitter.callerEnvironment, V5);
    makeVector(V2);
    asm.branch(NOT_EQUAL, A1, V3, malformed);
  }

  private void makeVector(Register count) {
    Label next = new Label();
    Label skip = new Label();
    Label end = new Label();
    asm.place(next);
    asm.branch(EQUAL, count, 0, end);
    asm.branch(ABOVE_OR_EQUAL, A1, V3, malformed);
    asm.store(V5, 0, A1, Width.DOUBLE);
    asm.add(V5, POINTER_SIZE);
    asm.add(count, -1);
    asm.place(skip);
    asm.load(SCRATCH, A1, 0, Width.BYTE);
    asm.add(A1, 1);
    asm.branch(NOT_EQUAL, SCRATCH, 0, skip);
    asm.jump(next);
    asm.place(end);
    asm.set(A0, 0);
    asm.store(V5, 0, A0, Width.DOUBLE);
    asm.add(V5, POINTER_SIZE);
  }

  private void writeEnds(String name) {
    asm.place(failed);
    routines.describe(0, name + ": receiving the command: ");
    asm.jump(routines.fail);
    asm.place(malformed);
    routines.startMessage();
    routines.append("cloister: " + name + ": what was sent is no command\n");
    asm.set(V4, routines.speaker().setUpFailed());
    asm.jump(routines.die);
    // Nobody is left who could be told.
    asm.place(gone);
    asm.set(A0, routines.speaker().setUpFailed());
    emitter.systemCall(SystemCall.EXIT_GROUP);
  }
}
