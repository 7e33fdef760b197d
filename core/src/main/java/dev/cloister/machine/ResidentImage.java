package dev.cloister.machine;

import dev.cloister.ffm.ResidentProgram;
import dev.cloister.ffm.ResidentProgram.Access;
import dev.cloister.ffm.ResidentProgram.Part;
import java.nio.ByteBuffer;
import java.util.List;

/** A launcher that is not executed but called, in the memory of the process that starts it. */
public final class ResidentImage implements ResidentProgram.Image {
  private final Code code;
  private final Data data;
  private final byte[] constants;
  private final int rareOffset;
  private final int codeOffset;
  private final int zeroedOffset;

  ResidentImage(Code code, Data data) {
    this.code = code;
    this.data = data;
    byte[] rare = data.rare();
    byte[] frequent = data.constants();
    this.constants = new ByteBuilder().bytes(frequent).bytes(rare).toArray();
    this.rareOffset = frequent.length;
    this.codeOffset = ElfImage.align(constants.length, ResidentProgram.PAGE);
    this.zeroedOffset = codeOffset + ElfImage.align(code.size(), ResidentProgram.PAGE);
  }

  @Override
  public int size() {
    return zeroedOffset + data.zeroedSize();
  }

  @Override
  public List<Part> parts(long address) {
    byte[] linked = code.link(address + codeOffset, label -> address + offset(label));
    return List.of(
        new Part(0, ByteBuffer.wrap(constants), constants.length, Access.READ),
        new Part(codeOffset, ByteBuffer.wrap(linked), linked.length, Access.EXECUTE),
        new Part(zeroedOffset, ByteBuffer.allocate(0), data.zeroedSize(), Access.WRITE));
  }

  private int offset(Label label) {
    return label.offset()
        + switch (label.section()) {
          case RODATA -> 0;
          case RARE -> rareOffset;
          case TEXT -> codeOffset;
          case BSS -> zeroedOffset;
        };
  }
}
