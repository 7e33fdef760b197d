package dev.cloister.program;

import dev.cloister.ffm.CString;
import dev.cloister.spec.OsString;
import java.util.StringJoiner;

/** Writes calls as C, the way strace(1) does, with names in place of descriptor numbers. */
public final class CText {
  private CText() {}

  public static String of(Instruction.Call call) {
    StringJoiner arguments = new StringJoiner(", ", call.call().cName() + "(", ")");
    for (Operand operand : call.operands()) {
      arguments.add(operand.text());
    }
    return arguments.toString();
  }

  /** As {@link #of}, with the place the result goes to. */
  public static String assignment(Instruction.Call call) {
    return call.result().map(slot -> slot.name() + " = ").orElse("") + of(call);
  }

  /** A C string literal; bytes that are not UTF-8 text as octal escapes. */
  public static String quote(OsString text) {
    return CString.of(text.bytes()).toString();
  }
}
