package dev.cloister.program;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.spec.OsString;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An argument of a system call. Flags stay symbolic until the architecture is known, because some
 * (O_DIRECTORY) differ between architectures, and because a person reads them.
 */
public sealed interface Operand {
  /** A number, written in C as {@code text}. */
  record Literal(long value, String text) implements Operand {}

  /** Flags, combined with {@code |}; none is 0. */
  record Flags(List<LinuxConstant> constants) implements Operand {
    public Flags {
      constants = List.copyOf(constants);
    }
  }

  /** The address of a NUL-terminated string. */
  record Text(OsString value) implements Operand {}

  /**
   * The address of a structure in read-only memory; fields that are not named are zero.
   *
   * @param count how many of {@code struct} follow each other; the fields are the first one's
   */
  record Structure(LinuxStruct struct, int count, Map<StructField, Operand> fields)
      implements Operand {
    public Structure {
      fields = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }
  }

  /** The result of an earlier call. */
  record Result(Slot slot) implements Operand {}

  /** The address of scratch memory. */
  record Address(Buffer buffer) implements Operand {}

  /** The address of the place where an earlier call's result is. */
  record ResultAddress(Slot slot) implements Operand {}

  /** The address of another program, compiled to a complete executable. */
  record Image(SyscallProgram program) implements Operand {}

  /** How many bytes that executable has. */
  record ImageSize(SyscallProgram program) implements Operand {}

  /** A null pointer. */
  Operand NULL = new Literal(0, "NULL");

  static Operand of(long value) {
    return new Literal(value, Long.toString(value));
  }

  static Operand of(String text) {
    return new Text(OsString.of(text));
  }

  static Operand of(OsString text) {
    return new Text(text);
  }

  static Operand of(Slot slot) {
    return new Result(slot);
  }

  static Operand of(Buffer buffer) {
    return new Address(buffer);
  }

  static Operand of(LinuxConstant... constants) {
    return new Flags(List.of(constants));
  }

  static Operand of(LinuxStruct struct, Map<StructField, Operand> fields) {
    return new Structure(struct, 1, fields);
  }
}
