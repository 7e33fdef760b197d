package dev.cloister.program;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SeccompFilter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/**
 * An argument of a system call. Flags stay symbolic until the architecture is known, because some
 * (O_DIRECTORY) differ between architectures, and because a person reads them.
 */
public sealed interface Operand {
  /** This operand as C, the way strace(1) writes it. */
  String text();

  /**
   * Calls the method of {@code visitor} for this kind of operand. The compiler finds a missing kind
   * as it does in a switch, but linking a switch over types takes a fresh JVM 1 to 5 ms, which the
   * AOT cache does not save (docs/adr/0004-start-up.md).
   */
  void accept(Visitor visitor);

  /** What to do with each kind of operand. */
  interface Visitor {
    void number(Literal literal);

    void flags(Flags flags);

    void text(Text text);

    void structure(Structure structure);

    void result(Result result);

    void tail(Tail tail);

    void argument(Argument argument);

    void address(Address address);

    void member(Member member);

    void resultAddress(ResultAddress address);

    void image(Image image);

    void imageSize(ImageSize size);

    void filter(Filter filter);
  }

  /** A number, written in C as {@code text}. */
  record Literal(long value, String text) implements Operand {
    @Override
    public void accept(Visitor visitor) {
      visitor.number(this);
    }
  }

  /** Flags, combined with {@code |}; none is 0. */
  record Flags(List<LinuxConstant> constants) implements Operand {
    public Flags {
      constants = List.copyOf(constants);
    }

    @Override
    public String text() {
      StringJoiner names = new StringJoiner("|").setEmptyValue("0");
      for (LinuxConstant constant : constants) {
        names.add(constant.name());
      }
      return names.toString();
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.flags(this);
    }
  }

  /** The address of a NUL-terminated string. */
  record Text(OsString value) implements Operand {
    @Override
    public String text() {
      return CText.quote(value);
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.text(this);
    }
  }

  /**
   * The address of one of the launcher's own arguments.
   *
   * @param index 0 for its name
   */
  record Argument(int index) implements Operand {
    @Override
    public String text() {
      return "arguments[" + index + "]";
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.argument(this);
    }
  }

  /**
   * The address of structures in read-only memory; fields that are not named are zero.
   *
   * @param elements how many of {@code struct} follow each other, with their fields
   */
  record Structure(LinuxStruct struct, List<Map<StructField, Operand>> elements)
      implements Operand {
    public Structure {
      List<Map<StructField, Operand>> copy = new ArrayList<>(elements.size());
      for (Map<StructField, Operand> fields : elements) {
        copy.add(Collections.unmodifiableMap(new LinkedHashMap<>(fields)));
      }
      elements = Collections.unmodifiableList(copy);
    }

    /** The same, where only the first of {@code count} has fields. */
    public Structure(LinuxStruct struct, int count, Map<StructField, Operand> fields) {
      this(struct, firstOf(count, fields));
    }

    private static List<Map<StructField, Operand>> firstOf(
        int count, Map<StructField, Operand> fields) {
      List<Map<StructField, Operand>> elements = new ArrayList<>(List.of(fields));
      while (elements.size() < count) {
        elements.add(Map.of());
      }
      return elements;
    }

    /** How many follow each other. */
    public int count() {
      return elements.size();
    }

    @Override
    public String text() {
      boolean onlyFirst = true;
      for (Map<StructField, Operand> fields : elements.subList(1, elements.size())) {
        onlyFirst &= fields.isEmpty();
      }
      if (onlyFirst) {
        return text(elements.getFirst());
      }
      StringJoiner text = new StringJoiner(", ", "[", "]");
      for (Map<StructField, Operand> fields : elements) {
        text.add(text(fields));
      }
      return text.toString();
    }

    private static String text(Map<StructField, Operand> fields) {
      StringJoiner text = new StringJoiner(", ", "{", "}");
      fields.forEach((field, value) -> text.add(field.cName() + "=" + value.text()));
      return text.toString();
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.structure(this);
    }
  }

  /** The result of an earlier call. */
  record Result(Slot slot) implements Operand {
    @Override
    public String text() {
      return slot.name();
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.result(this);
    }
  }

  /** The text whose address an earlier step kept, without its first bytes. */
  record Tail(Slot slot, int skipped) implements Operand {
    @Override
    public String text() {
      return slot.name() + " + " + skipped;
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.tail(this);
    }
  }

  /** The address of scratch memory. */
  record Address(Buffer buffer) implements Operand {
    @Override
    public String text() {
      return buffer.name();
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.address(this);
    }
  }

  /**
   * A number in a structure that an earlier call wrote to scratch memory.
   *
   * @param field of eight bytes
   */
  record Member(Buffer buffer, StructField field) implements Operand {
    public Member {
      if (field.size() != Long.BYTES) {
        throw new IllegalArgumentException("not of eight bytes: " + field);
      }
    }

    @Override
    public String text() {
      return buffer.name() + "." + field.cName();
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.member(this);
    }
  }

  /** The address of the place where an earlier call's result is. */
  record ResultAddress(Slot slot) implements Operand {
    @Override
    public String text() {
      return "&" + slot.name();
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.resultAddress(this);
    }
  }

  /** The address of another program, compiled to a complete executable. */
  record Image(SyscallProgram program) implements Operand {
    @Override
    public String text() {
      return "launcher";
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.image(this);
    }
  }

  /** How many bytes that executable has. */
  record ImageSize(SyscallProgram program) implements Operand {
    @Override
    public String text() {
      return "sizeof launcher";
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.imageSize(this);
    }
  }

  /** The address of a seccomp filter's {@code struct sock_fprog}. */
  record Filter(SeccompFilter filter) implements Operand {
    @Override
    public String text() {
      return "{" + filter.text() + "}";
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.filter(this);
    }
  }

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
