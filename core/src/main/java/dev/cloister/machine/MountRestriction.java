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
import dev.cloister.program.Instruction;
import dev.cloister.spec.OsString;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Remounts each mount below a directory, for kernels without mount_setattr(2).
 *
 * <p>The mount table is read, every mount in it that lacks a flag is remounted with what it has and
 * what it lacks (a locked flag left out would be EPERM, mount_namespaces(7)), and then the table is
 * read again, until there is nothing left to do. So what holds at the end is what the kernel says,
 * not what a path meant for a moment: on the way somebody may rename a directory of the host, or a
 * path may lead to a mount that lies over the one that was meant.
 *
 * <p>From the second pass on, a mount is left as it is if nobody in the sandbox can reach it: if
 * another lies over it or over a directory on its way, which only the owner of the mounts could
 * take away; or if this process may not search a directory on its way, because the command has no
 * more rights than this process. Anything else is a failure.
 *
 * <p>Throughout, V0 is the line, V1 the mount point in it, V2 the flags the mount shall have, V3
 * those it has, V4 whether this pass found something to do, and V5 the number of the pass.
 */
final class MountRestriction {
  /** One to do it, one to see that it is done; more only if somebody interferes. */
  private static final int MAX_PASSES = 8;

  /**
   * Room for sysctl fs.mount-max (100,000) lines of usual length; untouched memory costs nothing.
   */
  private static final int TABLE_SIZE = 1 << 24;

  private static final int PATH_MAX = 4096;

  /** A line of proc_pid_mountinfo(5): id, parent, device, root, mount point, options. */
  private static final int FIELDS_BEFORE_MOUNT_POINT = 4;

  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final Label table;
  private final Label target;
  private final Label path;
  private final Label message;
  private final Label saved;

  private final Label nextField = new Label();
  private final Label nextLine = new Label();
  private final Label sameField = new Label();
  private final Label leadsThrough = new Label();
  private final Label isCovered = new Label();

