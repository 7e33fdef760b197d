package dev.cloister.program;

import dev.cloister.ffm.CString;
import dev.cloister.spec.OsString;

/** Writes calls as C, the way strace(1) does, with names in place of descriptor numbers. */
public final class CText {
  private CText() {}

  public static String of(Instruction.Call call) {
    StringBuilder text = new StringBuilder(call.call().cName()).append('(');
    String separator = "";
    for (Operand operand : call.operands()) {
      text.append(separator).append(operand.text());
      separator = ", ";
    }
    return text.append(')').toString();
  }

  /** As {@link #of}, with the place the result goes to. */
  public static String assignment(Instruction.Call call) {
    return call.result().map(slot -> slot.name() + " = ").orElse("") + of(call);
  }

  /** A C string literal; bytes that are not UTF-8 text as octal escapes. */
  public static String quote(OsString text) {
    return CString.literal(text.bytes());
  }
}
