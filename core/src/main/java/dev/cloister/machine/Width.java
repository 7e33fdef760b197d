package dev.cloister.machine;

/** How much memory a load or store touches; loads extend with zeros. */
enum Width {
  BYTE(1),
  HALF(2),
  WORD(4),
  DOUBLE(8);

  private final int bytes;

  Width(int bytes) {
    this.bytes = bytes;
  }

  public int bytes() {
    return bytes;
  }
}
