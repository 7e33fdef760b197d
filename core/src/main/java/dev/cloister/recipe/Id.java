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
  Id FOUND_GID = new Found(RecognizeCaller.GID);

  /** A number. */
  record Known(long value) implements Id {
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

  /** What is found when the program runs. */
  record Found(Slot slot) implements Id {
    @Override
    public Operand operand() {
      return Operand.of(slot);
    }

    @Override
    public Operand part() {
      return Operand.of(slot);
    }

    @Override
    public boolean mayBeRoot() {
      return slot.equals(RecognizeCaller.GID);
    }

    @Override
    public String toString() {
      return slot.name();
    }
  }

  /** As a system call's operand. */
  Operand operand();

  /** As a part of a text that is composed. */
  Operand part();

  /** Whether it is 0, or not known to be another; user 0 is a kind of caller of its own. */
  boolean mayBeRoot();

  /** The one that was asked for. */
  static Optional<Id> of(OptionalLong id) {
    return id.isPresent() ? Optional.of(new Known(id.getAsLong())) : Optional.empty();
  }

  /** The user id of a caller of this kind. */
  static Id foundUid(CallerKind kind) {
    return kind.isUserZero() ? ZERO : new Found(RecognizeCaller.UID);
  }
}
