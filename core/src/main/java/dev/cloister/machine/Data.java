package dev.cloister.machine;

import dev.cloister.spec.OsString;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;

/** The constants and the zeroed memory of an executable. */
final class Data {
  private final ByteBuilder constants = new ByteBuilder();
  private final Map<OsString, Label> texts = new HashMap<>();
  private final IdentityHashMap<ElfImage, Label> images = new IdentityHashMap<>();
  private final ByteBuilder rare = new ByteBuilder();
  private final Map<String, Label> rareTexts = new HashMap<>();
  private int zeroed;
  private boolean packed;

  /** A NUL-terminated string; the same text is kept once. */
  Label text(OsString text) {
    return texts.computeIfAbsent(
        text,
        t -> {
          Label label = constant(t.bytes(), 1);
          constants.u8(0);
          return label;
        });
  }

  Label text(String text) {
    return text(OsString.of(text));
  }

  Label constant(byte[] bytes, int alignment) {
    constants.align(alignment);
    Label label = new Label().place(Label.Section.RODATA, constants.size());
    constants.bytes(bytes);
    return label;
  }

  /** An executable inside this one; the same one is kept once. */
  Label image(ElfImage image) {
    return images.computeIfAbsent(image, i -> constant(i.bytes(), 16));
  }

  /** Memory that is zero when the program starts, aligned for any value. */
  Label zeroed(int size) {
    Label label = new Label().place(Label.Section.BSS, zeroed);
    zeroed = (zeroed + size + 15) & -16;
    return label;
  }

  /** Where the first rare constant lies once it is unpacked. */
  Label rareStart() {
    return new Label().place(Label.Section.RARE, 0);
  }

  /** A constant that is there only once the launcher has unpacked it. */
  Label rare(byte[] bytes) {
    Label label = new Label().place(Label.Section.RARE, rare.size());
    rare.bytes(bytes);
    return label;
  }

  /** A NUL-terminated string of that kind; the same text is kept once. */
  Label rareText(String text) {
    return rareTexts.computeIfAbsent(text, t -> rare((t + "\0").getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * Makes the rare constants small, once there are all of them.
   *
   * @return where they lie packed
   */
  Label pack() {
    packed = true;
    return constant(Compression.compress(rare.toArray()), 1);
  }

  /** Whether the rare constants are unpacked to zeroed memory; else they lie as they are. */
  boolean isPacked() {
    return packed;
  }

  byte[] rare() {
    return rare.toArray();
  }

  byte[] constants() {
    return constants.toArray();
  }

  int zeroedSize() {
    return zeroed;
  }
}
