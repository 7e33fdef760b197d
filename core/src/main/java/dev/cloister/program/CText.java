package dev.cloister.program;

import dev.cloister.ffm.CString;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.StructField;
import dev.cloister.spec.OsString;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes calls as C, the way strace(1) does, with names in place of descriptor numbers. */
public final class CText {
  private CText() {}

  public static String of(Instruction.Call call) {
    String arguments =
        call.operands().stream().map(CText::of).collect(Collectors.joining(", ", "(", ")"));
    return call.call().cName() + arguments;
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
    return constants.isEmpty()
        ? "0"
        : constants.stream().map(LinuxConstant::name).collect(Collectors.joining("|"));
  }

  private static String structure(Map<StructField, Operand> fields) {
    return fields.entrySet().stream()
        .map(field -> field.getKey().cName() + "=" + of(field.getValue()))
        .collect(Collectors.joining(", ", "{", "}"));
  }

  /** A C string literal; bytes that are not UTF-8 text as octal escapes. */
  public static String quote(OsString text) {
    return CString.of(text.bytes()).toString();
  }
}
