package dev.cloister.ffm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A C string: bytes without NUL. The kernel knows no encoding, so a name that is not UTF-8 passes
 * through unchanged.
 */
public final class CString {
  private final byte[] bytes;

  private CString(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * Takes a copy of the bytes.
   *
   * @throws IllegalArgumentException if they contain NUL, where C would cut them off
   */
  public static CString of(byte[] bytes) {
    CString string = new CString(bytes.clone());
    for (byte b : string.bytes) {
      if (b == 0) {
        throw new IllegalArgumentException("a NUL byte in " + string);
      }
    }
    return string;
  }

  static List<CString> listOf(List<byte[]> strings) {
    List<CString> list = new ArrayList<>(strings.size());
    for (byte[] string : strings) {
      list.add(of(string));
    }
    return list;
  }

  /** A copy with a terminating NUL. */
  MemorySegment allocate(Arena arena) {
    MemorySegment string = arena.allocate(bytes.length + 1L);
    MemorySegment.copy(bytes, 0, string, ValueLayout.JAVA_BYTE, 0, bytes.length);
    return string;
  }

  /** An array of pointers to copies, with a terminating null pointer. */
  static MemorySegment allocateArray(Arena arena, List<CString> strings) {
    // As numbers: linking accesses by address layout would cost the JVM 10 ms more.
    MemorySegment array = arena.allocate(ValueLayout.JAVA_LONG, strings.size() + 1L);
    for (int i = 0; i < strings.size(); i++) {
      array.setAtIndex(ValueLayout.JAVA_LONG, i, strings.get(i).allocate(arena).address());
    }
    return array;
  }

  /** The arguments of a program, for messages. */
  static String arguments(List<CString> arguments) {
    return arguments.stream().map(CString::toString).collect(Collectors.joining(", ", "{", "}"));
  }

  /** The environment of a program, for messages, which must not tell secrets. */
  static String environment(List<CString> environment) {
    return "{/* " + environment.size() + " variables */}";
  }

  @Override
  public String toString() {
    return literal(bytes);
  }

  /**
   * A string as a C literal, for messages: UTF-8 text as it is, control characters and bytes of any
   * other encoding as octal escapes.
   */
  public static String literal(byte[] bytes) {
    if (isPlain(bytes)) {
      return '"' + new String(bytes, StandardCharsets.ISO_8859_1) + '"';
    }
    String text = new String(bytes, StandardCharsets.UTF_8);
    boolean utf8 = Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes);
    String characters = utf8 ? text : new String(bytes, StandardCharsets.ISO_8859_1);
    StringBuilder literal = new StringBuilder("\"");
    for (int i = 0; i < characters.length(); i++) {
      append(literal, characters.charAt(i), utf8);
    }
    return literal.append('"').toString();
  }

  /**
   * Whether nothing has to be escaped. Nearly always so, and a start of the command, which a JVM
   * interprets, writes hundreds of these.
   */
  private static boolean isPlain(byte[] bytes) {
    for (byte b : bytes) {
      if (b < ' ' || b > '~' || b == '"' || b == '\\') {
        return false;
      }
    }
    return true;
  }

  private static void append(StringBuilder literal, char c, boolean utf8) {
    if (c == '"' || c == '\\') {
      literal.append('\\').append(c);
    } else if (c == '\n') {
      literal.append("\\n");
    } else if (Character.isISOControl(c) || (!utf8 && c > '~')) {
      literal.append('\\');
      for (int shift = 6; shift >= 0; shift -= 3) {
        literal.append((char) ('0' + ((c >> shift) & 7)));
      }
    } else {
      literal.append(c);
    }
  }
}
