package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Destination;
import java.util.ArrayList;
import java.util.List;

/** Files of the sandbox that a process holds locks on until it ends. */
final class Locks {
  /** The same number on every architecture that has 64-bit offsets (asm-generic/fcntl.h). */
  private static final Operand SET_LOCK = new Operand.Literal(6, "F_SETLK");

  /** A {@code struct flock} of zeros: F_RDLCK, SEEK_SET, from 0 to the end (fcntl(2)). */
  private static final Buffer WHOLE_FILE = new Buffer("read_lock_on_all", 32);

  private final List<Destination> files;

  Locks(List<Destination> files) {
    this.files = files;
  }

  boolean areHeld() {
    return !files.isEmpty();
  }

  /**
   * Takes them in the process that shall have them, once its root is the sandbox's and nothing of
   * the host's is open. What the command's user may not read it cannot lock.
   */
  List<Instruction> take() {
    List<Instruction> steps = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      steps.add(open(files.get(i)).into(slot(i)));
      steps.add(
          Call.of(SystemCall.FCNTL, Operand.of(slot(i)), SET_LOCK, Operand.of(WHOLE_FILE))
              .hint(
                  Errno.EAGAIN,
                  "--lock-file: another process has " + files.get(i) + " locked for writing")
              .hint(
                  Errno.EACCES,
                  "--lock-file: another process has " + files.get(i) + " locked for writing"));
    }
    return steps;
  }

  /** O_NONBLOCK because a fifo would wait for a writer. */
  private static Call open(Destination file) {
    return Call.of(
            SystemCall.OPENAT,
            Operand.of(LinuxConstant.AT_FDCWD),
            Operand.of(file.absolute()),
            Operand.of(
                LinuxConstant.O_RDONLY,
                LinuxConstant.O_NONBLOCK,
                LinuxConstant.O_NOCTTY,
                LinuxConstant.O_CLOEXEC))
        .hint(Errno.ENOENT, "--lock-file: there is no " + file + " in the sandbox")
        .hint(Errno.EACCES, "--lock-file: the command's user may not read " + file);
  }

  /** For the child, which has descriptors of these files, but none of the locks. */
  List<Instruction> close() {
    List<Instruction> steps = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      steps.add(Steps.close(slot(i)));
    }
    return steps;
  }

  private static Slot slot(int index) {
    return new Slot("lock" + (index + 1));
  }
}
