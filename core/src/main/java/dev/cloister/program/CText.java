package dev.cloister.program;

import dev.cloister.ffm.CString;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.StructField;
import dev.cloister.spec.OsString;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/** Writes calls as C, the way strace(1) does, with names in place of descriptor numbers. */
public final class CText {
  private CText() {}

  public static String of(Instruction.Call call) {
    StringJoiner arguments = new StringJoiner(", ", call.call().cName() + "(", ")");
    for (Operand operand : call.operands()) {
      arguments.add(of(operand));
    }
    return arguments.toString();
  }

  /** As {@link #of}, with the place the result goes to. */
  public static String assignment(Instruction.Call call) {
    return call.result().map(slot -> slot.name() + " = ").orElse("") + of(call);
  }

  private static String of(Operand operand) {
    return switch (operand) {
      case Operand.Literal literal -> literal.text();
      case Operand.Flags flags -> flags(flags.constants());
      case Operand.Text text -> quote(text.value());
      case Operand.Structure structure -> structure(structure.fields());
      case Operand.Result result -> result.slot().name();
      case Operand.ResultAddress address -> "&" + address.slot().name();
      case Operand.Image _ -> "launcher";
      case Operand.ImageSize _ -> "sizeof launcher";
      case Operand.Address address -> address.buffer().name();
    };
  }

  private static String flags(List<LinuxConstant> constants) {
    StringJoiner names = new StringJoiner("|").setEmptyValue("0");
    for (LinuxConstant constant : constants) {
      names.add(constant.name());
    }
    return names.toString();
  }

  private static String structure(Map<StructField, Operand> fields) {
    StringJoiner text = new StringJoiner(", ", "{", "}");
    fields.forEach((field, value) -> text.add(field.cName() + "=" + of(value)));
    return text.toString();
  }

  /** A C string literal; bytes that are not UTF-8 text as octal escapes. */
  public static String quote(OsString text) {
    return CString.of(text.bytes()).toString();
  }
}
