package dev.cloister.ffm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class CStringTest {
  @Test
  void endsWithNulAndKeepsBytesOfNoEncoding() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment string = CString.of(Bytes.of("a\u00ff/\u0080")).allocate(arena);
      assertArrayEquals(Bytes.of("a\u00ff/\u0080\0"), string.toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void refusesNul() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> CString.of(Bytes.of("/etc/passwd\0.png")));
    assertEquals("a NUL byte in \"/etc/passwd\\000.png\"", e.getMessage());
  }

  @Test
  void isItsOwnCopy() {
    byte[] bytes = Bytes.of("before");
    CString string = CString.of(bytes);
    bytes[0] = 0;
    assertEquals("\"before\"", string.toString());
  }

  @Test
  void anArrayEndsWithANullPointer() {
    try (Arena arena = Arena.ofConfined()) {
      List<CString> strings = CString.listOf(Bytes.listOf("one", ""));
      MemorySegment array = CString.allocateArray(arena, strings);
      assertEquals(3 * ValueLayout.ADDRESS.byteSize(), array.byteSize());
      MemorySegment one = array.getAtIndex(ValueLayout.ADDRESS, 0).reinterpret(Long.MAX_VALUE);
      assertEquals("one", one.getString(0));
      MemorySegment empty = array.getAtIndex(ValueLayout.ADDRESS, 1).reinterpret(Long.MAX_VALUE);
      assertEquals("", empty.getString(0));
      assertEquals(MemorySegment.NULL, array.getAtIndex(ValueLayout.ADDRESS, 2));
    }
  }

  @Test
  void isShownAsACLiteral() {
    assertEquals("\"/usr/bin\"", CString.of(Bytes.of("/usr/bin")).toString());
    byte[] umlaut = "/gr\u00fcn".getBytes(StandardCharsets.UTF_8);
    assertEquals("\"/gr\u00fcn\"", CString.of(umlaut).toString());
    assertEquals("\"/gr\\374n\"", CString.of(Bytes.of("/gr\u00fcn")).toString());
    assertEquals("\"\\\"\\\\\\n\\033[31m\"", CString.of(Bytes.of("\"\\\n\33[31m")).toString());
  }
}
