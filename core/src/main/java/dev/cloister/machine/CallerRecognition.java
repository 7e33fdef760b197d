package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.V0;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.CallerKind;
import dev.cloister.program.Instruction.RecognizeCaller;
import dev.cloister.program.Slot;
import java.util.function.Consumer;

/** Finds out who runs a program that was made for anyone. */
final class CallerRecognition {
  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;

  CallerRecognition(Emitter emitter, Routines routines) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
  }

  /**
   * None of these calls but capget(2) can fail.
   *
   * @param dieAt ends the program where the file lends its caller rights, at this label
   */
  void write(Consumer<Label> dieAt) {
    Label lent = new Label();
    recognizeId(SystemCall.GETUID, SystemCall.GETEUID, RecognizeCaller.UID, lent);
    recognizeId(SystemCall.GETGID, SystemCall.GETEGID, RecognizeCaller.GID, lent);
    emitter.later(() -> dieAt.accept(lent));
    Label end = new Label();
    emitter.loadVariable(V0, emitter.slot(RecognizeCaller.UID));
    setKind(CallerKind.USER);
    asm.branch(NOT_EQUAL, V0, 0, end);
    Label capabilities = readCapabilities();
    setKind(CallerKind.PLAIN_ROOT);
    emitter.loadVariable(A0, capabilities);
    for (int bit = 0; bit < Integer.SIZE; bit++) {
      if ((CallerKind.NEEDED >> bit & 1) != 0) {
        asm.copy(A1, A0);
        asm.shiftRight(A1, bit);
        asm.and(A1, 1);
        asm.branch(EQUAL, A1, 0, end);
      }
    }
    setKind(CallerKind.ROOT);
    asm.place(end);
  }

  private void recognizeId(SystemCall real, SystemCall effective, Slot slot, Label lent) {
    emitter.systemCall(real);
    asm.copy(V0, RESULT);
    emitter.systemCall(effective);
    asm.branch(NOT_EQUAL, RESULT, V0, lent);
    emitter.storeVariable(emitter.slot(slot), RESULT);
  }

  /** Where the lower half of the effective ones is, and nothing of the upper one. */
  private Label readCapabilities() {
    int header = LinuxStruct.USER_CAP_HEADER.size();
    Label version = emitter.data.zeroed(header);
    Label sets = emitter.data.zeroed(2 * LinuxStruct.USER_CAP_DATA.size());
    asm.address(A0, version);
    asm.set(
        A1,
        Integer.toUnsignedLong(
            (int) LinuxConstant._LINUX_CAPABILITY_VERSION_3.value(emitter.architecture)));
    asm.store(A0, StructField.USER_CAP_HEADER_VERSION.offset(), A1, Width.WORD);
    asm.address(A1, sets);
    emitter.systemCall(SystemCall.CAPGET);
    routines.failIfNegative("capget({_LINUX_CAPABILITY_VERSION_3, 0}, capabilities): ");
    asm.address(A0, sets);
    asm.load(A0, A0, StructField.USER_CAP_DATA_EFFECTIVE.offset(), Width.WORD);
    Label effective = emitter.data.zeroed(8);
    emitter.storeVariable(effective, A0);
    return effective;
  }

  private void setKind(CallerKind kind) {
    asm.set(A0, kind.bit());
    emitter.storeVariable(emitter.slot(RecognizeCaller.KIND), A0);
  }
}
