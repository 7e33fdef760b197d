package dev.cloister.machine;

/** A place in an executable, known once the executable is laid out. */
final class Label {
  private Section section = Section.TEXT;
  private int offset = -1;

  /** What part of the executable a label is in. */
  enum Section {
    /** Constants: readable. */
    RODATA,
    /** Code: readable, executable. */
    TEXT,
    /** Zeroed memory: readable, writable. */
    BSS,
    /** What only a failure or a question needs: constants, or unpacked to zeroed memory. */
    RARE
  }

  /** Places this label. A label is placed once. */
  Label place(Section where, int at) {
    if (offset >= 0) {
      throw new IllegalStateException("a label is placed once");
    }
    section = where;
    offset = at;
    return this;
  }

  /** Changes the offset of a placed label, as code before it has become shorter. */
  void move(int at) {
    offset = at;
  }

  boolean isPlaced() {
    return offset >= 0;
  }

  Section section() {
    return section;
  }

  /** In bytes from the start of the section. */
  int offset() {
    if (offset < 0) {
      throw new IllegalStateException("a label was used but never placed");
    }
    return offset;
  }
}
