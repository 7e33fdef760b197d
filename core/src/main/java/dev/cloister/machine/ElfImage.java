package dev.cloister.machine;

import dev.cloister.ffm.Architecture;
import java.nio.charset.StandardCharsets;

/**
 * A static executable, complete and ready to run (elf(5)).
 *
 * <p>Three segments, none both writable and executable: headers, note and constants; code; zeroed
 * memory. They follow each other in the file without padding and lie in different pages in memory,
 * as far apart as the largest page size of the architectures (64 KiB).
 */
public final class ElfImage {
  private static final long BASE = 0x400000;
  private static final int PAGE = 0x10000;
  private static final int HEADER_SIZE = 64;
  private static final int PROGRAM_HEADER_SIZE = 56;
  private static final int SECTION_HEADER_SIZE = 64;
  private static final int PROGRAM_HEADERS = 5;
  private static final int READ = 4;
  private static final int WRITE = 2;
  private static final int EXECUTE = 1;

  private final byte[] bytes;

  private ElfImage(byte[] bytes) {
    this.bytes = bytes;
  }

  /** A copy of the file's bytes. */
  public byte[] bytes() {
    return bytes.clone();
  }

  public int size() {
    return bytes.length;
  }

  /** Lays out an executable that starts at the first byte of {@code code}. */
  static ElfImage link(Architecture architecture, Code code, Data data, LauncherNote note) {
    return new ElfImage(new Layout(architecture, code, data, note).write());
  }

  /** The least multiple of {@code alignment}, a power of 2, that is no less. */
  static int align(int value, int alignment) {
    return (value + alignment - 1) & -alignment;
  }

  /** Where everything is, and the writing of it. */
  private static final class Layout {
    private static final String[] SECTION_NAMES = {
      "", ".note.cloister", ".rodata", ".text", ".bss", ".shstrtab"
    };

    private final Architecture architecture;
    private final Code code;
    private final byte[] constants;
    private final byte[] note;
    private final int zeroed;
    private final long rareAddress;
    private final int noteOffset = HEADER_SIZE + PROGRAM_HEADERS * PROGRAM_HEADER_SIZE;
    private final int constantsOffset;
    private final int codeOffset;
    private final int codeEnd;

    Layout(Architecture architecture, Code code, Data data, LauncherNote note) {
      this.architecture = architecture;
      this.code = code;
      byte[] rare = data.rare();
      this.constants =
          new ByteBuilder()
              .bytes(data.constants())
              .bytes(data.isPacked() ? new byte[0] : rare)
              .toArray();
      this.note = note.encode();
      this.zeroed = data.zeroedSize() + (data.isPacked() ? rare.length : 0);
      constantsOffset = align(noteOffset + this.note.length, 16);
      codeOffset = align(constantsOffset + constants.length, 16);
      codeEnd = codeOffset + code.size();
      rareAddress =
          data.isPacked()
              ? zeroedAddress() + data.zeroedSize()
              : constantsAddress() + constants.length - rare.length;
    }

    private long constantsAddress() {
      return BASE + constantsOffset;
    }

    /** Congruent with the offset in the file, as mmap(2) needs, in a page of its own. */
    private long codeAddress() {
      return BASE + align(codeOffset, PAGE) + PAGE + codeOffset % PAGE;
    }

    private long zeroedAddress() {
      return BASE + align((int) (codeAddress() - BASE) + code.size(), PAGE);
    }

    private long address(Label label) {
      return label.offset()
          + switch (label.section()) {
            case RODATA -> constantsAddress();
            case TEXT -> codeAddress();
            case BSS -> zeroedAddress();
            case RARE -> rareAddress;
          };
    }

    byte[] write() {
      ByteBuilder out = new ByteBuilder();
      byte[] names = sectionNames();
      int namesOffset = codeEnd;
      int sectionsOffset = align(namesOffset + names.length, 8);
      header(out, sectionsOffset);
      programHeaders(out);
      out.bytes(note)
          .align(16)
          .bytes(constants)
          .align(16)
          .bytes(code.link(codeAddress(), this::address));
      out.bytes(names).align(8);
      sections(out, namesOffset, names.length);
      return out.toArray();
    }

    private void header(ByteBuilder out, int sectionsOffset) {
      out.u8(0x7f).u8('E').u8('L').u8('F');
      out.u8(2).u8(1).u8(1).u8(0).u64(0); // 64 bits, little-endian, version 1, System V
      out.u16(2).u16(machine()).u32(1); // ET_EXEC
      out.u64(codeAddress()).u64(HEADER_SIZE).u64(sectionsOffset).u32(0);
      out.u16(HEADER_SIZE).u16(PROGRAM_HEADER_SIZE).u16(PROGRAM_HEADERS);
      out.u16(SECTION_HEADER_SIZE).u16(SECTION_NAMES.length).u16(SECTION_NAMES.length - 1);
    }

    private int machine() {
      return switch (architecture) {
        case X86_64 -> 62;
        case AARCH64 -> 183;
      };
    }

    private void programHeaders(ByteBuilder out) {
      int load = 1;
      segment(out, load, READ, 0, BASE, codeOffset, codeOffset, PAGE);
      int codeSize = code.size();
      segment(out, load, READ | EXECUTE, codeOffset, codeAddress(), codeSize, codeSize, PAGE);
      segment(out, load, READ | WRITE, 0, zeroedAddress(), 0, zeroed, PAGE);
      int noteType = 4;
      segment(out, noteType, READ, noteOffset, BASE + noteOffset, note.length, note.length, 4);
      int stack = 0x6474e551; // PT_GNU_STACK
      segment(out, stack, READ | WRITE, 0, 0, 0, 0, 16);
    }

    private static void segment(
        ByteBuilder out,
        int type,
        int flags,
        long offset,
        long address,
        long fileSize,
        long memorySize,
        long alignment) {
      out.u32(type).u32(flags).u64(offset).u64(address).u64(address);
      out.u64(fileSize).u64(memorySize).u64(alignment);
    }

    private static byte[] sectionNames() {
      return (String.join("\0", SECTION_NAMES) + "\0").getBytes(StandardCharsets.US_ASCII);
    }

    /** For readelf(1) and objdump(1) only; the kernel looks at the program headers. */
    private void sections(ByteBuilder out, int namesOffset, int namesSize) {
      int alloc = 2;
      section(out, 0, 0, 0, 0, 0, 0, 0);
      section(out, 1, 7, alloc, BASE + noteOffset, noteOffset, note.length, 4);
      section(out, 2, 1, alloc, constantsAddress(), constantsOffset, constants.length, 16);
      section(out, 3, 1, alloc | 4, codeAddress(), codeOffset, code.size(), 16);
      section(out, 4, 8, alloc | 1, zeroedAddress(), 0, zeroed, 16);
      section(out, 5, 3, 0, 0, namesOffset, namesSize, 1);
    }

    private static void section(
        ByteBuilder out,
        int index,
        int type,
        long flags,
        long address,
        long offset,
        long size,
        int alignment) {
      out.u32(nameOffset(index)).u32(type).u64(flags).u64(address).u64(offset).u64(size);
      out.u32(0).u32(0).u64(alignment).u64(0);
    }

    private static int nameOffset(int index) {
      int offset = 0;
      for (int i = 0; i < index; i++) {
        offset += SECTION_NAMES[i].length() + 1;
      }
      return offset;
    }
  }
}
