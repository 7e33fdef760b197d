package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.GREATER_OR_EQUAL;
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
import static dev.cloister.machine.Register.V2;
import static dev.cloister.machine.Register.V3;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;

/**
 * Goes through a table of {@link CacheConditions}: a routine that comes back if all hold.
 *
 * <p>Throughout, V0 is the record, V1 the length of its value, V2 of what is there now, and V3 a
 * descriptor or where a message ends.
 */
final class LookupConditions {
  /** Of struct statx (statx(2)); the devices' two halves are compared as one. */
  private static final int CHANGE_SECONDS = 96;

  private static final int CHANGE_NANOS = 104;
  private static final int MODIFICATION_SECONDS = 112;
  private static final int MODIFICATION_NANOS = 120;

  private final LookupParts parts;
  private final Emitter emitter;
  private final Assembler asm;

  /** Checks the table at A0. Changes all registers but V4 and V5. */
  final Label check = new Label();

  private final Label next = new Label();

  LookupConditions(LookupParts parts) {
    this.parts = parts;
    this.emitter = parts.emitter;
    this.asm = parts.asm;
  }

  void write() {
    Label loop = new Label();
    Label end = new Label();
    asm.place(check);
    asm.enter();
    asm.copy(V0, A0);
    asm.jump(loop);
    asm.place(next);
    asm.load(A0, V0, CacheConditions.SIZE_AT, Width.WORD);
    asm.add(V0, A0);
    asm.place(loop);
    asm.load(A0, V0, CacheConditions.SIZE_AT, Width.WORD);
    asm.branch(EQUAL, A0, 0, end);
    asm.load(V1, V0, CacheConditions.LENGTH_AT, Width.DOUBLE);
    asm.load(A0, V0, CacheConditions.KIND_AT, Width.WORD);
    writeKinds();
    asm.place(end);
    asm.leave();
  }

  private void writeKinds() {
    kind(CacheConditions.CONTENT, this::writeContent);
    kind(CacheConditions.LINES, this::writeLines);
    kind(CacheConditions.LINK, this::writeLink);
    kind(CacheConditions.STATUS, this::writeStatus);
    kind(CacheConditions.VARIABLE, this::writeVariable);
    kind(CacheConditions.REAL_PATH, this::writeRealPath);
    kind(CacheConditions.NOT_NEWER, this::writeNotNewer);
    kind(CacheConditions.SAME_TIME, this::writeSameTime);
    asm.jump(parts.miss);
  }

  /** What is checked for this kind, which goes to {@link #next} by itself or at its end. */
  private void kind(int kind, Runnable check) {
    Label other = new Label();
    asm.branch(NOT_EQUAL, A0, kind, other);
    check.run();
    asm.jump(next);
    asm.place(other);
  }

  private void path(Register to) {
    asm.copy(to, V0);
    asm.add(to, CacheConditions.PATH_AT);
  }

  private void value(Register to) {
    asm.load(to, V0, CacheConditions.VALUE_AT, Width.WORD);
    asm.add(to, V0);
  }

  /** V2 = how many bytes of the file are in the text now; goes where a failure leads. */
  private void readFile() {
    Label opened = new Label();
    emitter.set(A0, LinuxConstant.AT_FDCWD);
    path(A1);
    parts.open(LinuxConstant.O_RDONLY, LinuxConstant.O_CLOEXEC);
    asm.branch(GREATER_OR_EQUAL, RESULT, 0, opened);
    acceptAbsence();
    asm.place(opened);
    asm.copy(V3, RESULT);
    asm.copy(A0, RESULT);
    asm.address(A1, parts.text);
    asm.set(A2, LookupParts.TEXT_SIZE);
    emitter.systemCall(SystemCall.READ);
    asm.copy(V2, RESULT);
    asm.copy(RESULT, V3);
    parts.close();
    Label read = new Label();
    asm.branch(GREATER_OR_EQUAL, V2, 0, read);
    acceptAbsence();
    asm.place(read);
    asm.address(A0, parts.text);
    asm.add(A0, V2);
    asm.set(SCRATCH, 0);
    asm.store(A0, 0, SCRATCH, Width.BYTE);
  }

