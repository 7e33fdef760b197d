package dev.cloister.machine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * What a launcher says of itself in its ELF notes (elf(5)), which its PT_NOTE segment and its
 * section {@code .note.cloister} hold: who made it, and whatever its maker needs to make it again.
 * Both notes have the name {@code Cloister}.
 */
public final class LauncherNote {
  /** The note whose description is the version, with a NUL. */
  static final int VERSION_TYPE = 1;

  /** The note whose description is the maker's own. */
  static final int OPTIONS_TYPE = 2;

  private static final byte[] NAME = "Cloister\0".getBytes(StandardCharsets.US_ASCII);
  private static final int ELF_HEADER_SIZE = 64;
  private static final int PROGRAM_HEADER_SIZE = 56;
  private static final int NOTE_HEADER_SIZE = 12;
  private static final int PT_NOTE = 4;

  private final String version;
  private final byte[] options;

  private LauncherNote(String version, byte[] options) {
    if (version.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("a version is a text without NUL");
    }
    this.version = version;
    this.options = options;
  }

  /** Only Cloister's version. */
  public static LauncherNote of(String version) {
    return new LauncherNote(version, new byte[0]);
  }

  /** The same with bytes of the caller's own, which are copied; none are no note. */
  public static LauncherNote of(String version, byte[] options) {
    return new LauncherNote(version, options.clone());
  }

  /** Of the Cloister that made the launcher. */
  public String version() {
    return version;
  }

  /** A copy of the maker's own bytes; empty if there are none. */
  public byte[] options() {
    return options.clone();
  }

  /** Both notes as they are in the file. */
  byte[] encode() {
    ByteBuilder out = new ByteBuilder();
    encode(out, VERSION_TYPE, (version + "\0").getBytes(StandardCharsets.UTF_8));
    if (options.length > 0) {
      encode(out, OPTIONS_TYPE, options);
    }
    return out.toArray();
  }

  private static void encode(ByteBuilder out, int type, byte[] description) {
    out.u32(NAME.length).u32(description.length).u32(type);
    out.bytes(NAME).align(4).bytes(description).align(4);
  }

  /**
   * Reads the notes of a launcher.
   *
   * @param file the bytes of the whole file
   * @throws IllegalArgumentException if it is no launcher that Cloister made, or is damaged; the
   *     message says what is wrong, such as {@code not an ELF file}
   */
  public static LauncherNote parse(byte[] file) {
    ByteBuffer elf = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    requireElf(elf);
    Optional<ByteBuffer> version = Optional.empty();
    Optional<ByteBuffer> options = Optional.empty();
    ByteBuffer notes = notes(elf);
    while (notes.hasRemaining()) {
      Note note = next(notes);
      if (!note.isOurs()) {
        continue;
      }
      switch (note.type()) {
        case VERSION_TYPE -> version = once(version, note);
        case OPTIONS_TYPE -> options = once(options, note);
        default -> {}
      }
    }
    return new LauncherNote(
        text(version.orElseThrow(() -> odd("no note of Cloister's version"))),
        options.map(LauncherNote::bytes).orElse(new byte[0]));
  }

  /** One note; whose buffers are part of the file. */
  private record Note(ByteBuffer name, int type, ByteBuffer description) {
    boolean isOurs() {
      return name.equals(ByteBuffer.wrap(NAME));
    }
  }

  private static IllegalArgumentException odd(String what) {
    return new IllegalArgumentException(what);
  }

  private static void requireElf(ByteBuffer elf) {
    byte[] magic = {0x7f, 'E', 'L', 'F'};
    if (elf.limit() < magic.length || !elf.slice(0, magic.length).equals(ByteBuffer.wrap(magic))) {
      throw odd("not an ELF file");
    }
    if (elf.limit() < ELF_HEADER_SIZE) {
      throw odd("an ELF file that ends within its header");
    }
    if (elf.get(4) != 2 || elf.get(5) != 1) {
      throw odd("not a little-endian ELF file of 64 bits");
    }
  }

  /** The one segment of notes. */
  private static ByteBuffer notes(ByteBuffer elf) {
    int count = Short.toUnsignedInt(elf.getShort(56));
    if (count > 0 && Short.toUnsignedInt(elf.getShort(54)) != PROGRAM_HEADER_SIZE) {
      throw odd("program headers of an unknown size");
    }
    ByteBuffer headers =
        slice(elf, elf.getLong(32), (long) count * PROGRAM_HEADER_SIZE, "program headers");
    Optional<ByteBuffer> notes = Optional.empty();
    for (int i = 0; i < count; i++) {
      int header = i * PROGRAM_HEADER_SIZE;
      if (headers.getInt(header) == PT_NOTE) {
        if (notes.isPresent()) {
          throw odd("more than one PT_NOTE segment");
        }
        long offset = headers.getLong(header + 8);
        notes = Optional.of(slice(elf, offset, headers.getLong(header + 32), "PT_NOTE segment"));
      }
    }
    return notes.orElseThrow(() -> odd("no PT_NOTE segment"));
  }

  private static ByteBuffer slice(ByteBuffer from, long offset, long size, String what) {
    if (offset < 0 || size < 0 || offset > from.limit() || size > from.limit() - offset) {
      throw odd("its " + what + " lies outside of the file");
    }
    return from.slice((int) offset, (int) size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static Note next(ByteBuffer notes) {
    if (notes.remaining() < NOTE_HEADER_SIZE) {
      throw odd("a note without its header");
    }
    long nameSize = Integer.toUnsignedLong(notes.getInt());
    long size = Integer.toUnsignedLong(notes.getInt());
    int type = notes.getInt();
    return new Note(take(notes, nameSize), type, take(notes, size));
  }

  /** What follows, with its padding to four bytes. */
  private static ByteBuffer take(ByteBuffer notes, long size) {
    long padded = (size + 3) & -4;
    if (padded > notes.remaining()) {
      throw odd("a note that is longer than its segment");
    }
    ByteBuffer taken = notes.slice(notes.position(), (int) size);
    notes.position(notes.position() + (int) padded);
    return taken;
  }

  private static Optional<ByteBuffer> once(Optional<ByteBuffer> before, Note note) {
    if (before.isPresent()) {
      throw odd("more than one note of type " + note.type());
    }
    return Optional.of(note.description());
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }

  private static String text(ByteBuffer description) {
    byte[] bytes = bytes(description);
    if (bytes.length == 0 || bytes[bytes.length - 1] != 0) {
      throw odd("a version without its end");
    }
    try {
      CharBuffer text =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(Arrays.copyOf(bytes, bytes.length - 1)));
      if (text.chars().anyMatch(c -> c < ' ' || c == 0x7f)) {
        throw odd("a version with control characters");
      }
      return text.toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("a version that is not UTF-8", e);
    }
  }
}
