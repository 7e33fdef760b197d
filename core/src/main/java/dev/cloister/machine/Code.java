package dev.cloister.machine;

import java.util.List;

/** Machine code whose references to labels are filled in when the executable is laid out. */
final class Code {
  private final byte[] bytes;
  private final List<Reference> references;

  /** Takes ownership of {@code bytes}. */
  Code(byte[] bytes, List<Reference> references) {
    this.bytes = bytes;
    this.references = List.copyOf(references);
  }

  /** A place in the code that depends on where {@code target} is. */
  record Reference(int position, Label target, Patch patch) {
    /** The same in another place. */
    Reference at(int other) {
      return new Reference(other, target, patch);
    }
  }

  /** Fills in one reference, once the addresses are known. */
  @FunctionalInterface
  interface Patch {
    /**
     * Changes the bytes at {@code position}.
     *
     * @param place the address of that position
     * @param target the address of the label
     */
    void apply(byte[] code, int position, long place, long target);
  }

  int size() {
    return bytes.length;
  }

  /** The code with its references filled in, for code that starts at {@code base}. */
  byte[] link(long base, java.util.function.ToLongFunction<Label> addresses) {
    byte[] linked = bytes.clone();
    for (Reference reference : references) {
      long place = base + reference.position();
      long target = addresses.applyAsLong(reference.target());
      reference.patch().apply(linked, reference.position(), place, target);
    }
    return linked;
  }
}
