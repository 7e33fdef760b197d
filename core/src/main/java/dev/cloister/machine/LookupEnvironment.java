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

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;

/**
 * A miss unless this process's environment is what the script was started with. A shell loses some
 * variables and adds others, and then the launcher must carry the original, which is compiled in.
 *
 * <p>Throughout, V0 is the end of what was read of the original, V1 a variable of it, V2 how many
 * it has, V4 a place in this process's, and V5 how many that has.
 */
final class LookupEnvironment {
  private static final int SIZE = 256 * 1024;

  private final LookupParts parts;
  private final Emitter emitter;
  private final Assembler asm;
  private final Label original;
  private final Label name;

  LookupEnvironment(LookupParts parts) {
    this.parts = parts;
    this.emitter = parts.emitter;
    this.asm = parts.asm;
    this.original = emitter.data.zeroed(SIZE + 16);
    this.name = emitter.data.zeroed(64);
  }

  void requireIntact() {
    requireOwnProc();
    openOriginal();
    readOriginal();
    requireAllOfOriginal();
    requireNoOthers();
    asm.branch(NOT_EQUAL, V2, V5, parts.miss);
  }

  /** In a pid namespace, getppid(2) may mean another process than {@code /proc} does. */
  private void requireOwnProc() {
    asm.address(V3, name);
    emitter.systemCall(SystemCall.GETPID);
    asm.call(parts.routines.appendNumber);
    emitter.set(A0, LinuxConstant.AT_FDCWD);
    emitter.text(A1, "/proc/self");
    asm.address(A2, parts.text);
    asm.set(A3, 32);
    emitter.systemCall(SystemCall.READLINKAT);
    asm.address(A0, name);
    asm.copy(A2, V3);
    asm.subtract(A2, A0);
    asm.branch(NOT_EQUAL, RESULT, A2, parts.miss);
    asm.address(A1, parts.text);
    asm.call(parts.compare);
    asm.branch(NOT_EQUAL, RESULT, 0, parts.miss);
  }

  private void openOriginal() {
    asm.address(V3, name);
    parts.routines.append("/proc/");
    emitter.systemCall(SystemCall.GETPPID);
    asm.call(parts.routines.appendNumber);
    parts.routines.append("/environ");
    asm.set(SCRATCH, 0);
    asm.store(V3, 0, SCRATCH, Width.BYTE);
    emitter.set(A0, LinuxConstant.AT_FDCWD);
    asm.address(A1, name);
    parts.open(LinuxConstant.O_RDONLY, LinuxConstant.O_CLOEXEC);
    parts.missIfFailed();
    asm.copy(V1, RESULT);
  }

  private void readOriginal() {
    Label loop = new Label();
    Label end = new Label();
    asm.address(V0, original);
    asm.place(loop);
    asm.copy(A0, V1);
    asm.copy(A1, V0);
    asm.address(A2, original);
    asm.add(A2, SIZE);
    asm.subtract(A2, V0);
    asm.branch(EQUAL, A2, 0, parts.miss);
    emitter.systemCall(SystemCall.READ);
    parts.missIfFailed();
    asm.branch(EQUAL, RESULT, 0, end);
    asm.add(V0, RESULT);
    asm.jump(loop);
    asm.place(end);
  }

  private void requireAllOfOriginal() {
    Label variable = new Label();
    Label candidate = new Label();
    Label end = new Label();
    asm.set(V2, 0);
    asm.address(V1, original);
    asm.place(variable);
    asm.branch(GREATER_OR_EQUAL, V1, V0, end);
    asm.add(V2, 1);
    emitter.loadVariable(V4, emitter.environment);
    asm.place(candidate);
    asm.load(A1, V4, 0, Width.DOUBLE);
    asm.branch(EQUAL, A1, 0, parts.miss);
    asm.add(V4, 8);
    asm.copy(A0, V1);
    asm.call(parts.routines.skipPrefix);
    asm.branch(EQUAL, RESULT, 0, candidate);
    asm.load(SCRATCH, RESULT, 0, Width.BYTE);
    asm.branch(NOT_EQUAL, SCRATCH, 0, candidate);
    // A0 is at the NUL behind the variable.
    asm.copy(V1, A0);
    asm.add(V1, 1);
    asm.jump(variable);
    asm.place(end);
  }

  private void requireNoOthers() {
    Label variable = new Label();
    Label candidate = new Label();
    Label skip = new Label();
    Label end = new Label();
    asm.set(V5, 0);
    emitter.loadVariable(V4, emitter.environment);
    asm.place(variable);
    asm.load(V3, V4, 0, Width.DOUBLE);
    asm.branch(EQUAL, V3, 0, end);
    asm.add(V4, 8);
    asm.add(V5, 1);
    asm.address(V1, original);
    asm.place(candidate);
    asm.branch(GREATER_OR_EQUAL, V1, V0, parts.miss);
    asm.copy(A0, V3);
    asm.copy(A1, V1);
    asm.call(parts.routines.skipPrefix);
    Label other = new Label();
    asm.branch(EQUAL, RESULT, 0, other);
    asm.load(SCRATCH, RESULT, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, variable);
    asm.place(other);
    asm.place(skip);
    asm.load(SCRATCH, V1, 0, Width.BYTE);
    asm.add(V1, 1);
    asm.branch(NOT_EQUAL, SCRATCH, 0, skip);
    asm.jump(candidate);
    asm.place(end);
  }
}
