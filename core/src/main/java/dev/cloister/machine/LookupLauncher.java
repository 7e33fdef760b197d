package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.GREATER_OR_EQUAL;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.A3;
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
import dev.cloister.ffm.SystemCall;

/**
 * Writes the launcher of an entry to a file of its own and says its name. Never the entry's file
 * itself: whoever can reach a process's executable, by {@code /proc} or a descriptor, could change
 * what others run later.
 *
 * <p>Throughout, V5 is the number that tells this launcher from others.
 */
final class LookupLauncher {
  private static final int EXECUTABLE = 0700;

  private final LookupParts parts;
  private final Emitter emitter;
  private final Assembler asm;
  private final Label entry;
  private final Label place;
  private final Label placeDescriptor;
  private final Label name;

  LookupLauncher(LookupParts parts, Label entry, Label place, Label placeDescriptor) {
    this.parts = parts;
    this.emitter = parts.emitter;
    this.asm = parts.asm;
    this.entry = entry;
    this.place = place;
    this.placeDescriptor = placeDescriptor;
    this.name = emitter.data.zeroed(64);
  }

  void write() {
    Label failed = new Label();
    emitter.later(() -> writeFailed(failed));
    create();
    fillIn();
    copy(failed);
    requireExecutable(failed);
    print(failed);
    asm.set(A0, 0);
    emitter.systemCall(SystemCall.EXIT_GROUP);
  }

  /** V4 = a descriptor of a new file under a name nobody has. */
  private void create() {
    Label again = new Label();
    Label created = new Label();
    emitter.systemCall(SystemCall.GETPID);
    asm.copy(V5, RESULT);
    asm.place(again);
    writeDigits();
    emitter.loadVariable(A0, placeDescriptor);
    asm.address(A1, name);
    asm.set(
        A2,
        parts.flags(
            LinuxConstant.O_WRONLY,
            LinuxConstant.O_CREAT,
            LinuxConstant.O_EXCL,
            LinuxConstant.O_CLOEXEC));
    asm.set(A3, EXECUTABLE);
    emitter.systemCall(SystemCall.OPENAT);
    asm.branch(GREATER_OR_EQUAL, RESULT, 0, created);
    asm.branch(NOT_EQUAL, RESULT, -Errno.EEXIST.number(), parts.miss);
    asm.add(V5, 1);
    asm.jump(again);
    asm.place(created);
    asm.copy(V4, RESULT);
  }

  /** The name, with V5 in digits. */
  private void writeDigits() {
    Label loop = new Label();
    asm.address(V3, name);
    parts.routines.append(LookupProgram.LAUNCHER);
    asm.copy(RESULT, V5);
    asm.copy(A0, V3);
    asm.add(A0, CacheEntry.DIGITS - 1);
    asm.place(loop);
    asm.divide(10);
    asm.add(A2, '0');
    asm.store(A0, 0, A2, Width.BYTE);
    asm.add(A0, -1);
    asm.branch(GREATER_OR_EQUAL, A0, V3, loop);
  }

  /** The launcher has the name of the file that it removes in several places. */
  private void fillIn() {
    Label place = new Label();
    Label digit = new Label();
    Label end = new Label();
    asm.address(V0, entry);
    asm.load(V1, V0, CacheEntry.PLACES_AT, Width.DOUBLE);
    asm.add(V1, V0);
    asm.load(V2, V0, CacheEntry.PLACES_COUNT_AT, Width.DOUBLE);
    asm.load(A3, V0, CacheEntry.IMAGE_AT, Width.DOUBLE);
    asm.add(V0, A3);
    asm.place(place);
    asm.branch(EQUAL, V2, 0, end);
    asm.load(A0, V1, 0, Width.DOUBLE);
    asm.add(A0, V0);
    asm.copy(A1, V3);
    asm.set(A2, CacheEntry.DIGITS);
    asm.place(digit);
    asm.load(SCRATCH, A1, 0, Width.BYTE);
    asm.store(A0, 0, SCRATCH, Width.BYTE);
    asm.add(A0, 1);
    asm.add(A1, 1);
    asm.add(A2, -1);
    asm.branch(NOT_EQUAL, A2, 0, digit);
    asm.add(V1, 8);
    asm.add(V2, -1);
    asm.jump(place);
    asm.place(end);
  }

  private void copy(Label failed) {
    asm.copy(A0, V4);
    asm.set(A1, EXECUTABLE);
    emitter.systemCall(SystemCall.FCHMOD);
    asm.branch(NOT_EQUAL, RESULT, 0, failed);
    asm.address(A1, entry);
    asm.load(V2, A1, CacheEntry.IMAGE_SIZE_AT, Width.DOUBLE);
    asm.copy(A0, V4);
    asm.copy(A1, V0);
    asm.copy(A2, V2);
    emitter.systemCall(SystemCall.WRITE);
    asm.branch(NOT_EQUAL, RESULT, V2, failed);
    // Nobody can execute what somebody has open for writing.
    asm.copy(RESULT, V4);
    parts.close();
  }

  /** access(2) knows what a mount forbids. */
  private void requireExecutable(Label failed) {
    emitter.loadVariable(A0, placeDescriptor);
    asm.address(A1, name);
    emitter.set(A2, LinuxConstant.X_OK);
    emitter.systemCall(SystemCall.FACCESSAT);
    asm.branch(NOT_EQUAL, RESULT, 0, failed);
  }

  private void print(Label failed) {
    Label answer = emitter.data.zeroed(128);
    asm.address(V3, answer);
    parts.routines.append("exec:");
    asm.address(A0, place);
    asm.call(parts.routines.appendText);
    parts.routines.append("/");
    asm.address(A0, name);
    asm.call(parts.routines.appendText);
    parts.routines.append("\n");
    asm.set(A0, 1);
    asm.address(A1, answer);
    asm.copy(A2, V3);
    asm.subtract(A2, A1);
    asm.copy(V2, A2);
    emitter.systemCall(SystemCall.WRITE);
    asm.branch(NOT_EQUAL, RESULT, V2, failed);
  }

  private void writeFailed(Label failed) {
    asm.place(failed);
    emitter.loadVariable(A0, placeDescriptor);
    asm.address(A1, name);
    asm.set(A2, 0);
    emitter.systemCall(SystemCall.UNLINKAT);
    asm.jump(parts.miss);
  }
}
