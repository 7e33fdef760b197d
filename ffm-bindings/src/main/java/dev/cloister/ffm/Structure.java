package dev.cloister.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A C structure in native memory, all zero at first.
 *
 * @param memory lives as long as the arena it was made from
 */
record Structure(MemorySegment memory) {
  static Structure allocate(Arena arena, LinuxStruct struct) {
    return new Structure(arena.allocate(struct.size(), struct.alignment()));
  }

  /** The structure that the field is, in the same memory. */
  Structure part(StructField field) {
    return new Structure(memory.asSlice(field.offset(), field.size()));
  }

  /** The field's value, its sign extended. */
  long get(StructField field) {
    return switch (field.size()) {
      case Short.BYTES -> memory.get(JAVA_SHORT, field.offset());
      case Integer.BYTES -> memory.get(JAVA_INT, field.offset());
      case Long.BYTES -> memory.get(JAVA_LONG, field.offset());
      default -> throw new IllegalArgumentException("not a number: " + field);
    };
  }

  /** Sets the field to as many low bytes of the value as it has. */
  void set(StructField field, long value) {
    switch (field.size()) {
      case Short.BYTES -> memory.set(JAVA_SHORT, field.offset(), (short) value);
      case Integer.BYTES -> memory.set(JAVA_INT, field.offset(), (int) value);
      case Long.BYTES -> memory.set(JAVA_LONG, field.offset(), value);
      default -> throw new IllegalArgumentException("not a number: " + field);
    }
  }
}