  /** What is not there is as it was if it was not there. */
  private void acceptAbsence() {
    asm.branch(EQUAL, V1, (int) CacheConditions.ABSENT, next);
    asm.jump(parts.miss);
  }

  /** The V2 bytes of the text are the value. */
  private void compareText() {
    asm.branch(NOT_EQUAL, V1, V2, parts.miss);
    asm.address(A0, parts.text);
    value(A1);
    asm.copy(A2, V1);
    asm.call(parts.compare);
    asm.branch(NOT_EQUAL, RESULT, 0, parts.miss);
  }

  private void writeContent() {
    readFile();
    compareText();
  }

  /** V1 = the next line, V2 = where it is looked for; each starts with the line break before it. */
  private void writeLines() {
    Label line = new Label();
    Label search = new Label();
    Label found = new Label();
    readFile();
    value(V1);
    asm.address(V2, parts.text);
    asm.place(line);
    asm.load(SCRATCH, V1, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, next);
    asm.place(search);
    asm.load(SCRATCH, V2, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, parts.miss);
    asm.copy(A0, V1);
    asm.copy(A1, V2);
    asm.call(parts.routines.skipPrefix);
    asm.branch(NOT_EQUAL, RESULT, 0, found);
    asm.add(V2, 1);
    asm.jump(search);
    asm.place(found);
    // A0 is at the NUL behind the line; the line break behind it is also that before the next.
    asm.copy(V1, A0);
    asm.add(V1, 1);
    asm.copy(V2, RESULT);
    asm.add(V2, -1);
    asm.jump(line);
  }

  private void writeLink() {
    Label found = new Label();
    emitter.set(A0, LinuxConstant.AT_FDCWD);
    path(A1);
    readLink();
    asm.branch(GREATER_OR_EQUAL, RESULT, 0, found);
    acceptAbsence();
    asm.place(found);
    asm.copy(V2, RESULT);
    compareText();
  }

  /** The text is where the link in A1, relative to A0, leads. */
  private void readLink() {
    asm.address(A2, parts.text);
    asm.set(A3, LookupParts.TEXT_SIZE);
    emitter.systemCall(SystemCall.READLINKAT);
  }

  private void stat() {
    Label atHome = new Label();
    asm.load(A2, V0, CacheConditions.FLAGS_AT, Width.WORD);
    asm.and(A2, CacheConditions.AT_HOME);
    emitter.loadVariable(A0, parts.home);
    asm.branch(NOT_EQUAL, A2, 0, atHome);
    emitter.set(A0, LinuxConstant.AT_FDCWD);
    asm.place(atHome);
    path(A1);
    parts.stat();
  }

  private void writeStatus() {
    Label exists = new Label();
    Label noIdentity = new Label();
    Label noChange = new Label();
    stat();
    asm.branch(GREATER_OR_EQUAL, RESULT, 0, exists);
    // Not allowed to know is not the same as knowing.
    asm.branch(NOT_EQUAL, RESULT, -Errno.ENOENT.number(), parts.miss);
    acceptAbsence();
    asm.place(exists);
    asm.branch(LESS, V1, 0, parts.miss);
    asm.address(A0, parts.status);
    ifFlag(CacheConditions.COMPARE_IDENTITY, noIdentity);
    requireSame(StructField.STATX_DEV_MAJOR.offset(), Width.DOUBLE, CacheConditions.DEVICE_AT);
    requireSame(StructField.STATX_INO.offset(), Width.DOUBLE, CacheConditions.INODE_AT);
    asm.place(noIdentity);
    ifFlag(CacheConditions.COMPARE_CHANGE, noChange);
    requireSame(CHANGE_SECONDS, Width.DOUBLE, CacheConditions.SECONDS_AT);
    requireSame(CHANGE_NANOS, Width.WORD, CacheConditions.NANOS_AT);
    asm.place(noChange);
    requireType();
  }

