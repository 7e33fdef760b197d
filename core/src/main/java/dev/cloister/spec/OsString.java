package dev.cloister.spec;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A string as the kernel sees it: bytes without NUL, in no particular encoding
 * (path_resolution(7)).
 *
 * <p>Java's {@code String} and {@code Path} lose bytes that are not valid in the locale, so every
 * path, argument and variable stays an {@code OsString} from the command line to the system call.
 */
public final class OsString implements Comparable<OsString> {
  /** The encoding the JDK uses for file names; fixed at start-up by the locale. */
  private static final Charset FILE_NAMES = Charset.forName(System.getProperty("sun.jnu.encoding"));

  private final byte[] bytes;

  private OsString(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * Encodes {@code text} as UTF-8.
   *
   * @throws IllegalArgumentException if it contains NUL
   */
  public static OsString of(String text) {
    return ofBytes(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Encodes {@code path} as the JDK would to open it. */
  public static OsString of(Path path) {
    return ofBytes(path.toString().getBytes(FILE_NAMES));
  }

  /**
   * Takes a copy of {@code bytes}.
   *
   * @throws IllegalArgumentException if they contain NUL
   */
  public static OsString ofBytes(byte[] bytes) {
    for (byte b : bytes) {
      if (b == 0) {
        throw new IllegalArgumentException("contains a NUL byte: " + new OsString(bytes));
      }
    }
    return new OsString(bytes.clone());
  }

  /** A copy of the bytes, without a terminating NUL. */
  public byte[] bytes() {
    return bytes.clone();
  }

  public int length() {
    return bytes.length;
  }

  public boolean isEmpty() {
    return bytes.length == 0;
  }

  /** The byte at {@code index}, as an ASCII character where it is one. */
  public char charAt(int index) {
    return (char) (bytes[index] & 0xff);
  }

  public int indexOf(char ascii) {
    for (int i = 0; i < bytes.length; i++) {
      if (charAt(i) == ascii) {
        return i;
      }
    }
    return -1;
  }

  public OsString substring(int from) {
    return substring(from, bytes.length);
  }

  public OsString substring(int from, int to) {
    return new OsString(Arrays.copyOfRange(bytes, from, to));
  }

  public OsString concat(OsString other) {
    byte[] joined = Arrays.copyOf(bytes, bytes.length + other.bytes.length);
    System.arraycopy(other.bytes, 0, joined, bytes.length, other.bytes.length);
    return new OsString(joined);
  }

  /** The strings in one, with an ASCII character between each two. */
  public static OsString join(char ascii, List<OsString> strings) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    for (int i = 0; i < strings.size(); i++) {
      if (i > 0) {
        joined.write(ascii);
      }
      joined.writeBytes(strings.get(i).bytes);
    }
    return new OsString(joined.toByteArray());
  }

  public boolean startsWith(OsString prefix) {
    int length = prefix.bytes.length;
    return bytes.length >= length && Arrays.equals(bytes, 0, length, prefix.bytes, 0, length);
  }

  public boolean startsWith(String ascii) {
    if (bytes.length < ascii.length()) {
      return false;
    }
    for (int i = 0; i < ascii.length(); i++) {
      if (charAt(i) != ascii.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  /** This name as a {@code Path}, or empty where the JVM's locale cannot express it. */
  public Optional<Path> toPath() {
    try {
      String name = FILE_NAMES.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return Optional.of(Path.of(name));
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }

  @Override
  public int compareTo(OsString other) {
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof OsString that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /**
   * The text for a person: UTF-8 where the bytes are valid UTF-8, otherwise ASCII with the other
   * bytes as {@code \xHH}. Control characters are always escaped, so that a hostile file name
   * cannot draw on a terminal.
   */
  @Override
  public String toString() {
    if (isPlain()) {
      return new String(bytes, StandardCharsets.US_ASCII);
    }
    String text = new String(bytes, StandardCharsets.UTF_8);
    boolean utf8 = Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes);
    StringBuilder out = new StringBuilder();
    if (utf8) {
      for (int i = 0; i < text.length(); i++) {
        append(out, text.charAt(i), !Character.isISOControl(text.charAt(i)));
      }
    } else {
      for (int i = 0; i < bytes.length; i++) {
        append(out, charAt(i), bytes[i] >= ' ' && bytes[i] < 0x7f);
      }
    }
    return out.toString();
  }

  /** Nearly always so, and much quicker in a JVM that interprets. */
  private boolean isPlain() {
    for (byte b : bytes) {
      if (b < ' ' || b > '~') {
        return false;
      }
    }
    return true;
  }

  private static void append(StringBuilder out, char c, boolean printable) {
    if (printable) {
      out.append(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c == '\t') {
      out.append("\\t");
    } else {
      out.append("\\x");
      out.append(Character.forDigit(c >> 4 & 15, 16)).append(Character.forDigit(c & 15, 16));
    }
  }
}
