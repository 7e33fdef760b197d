package dev.cloister.spec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OsStringTest {
  private static final byte[] NO_UTF8 = {'a', (byte) 0xff, '\n', (byte) 0xc3};

  @Test
  void keepsEveryByte() {
    byte[] all = new byte[255];
    for (int i = 0; i < all.length; i++) {
      all[i] = (byte) (i + 1);
    }
    OsString string = OsString.ofBytes(all);
    assertArrayEquals(all, string.bytes());
    assertEquals(255, string.length());
    for (int i = 0; i < all.length; i++) {
      assertEquals(i + 1, string.charAt(i));
    }
  }

  @Test
  void sharesItsBytesWithNobody() {
    byte[] bytes = {'a', 'b'};
    OsString string = OsString.ofBytes(bytes);
    bytes[0] = 'x';
    string.bytes()[1] = 'x';
    assertEquals(OsString.of("ab"), string);
  }

  @Test
  void refusesNul() {
    assertThrows(IllegalArgumentException.class, () -> OsString.of("a\0b"));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> OsString.ofBytes(new byte[] {'a', 0, 27}));
    assertEquals("contains a NUL byte: a\\x00\\x1b", e.getMessage());
  }

  @Test
  void readsAsTextWhereItIsText() {
    assertEquals("aé€😀", OsString.of("aé€😀").toString());
    assertEquals("a\\xff\\n\\xc3", OsString.ofBytes(NO_UTF8).toString());
  }

  /** A hostile file name must not draw on a terminal: C0, DEL and C1 alike. */
  @Test
  void escapesControlCharacters() {
    assertEquals("\\x1b[2J\\t\\n\\x07\\x7f", OsString.of("\033[2J\t\n\007\177").toString());
    assertEquals("\\x9b2J", OsString.of("\u009b2J").toString());
  }

  @Test
  void isAPathOnlyWhereTheLocaleHasIt() {
    assertEquals(Optional.of(Path.of("/usr/bin")), OsString.of("/usr/bin").toPath());
    assertEquals(Optional.empty(), OsString.ofBytes(NO_UTF8).toPath());
    assertEquals(OsString.of("/usr/bin"), OsString.of(Path.of("/usr/bin")));
  }

  @Test
  void comparesBytesUnsigned() {
    OsString low = OsString.of("a");
    OsString high = OsString.ofBytes(NO_UTF8);
    assertTrue(low.compareTo(high) < 0);
    assertTrue(OsString.of("~").compareTo(OsString.ofBytes(new byte[] {(byte) 0x80})) < 0);
    assertEquals(high, OsString.ofBytes(NO_UTF8));
    assertEquals(high.hashCode(), OsString.ofBytes(NO_UTF8).hashCode());
    assertNotEquals(low, high);
  }

  @Test
  void takesApartAndJoins() {
    OsString string = OsString.of("PATH=/bin:/usr");
    assertEquals(4, string.indexOf('='));
    assertEquals(-1, string.indexOf('!'));
    assertEquals(OsString.of("PATH"), string.substring(0, 4));
    assertEquals(OsString.of("/bin:/usr"), string.substring(5));
    assertEquals(string, string.substring(0, 4).concat(string.substring(4)));
    assertTrue(string.startsWith("PATH="));
    assertTrue(string.startsWith(""));
    assertFalse(string.startsWith("PATHS"));
    assertFalse(OsString.of("PA").startsWith("PATH"));
    assertTrue(string.startsWith(OsString.of("PATH")));
    assertFalse(OsString.of("PA").startsWith(OsString.of("PATH")));
    assertTrue(OsString.of("").isEmpty());
  }
}
