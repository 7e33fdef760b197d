package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.LESS;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.V0;
import static dev.cloister.machine.Register.V1;
import static dev.cloister.machine.Register.V2;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Copies what a caller left to be read, whatever it is: sendfile(2) and copy_file_range(2) take
 * neither every pipe nor every device.
 *
 * <p>Throughout, V0 is where to, V1 what is not written yet, and V2 how much of it there is.
 */
final class DataCopying {
  /** As much as a pipe holds (pipe(7)). */
  private static final int BUFFER_SIZE = 65536;

  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final Label buffer;

  DataCopying(Emitter emitter, Routines routines) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.buffer = emitter.data.zeroed(BUFFER_SIZE);
  }

  void write(Instruction.CopyData copy, Failure failure) {
    Label read = new Label();
    Label write = new Label();
    Label end = new Label();
    Label failed = new Label();
    Optional<Interruption> interruption =
        copy.lifeline().map(lifeline -> new Interruption(emitter, routines, lifeline));
    interruption.ifPresent(signals -> signals.begin(copy.from()));
    emitter.loadVariable(V0, emitter.slot(copy.to()));
    asm.place(read);
    interruption.ifPresent(Interruption::await);
    asm.set(A0, copy.from());
    asm.address(A1, buffer);
    asm.set(A2, BUFFER_SIZE);
    emitter.systemCall(SystemCall.READ);
    asm.branch(EQUAL, RESULT, 0, end);
    asm.branch(EQUAL, RESULT, -Errno.EINTR.number(), read);
    asm.branch(LESS, RESULT, 0, failed);
    asm.copy(V2, RESULT);
    asm.address(V1, buffer);
    asm.place(write);
    asm.copy(A0, V0);
    asm.copy(A1, V1);
    asm.copy(A2, V2);
    emitter.systemCall(SystemCall.WRITE);
    asm.branch(EQUAL, RESULT, -Errno.EINTR.number(), write);
    asm.branch(LESS, RESULT, 0, failed);
    asm.add(V1, RESULT);
    asm.subtract(V2, RESULT);
    asm.branch(NOT_EQUAL, V2, 0, write);
    asm.jump(read);
    asm.place(end);
    interruption.ifPresent(Interruption::end);
    emitter.later(
        () -> {
          asm.place(failed);
          routines.describe(failure.step(), copy.what() + ": ", hints(copy.from()));
          asm.jump(failure.report());
        });
  }

  private static Map<Errno, String> hints(int from) {
    String who = "--file, --bind-data and --ro-bind-data need something to read, and descriptor ";
    Map<Errno, String> hints = new TreeMap<>();
    hints.put(Errno.EISDIR, who + from + " leads to a directory");
    hints.put(Errno.EBADF, who + from + " is not open for reading");
    return hints;
  }
}
