package dev.cloister.machine;

import static dev.cloister.machine.Condition.GREATER_OR_EQUAL;
import static dev.cloister.machine.Condition.LESS;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.V4;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Slot;
import java.nio.charset.StandardCharsets;

/** Removes a cgroup, as well as it can. Changes V4. */
final class CgroupRemoval {
  private static final long PAUSE_NANOS = 1_000_000;
  private static final int MAX_PAUSES = 1000;

  private final Emitter emitter;
  private final Assembler asm;

  CgroupRemoval(Emitter emitter) {
    this.emitter = emitter;
    this.asm = emitter.asm;
  }

  void write(Instruction.RemoveCgroup remove) {
    Label again = new Label();
    Label end = new Label();
    kill(remove);
    asm.set(V4, MAX_PAUSES);
    asm.place(again);
    removeDirectory(remove.place(), remove.inner());
    removeDirectory(remove.place(), remove.outer());
    // Also while the inner one could not be removed.
    asm.branch(NOT_EQUAL, RESULT, -Errno.EBUSY.number(), end);
    pause();
    asm.add(V4, -1);
    asm.branch(GREATER_OR_EQUAL, V4, 0, again);
    asm.place(end);
  }

  private void kill(Instruction.RemoveCgroup remove) {
    Label none = new Label();
    emitter.loadVariable(A0, emitter.slot(remove.place()));
    asm.address(A1, emitter.buffer(remove.kill()));
    asm.set(
        A2,
        LinuxConstant.O_WRONLY.value(emitter.architecture)
            | LinuxConstant.O_CLOEXEC.value(emitter.architecture));
    emitter.systemCall(SystemCall.OPENAT);
    asm.branch(LESS, RESULT, 0, none);
    asm.copy(A0, RESULT);
    asm.address(A1, emitter.data.constant("1".getBytes(StandardCharsets.US_ASCII), 1));
    asm.set(A2, 1);
    emitter.systemCall(SystemCall.WRITE);
    asm.place(none);
  }

  private void removeDirectory(Slot place, Buffer name) {
    emitter.loadVariable(A0, emitter.slot(place));
    asm.address(A1, emitter.buffer(name));
    emitter.set(A2, LinuxConstant.AT_REMOVEDIR);
    emitter.systemCall(SystemCall.UNLINKAT);
  }

  private void pause() {
    asm.address(A0, emitter.data.constant(new ByteBuilder().u64(0).u64(PAUSE_NANOS).toArray(), 8));
    asm.set(A1, 0);
    emitter.systemCall(SystemCall.NANOSLEEP);
  }
}