  MountRestriction(Emitter emitter, Routines routines) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.table = emitter.data.zeroed(TABLE_SIZE + 16);
    this.target = emitter.data.zeroed(8);
    this.path = emitter.data.zeroed(PATH_MAX + 16);
    this.message = emitter.data.zeroed(2 * PATH_MAX);
    this.saved = emitter.data.zeroed(8 * 8);
  }

  void write(Instruction.RestrictEach restrict, Failure failure) {
    Label pass = new Label();
    Label line = new Label();
    Label next = new Label();
    Label end = new Label();
    Label full = new Label();
    Label failed = new Label();
    Label done = new Label();
    asm.set(V5, 0);
    asm.place(pass);
    asm.set(V4, 0);
    asm.set(SCRATCH, 0);
    asm.address(A0, path);
    asm.store(A0, 0, SCRATCH, Width.BYTE);
    readTable(restrict, full, failed);
    asm.address(V0, table);
    asm.place(line);
    asm.load(SCRATCH, V0, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, end);
    findMountPoint(V1, V0);
    skipDirectory(restrict, V1);
    asm.branch(EQUAL, RESULT, 0, next);
    asm.load(V2, RESULT, 0, Width.BYTE);
    asm.add(V2, -Instruction.RestrictEach.NONE);
    parseOptions();
    asm.branch(EQUAL, V2, V3, next);
    restrict(next, failed);
    asm.place(next);
    asm.copy(A0, V0);
    asm.call(nextLine);
    asm.copy(V0, A0);
    asm.jump(line);
    asm.place(end);
    asm.branch(EQUAL, V4, 0, done);
    asm.add(V5, 1);
    asm.branch(BELOW, V5, MAX_PASSES, pass);
    asm.set(RESULT, -Errno.EAGAIN.number());
    asm.jump(failed);
    asm.place(done);
    emitter.later(() -> writeFailure(full, failed, failure));
    emitter.later(this::writeRoutines);
    emitter.later(() -> writeIsCovered(restrict));
  }

  /** Reads the whole table and ends it with a NUL. */
  private void readTable(Instruction.RestrictEach restrict, Label full, Label failed) {
    Label more = new Label();
    Label end = new Label();
    loadMountInfo(restrict);
    asm.set(A1, 0);
    emitter.set(A2, LinuxConstant.SEEK_SET);
    emitter.systemCall(SystemCall.LSEEK);
    asm.branch(LESS, RESULT, 0, failed);
    asm.address(V0, table);
    asm.place(more);
    loadMountInfo(restrict);
    asm.copy(A1, V0);
    asm.address(A2, table);
    asm.add(A2, TABLE_SIZE);
    asm.subtract(A2, V0);
    asm.branch(EQUAL, A2, 0, full);
    emitter.systemCall(SystemCall.READ);
    asm.branch(LESS, RESULT, 0, failed);
    asm.branch(EQUAL, RESULT, 0, end);
    asm.add(V0, RESULT);
    asm.jump(more);
    asm.place(end);
    asm.set(SCRATCH, 0);
    asm.store(V0, 0, SCRATCH, Width.BYTE);
  }

  private void loadMountInfo(Instruction.RestrictEach restrict) {
    emitter.loadVariable(A0, emitter.slot(restrict.mountinfo()));
  }

  /** {@code to = the mount point in line}. Changes A0, SCRATCH. */
  private void findMountPoint(Register to, Register line) {
    asm.copy(A0, line);
    for (int i = 0; i < FIELDS_BEFORE_MOUNT_POINT; i++) {
      asm.call(nextField);
    }
    asm.copy(to, A0);
  }

  /** RESULT = what follows the directory in a mount point, or 0 if it is not below. */
  private void skipDirectory(Instruction.RestrictEach restrict, Register mountPoint) {
    asm.address(A0, emitter.data.text(restrict.directory().concat(OsString.of("/"))));
    asm.copy(A1, mountPoint);
    asm.call(routines.skipPrefix);
  }

  /**
   * V3 = the flags that the options of the line name; those are added to V2 too. The access times
   * are not among them: a remount that says nothing of them keeps them (mount(2)).
   */
  private void parseOptions() {
    Label option = new Label();
    Label skip = new Label();
    Label end = new Label();
    asm.copy(A0, V1);
    asm.call(nextField);
    asm.copy(A2, A0);
    asm.set(V3, 0);
    asm.place(option);
    flags().forEach((name, bit) -> parseOption(name, bit, skip));
    asm.place(skip);
    asm.load(SCRATCH, A2, 0, Width.BYTE);
    asm.branch(BELOW, SCRATCH, ' ' + 1, end);
    asm.add(A2, 1);
    asm.branch(EQUAL, SCRATCH, ',', option);
    asm.jump(skip);
    asm.place(end);
  }

  /** MS_NOSYMFOLLOW has no letter: it is kept, never added. */
  private Map<String, Integer> flags() {
    Map<String, Integer> bits = new LinkedHashMap<>();
    bits.put("ro", bit(LinuxConstant.MS_RDONLY));
    bits.put("nosuid", bit(LinuxConstant.MS_NOSUID));
    bits.put("nodev", bit(LinuxConstant.MS_NODEV));
    bits.put("noexec", bit(LinuxConstant.MS_NOEXEC));
    bits.put("nosymfollow", bit(LinuxConstant.MS_NOSYMFOLLOW));
    return bits;
  }

  private int bit(LinuxConstant flag) {
    return Long.numberOfTrailingZeros(flag.value(emitter.architecture));
  }

  /** If the option at A2 is {@code name}, takes note of it and goes to {@code known}. */
  private void parseOption(String name, int bit, Label known) {
    Label hit = new Label();
    Label other = new Label();
    emitter.text(A0, name);
    asm.copy(A1, A2);
    asm.call(routines.skipPrefix);
    asm.branch(EQUAL, RESULT, 0, other);
    asm.load(SCRATCH, RESULT, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, ',', hit);
    asm.branch(NOT_EQUAL, SCRATCH, ' ', other);
    asm.place(hit);
    asm.add(V3, 1 << bit);
    asm.copy(A0, V2);
    asm.shiftRight(A0, bit);
    asm.and(A0, 1);
    asm.branch(NOT_EQUAL, A0, 0, known);
    asm.add(V2, 1 << bit);
    asm.jump(known);
    asm.place(other);
  }

  /** Remounts the line's mount, or goes to {@code next} if it may stay as it is. */
  private void restrict(Label next, Label failed) {
    Label remount = new Label();
    Label tooLong = new Label();
    Label judge = new Label();
    Label again = new Label();
    Label reached = new Label();
    asm.branch(EQUAL, V5, 0, remount);
    asm.call(isCovered);
    asm.branch(NOT_EQUAL, RESULT, 0, next);
    asm.place(remount);
    unescape(tooLong);
    asm.set(A0, 0);
    asm.address(A1, path);
    asm.set(A2, 0);
    asm.copy(A3, V2);
    asm.add(
        A3,
        (int)
            LinuxConstant.or(
                emitter.architecture, List.of(LinuxConstant.MS_REMOUNT, LinuxConstant.MS_BIND)));
    asm.set(A4, 0);
    emitter.systemCall(SystemCall.MOUNT);
    asm.jump(judge);
    asm.place(tooLong);
    asm.set(RESULT, -Errno.ENAMETOOLONG.number());
    asm.place(judge);
    asm.branch(EQUAL, V5, 0, again);
    asm.branch(NOT_EQUAL, RESULT, -Errno.EACCES.number(), reached);
    checkReach(next);
    asm.place(reached);
    asm.branch(BELOW, V5, MAX_PASSES - 1, again);
    asm.branch(LESS, RESULT, 0, failed);
    asm.place(again);
    asm.set(V4, 1);
  }

  /**
   * Goes to {@code unreachable} if the way to the path is closed, not just the mount: a security
   * module says EACCES of what it forbids, too.
   */
  private void checkReach(Label unreachable) {
    emitter.set(A0, LinuxConstant.AT_FDCWD);
    asm.address(A1, path);
    asm.address(A2, target);
    asm.set(A3, 1);
    emitter.systemCall(SystemCall.READLINKAT);
    asm.branch(EQUAL, RESULT, -Errno.EACCES.number(), unreachable);
    asm.set(RESULT, -Errno.EACCES.number());
  }

  /** Copies the mount point to the path; blanks and their like are octal there. */
  private void unescape(Label tooLong) {
    Label loop = new Label();
    Label plain = new Label();
    Label end = new Label();
    asm.copy(A0, V1);
    asm.address(A1, path);
    asm.copy(A2, A1);
    asm.add(A2, PATH_MAX);
    asm.place(loop);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.branch(BELOW, SCRATCH, ' ' + 1, end);
    asm.branch(ABOVE_OR_EQUAL, A1, A2, tooLong);
    asm.branch(NOT_EQUAL, SCRATCH, '\\', plain);
    asm.set(SCRATCH, 0);
    for (int digit = 1; digit <= 3; digit++) {
      asm.load(A3, A0, digit, Width.BYTE);
      asm.shiftLeft(SCRATCH, 3);
      asm.add(SCRATCH, A3);
      asm.add(SCRATCH, -'0');
    }
    asm.add(A0, 3);
    asm.place(plain);
    asm.store(A1, 0, SCRATCH, Width.BYTE);
    asm.add(A0, 1);
    asm.add(A1, 1);
    asm.jump(loop);
    asm.place(end);
    asm.set(SCRATCH, 0);
    asm.store(A1, 0, SCRATCH, Width.BYTE);
  }

  /** The text is put together here, as the path is known only now. */
  private void writeFailure(Label full, Label failed, Failure failure) {
    asm.place(full);
    asm.set(RESULT, -Errno.EFBIG.number());
    asm.place(failed);
    asm.copy(V5, RESULT);
    routines.unpack();
    asm.address(V3, message);
    asm.set(SCRATCH, failure.step());
    asm.store(V3, 0, SCRATCH, Width.HALF);
    asm.add(V3, Routines.STEP_SIZE);
    routines.append("mount(NULL, \"");
    showPath();
    routines.append("\", NULL, MS_REMOUNT|MS_BIND|..., NULL): ");
    asm.set(SCRATCH, 0);
    asm.store(V3, 0, SCRATCH, Width.BYTE);
    routines.describe(failure.step(), message);
    asm.copy(RESULT, V5);
    asm.jump(failure.report());
  }

  /** Adds the path to the message at V3, as far as it fits, without what a terminal would obey. */
  private void showPath() {
    Label loop = new Label();
    Label hide = new Label();
    Label put = new Label();
    Label end = new Label();
    asm.address(A0, path);
    asm.copy(A1, V3);
    asm.add(A1, PATH_MAX);
    asm.place(loop);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, end);
    asm.branch(ABOVE_OR_EQUAL, V3, A1, end);
    asm.branch(BELOW, SCRATCH, ' ', hide);
    asm.branch(BELOW, SCRATCH, 0x7f, put);
    asm.place(hide);
    asm.set(SCRATCH, '?');
    asm.place(put);
    asm.store(V3, 0, SCRATCH, Width.BYTE);
    asm.add(A0, 1);
    asm.add(V3, 1);
    asm.jump(loop);
    asm.place(end);
  }

  private void writeRoutines() {
    writeSkipBehind(nextField, ' ');
    writeSkipBehind(nextLine, '\n');
    writeSameField();
    writeLeadsThrough();
  }

  /** Moves A0 behind the next {@code delimiter}, or to the end of the table. Changes SCRATCH. */
  private void writeSkipBehind(Label routine, char delimiter) {
    Label loop = new Label();
    Label end = new Label();
    asm.place(routine);
    asm.enter();
    asm.place(loop);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, end);
    asm.add(A0, 1);
    asm.branch(NOT_EQUAL, SCRATCH, delimiter, loop);
    asm.place(end);
    asm.leave();
  }

  /** RESULT = whether the fields at A0 and A1 are the same. Changes A0, A1, A3, SCRATCH. */
  private void writeSameField() {
    Label loop = new Label();
    Label same = new Label();
    Label differ = new Label();
    asm.place(sameField);
    asm.enter();
    asm.place(loop);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.load(A3, A1, 0, Width.BYTE);
    asm.branch(NOT_EQUAL, SCRATCH, A3, differ);
    asm.branch(EQUAL, SCRATCH, ' ', same);
    asm.branch(EQUAL, SCRATCH, 0, differ);
    asm.add(A0, 1);
    asm.add(A1, 1);
    asm.jump(loop);
    asm.place(same);
    asm.set(RESULT, 1);
    asm.leave();
    asm.place(differ);
    asm.set(RESULT, 0);
    asm.leave();
  }

  /**
   * RESULT = whether the way to the mount point at A1 leads through the one at A0. Changes A0, A1,
   * A3, SCRATCH.
   */
  private void writeLeadsThrough() {
    Label loop = new Label();
    Label end = new Label();
    Label no = new Label();
    asm.place(leadsThrough);
    asm.enter();
    asm.place(loop);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.load(A3, A1, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, ' ', end);
    asm.branch(NOT_EQUAL, SCRATCH, A3, no);
    asm.branch(EQUAL, SCRATCH, 0, no);
    asm.add(A0, 1);
    asm.add(A1, 1);
    asm.jump(loop);
    asm.place(end);
    asm.branch(NOT_EQUAL, A3, '/', no);
    asm.set(RESULT, 1);
    asm.leave();
    asm.place(no);
    asm.set(RESULT, 0);
    asm.leave();
  }

  /**
   * RESULT = whether another mount lies over the one of line V0: on its root, or in the same parent
   * on a directory on its way, or so over its parent. Keeps all V registers.
   */
  private void writeIsCovered(Instruction.RestrictEach restrict) {
    Label covered = new Label();
    Label visible = new Label();
    asm.place(isCovered);
    asm.enter();
    save();
    scan(true, covered);
    Label parent = new Label();
    asm.place(parent);
    goToParent(restrict, visible);
    scan(false, covered);
    asm.jump(parent);
    asm.place(covered);
    restore();
    asm.set(RESULT, 1);
    asm.leave();
    asm.place(visible);
    restore();
    asm.set(RESULT, 0);
    asm.leave();
  }

  private static final List<Register> KEPT = List.of(V0, V1, V2, V3, V4, V5);

  private void save() {
    asm.address(SCRATCH, saved);
    for (int i = 0; i < KEPT.size(); i++) {
      asm.store(SCRATCH, 8 * i, KEPT.get(i), Width.DOUBLE);
    }
  }

  private void restore() {
    asm.address(SCRATCH, saved);
    for (int i = 0; i < KEPT.size(); i++) {
      asm.load(KEPT.get(i), SCRATCH, 8 * i, Width.DOUBLE);
    }
  }

  /**
   * Looks for a line whose mount covers that of line V0, mount point V1. V2 is the other line, V3
   * its mount point.
   *
   * @param itself whether a mount on its root counts, which for a parent is the mount it leads to
   */
  private void scan(boolean itself, Label covered) {
    Label loop = new Label();
    Label next = new Label();
    Label end = new Label();
    Label sibling = new Label();
    asm.address(V2, table);
    asm.place(loop);
    asm.load(SCRATCH, V2, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, end);
    asm.branch(EQUAL, V2, V0, next);
    if (itself) {
      loadParent(A0, V2);
      asm.copy(A1, V0);
      asm.call(sameField);
      asm.branch(EQUAL, RESULT, 0, sibling);
      findMountPoint(V3, V2);
      asm.copy(A1, V1);
      asm.call(sameField);
      asm.branch(NOT_EQUAL, RESULT, 0, covered);
      asm.place(sibling);
    }
    loadParent(A1, V0);
    loadParent(A0, V2);
    asm.call(sameField);
    asm.branch(EQUAL, RESULT, 0, next);
    findMountPoint(V3, V2);
    asm.copy(A1, V1);
    asm.call(leadsThrough);
    asm.branch(NOT_EQUAL, RESULT, 0, covered);
    asm.place(next);
    asm.copy(A0, V2);
    asm.call(nextLine);
    asm.copy(V2, A0);
    asm.jump(loop);
    asm.place(end);
  }

  /** {@code to = the parent's id in line}. Changes A0, SCRATCH. */
  private void loadParent(Register to, Register line) {
    asm.copy(A0, line);
    asm.call(nextField);
    if (to != A0) {
      asm.copy(to, A0);
    }
  }

  /** V0, V1 = the line and mount point of the parent, unless that is not below the directory. */
  private void goToParent(Instruction.RestrictEach restrict, Label none) {
    Label loop = new Label();
    Label found = new Label();
    asm.address(V2, table);
    asm.place(loop);
    asm.load(SCRATCH, V2, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, none);
    loadParent(A1, V0);
    asm.copy(A0, V2);
    asm.call(sameField);
    asm.branch(NOT_EQUAL, RESULT, 0, found);
    asm.copy(A0, V2);
    asm.call(nextLine);
    asm.copy(V2, A0);
    asm.jump(loop);
    asm.place(found);
    asm.copy(V0, V2);
    findMountPoint(V1, V0);
    skipDirectory(restrict, V1);
    asm.branch(EQUAL, RESULT, 0, none);
  }
}
