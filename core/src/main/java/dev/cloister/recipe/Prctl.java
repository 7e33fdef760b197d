package dev.cloister.recipe;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;

/** Sets what the kernel keeps about one process (prctl(2)). */
final class Prctl {
  private Prctl() {}

  static Call set(LinuxConstant attribute, long value) {
    return prctl(attribute, Operand.of(value), Operand.of(0));
  }

  static Call set(LinuxConstant attribute, LinuxConstant value) {
    return prctl(attribute, Operand.of(value), Operand.of(0));
  }

  /** Keeps a capability, permitted and inheritable, over execve(2). */
  static Call raiseAmbient(LinuxConstant capability) {
    return prctl(
        LinuxConstant.PR_CAP_AMBIENT,
        Operand.of(LinuxConstant.PR_CAP_AMBIENT_RAISE),
        Operand.of(capability));
  }

  /** All five, as the kernel refuses some with anything but 0 in what they do not use. */
  private static Call prctl(LinuxConstant option, Operand second, Operand third) {
    return Call.of(
        SystemCall.PRCTL, Operand.of(option), second, third, Operand.of(0), Operand.of(0));
  }
}