  private void requireType() {
    Label file = new Label();
    int directoryType = 4; // S_IFDIR >> 12
    ifFlag(CacheConditions.COMPARE_TYPE, next);
    asm.load(A1, A0, StructField.STATX_MODE.offset(), Width.HALF);
    asm.shiftRight(A1, 12);
    asm.load(A2, V0, CacheConditions.TYPE_AT, Width.DOUBLE);
    asm.branch(EQUAL, A2, 0, file);
    asm.branch(NOT_EQUAL, A1, directoryType, parts.miss);
    asm.jump(next);
    asm.place(file);
    asm.branch(EQUAL, A1, directoryType, parts.miss);
  }

  private void ifFlag(int flag, Label otherwise) {
    int bit = Integer.numberOfTrailingZeros(flag);
    asm.load(SCRATCH, V0, CacheConditions.FLAGS_AT, Width.WORD);
    asm.shiftRight(SCRATCH, bit);
    asm.and(SCRATCH, 1);
    asm.branch(EQUAL, SCRATCH, 0, otherwise);
  }

  /** A field of the status at A0 is a number of the record's. */
  private void requireSame(int field, Width width, int expected) {
    asm.load(A1, A0, field, width);
    asm.load(A2, V0, expected, Width.DOUBLE);
    asm.branch(NOT_EQUAL, A1, A2, parts.miss);
  }

  private void writeVariable() {
    Label isSet = new Label();
    Label compare = new Label();
    path(A0);
    emitter.loadVariable(A1, emitter.environment);
    asm.call(parts.routines.findVariable);
    asm.branch(NOT_EQUAL, RESULT, 0, isSet);
    acceptAbsence();
    asm.place(isSet);
    asm.branch(LESS, V1, 0, parts.miss);
    ifFlag(CacheConditions.ONLY_SET, compare);
    asm.jump(next);
    asm.place(compare);
    asm.copy(A0, RESULT);
    value(A1);
    asm.copy(A2, V1);
    // The NUL behind it, too.
    asm.add(A2, 1);
    asm.call(parts.compare);
    asm.branch(NOT_EQUAL, RESULT, 0, parts.miss);
  }

  private void writeRealPath() {
    Label name = emitter.data.zeroed(64);
    emitter.set(A0, LinuxConstant.AT_FDCWD);
    path(A1);
    parts.open(LinuxConstant.O_PATH, LinuxConstant.O_CLOEXEC);
    parts.missIfFailed();
    asm.copy(V2, RESULT);
    asm.address(V3, name);
    parts.routines.append("/proc/self/fd/");
    asm.copy(RESULT, V2);
    asm.call(parts.routines.appendNumber);
    asm.set(SCRATCH, 0);
    asm.store(V3, 0, SCRATCH, Width.BYTE);
    emitter.set(A0, LinuxConstant.AT_FDCWD);
    asm.address(A1, name);
    readLink();
    asm.copy(V3, RESULT);
    asm.copy(RESULT, V2);
    parts.close();
    asm.copy(V2, V3);
    compareText();
  }

  /** What was removed has changed the directory it was in, unless there are no sources at all. */
  private void writeNotNewer() {
    stat();
    asm.branch(EQUAL, RESULT, -Errno.ENOENT.number(), next);
    parts.missIfFailed();
    asm.address(A0, parts.status);
    asm.load(A1, A0, MODIFICATION_SECONDS, Width.DOUBLE);
    asm.load(A2, V0, CacheConditions.SECONDS_AT, Width.DOUBLE);
    asm.branch(LESS, A1, A2, next);
    asm.branch(NOT_EQUAL, A1, A2, parts.miss);
    asm.load(A1, A0, MODIFICATION_NANOS, Width.WORD);
    asm.load(A2, V0, CacheConditions.NANOS_AT, Width.DOUBLE);
    asm.branch(LESS, A2, A1, parts.miss);
  }

  private void writeSameTime() {
    stat();
    parts.missIfFailed();
    asm.address(A0, parts.status);
    requireSame(MODIFICATION_SECONDS, Width.DOUBLE, CacheConditions.SECONDS_AT);
    requireSame(MODIFICATION_NANOS, Width.WORD, CacheConditions.NANOS_AT);
  }
}
