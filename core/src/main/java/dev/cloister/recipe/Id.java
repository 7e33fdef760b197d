package dev.cloister.recipe;

import dev.cloister.host.CallerKind;
import dev.cloister.program.Instruction.RecognizeCaller;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import java.util.Optional;
import java.util.OptionalLong;

/** A user or group id in a plan. */
sealed interface Id {
  Id ZERO = new Known(0);
  Id FOUND_GID = new Found(RecognizeCaller.GID, true);

  /** A number. */
  record Known(long value) implements Id {
    @Override
    public boolean is(Id other) {
      return other instanceof Known known && known.value == value;
    }

    @Override
    public Operand operand() {
      return new Operand.Literal(value, Long.toUnsignedString(value));
    }

    @Override
    public Operand part() {
      return Operand.of(Long.toUnsignedString(value));
    }

    @Override
    public boolean mayBeRoot() {
      return value == 0;
    }

    @Override
    public String toString() {
      return Long.toUnsignedString(value);
    }
  }

  /**
   * What is found when the program runs.
   *
   * @param mayBeRoot whether it may be 0
   */
  record Found(Slot slot, boolean mayBeRoot) implements Id {
    @Override
    public boolean is(Id other) {
      return other instanceof Found found && found.slot.name().equals(slot.name());
    }

    @Override
    public Operand operand() {
      return Operand.of(slot);
    }

    @Override
    public Operand part() {
      return Operand.of(slot);
    }

    @Override
    public String toString() {
      return slot.name();
    }
  }

  /** Whether both are the same; linking a record's own equality takes a fresh JVM milliseconds. */
  boolean is(Id other);

  /** As a system call's operand. */
  Operand operand();

  /** As a part of a text that is composed. */
  Operand part();

  /** Whether it is 0, or not known to be another. */
  boolean mayBeRoot();

  /** The one that was asked for. */
  static Optional<Id> of(OptionalLong id) {
    return id.isPresent() ? Optional.of(new Known(id.getAsLong())) : Optional.empty();
  }

  /** The user id of a caller of this kind. */
  static Id foundUid(CallerKind kind) {
    return new Found(RecognizeCaller.UID, kind.isUserZero());
  }

  /** The one that was asked for; user 0 of a caller who is that is the caller's. */
  static Optional<Id> ofUser(OptionalLong id, Optional<CallerKind> caller) {
    boolean same = caller.isPresent() && caller.get().isUserZero() && id.orElse(1) == 0;
    return same ? caller.map(Id::foundUid) : of(id);
  }
}
