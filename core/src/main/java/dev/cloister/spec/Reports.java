package dev.cloister.spec;

import java.util.OptionalInt;

/**
 * On which descriptors a launcher tells a program what it made, as JSON in bubblewrap's words.
 *
 * @param info gets one object: the process id of the sandbox's first process, and its namespaces
 * @param status gets the same in a line, and when the command has ended one that says how
 */
public record Reports(OptionalInt info, OptionalInt status) {
  /** Nobody asks. */
  public static final Reports NONE = new Reports(OptionalInt.empty(), OptionalInt.empty());

  /** The same with an object on this descriptor. */
  public Reports withInfo(int descriptor) {
    return new Reports(OptionalInt.of(descriptor), status);
  }

  /** The same with lines on this descriptor. */
  public Reports withStatus(int descriptor) {
    return new Reports(info, OptionalInt.of(descriptor));
  }

  /** Whether anybody asks. */
  public boolean any() {
    return info.isPresent() || status.isPresent();
  }
}
