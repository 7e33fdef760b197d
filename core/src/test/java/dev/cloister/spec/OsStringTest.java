package dev.cloister.spec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Cases;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
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

  /** Any bytes but NUL come back, and a person sees nothing that draws on the terminal. */
  @Test
  void anyBytesComeBack() throws Exception {
    Cases.check(
        "byte strings",
        5000,
        OsStringTest::bytes,
        _ -> List.of(),
        bytes -> {
          OsString string = OsString.ofBytes(bytes);
          assertArrayEquals(bytes, string.bytes());
          assertEquals(string, OsString.ofBytes(bytes));
          int middle = bytes.length / 2;
          assertEquals(string, string.substring(0, middle).concat(string.substring(middle)));
          assertTrue(
              string.toString().chars().noneMatch(Character::isISOControl), string::toString);
          string
              .toPath()
              .ifPresent(
                  path ->
                      assertArrayEquals(
                          path.toString().getBytes(FILES), OsString.of(path).bytes()));
          destination(string);
        });
  }

  private static final java.nio.charset.Charset FILES =
      java.nio.charset.Charset.forName(System.getProperty("sun.jnu.encoding"));

  private static void destination(OsString path) {
    try {
      Destination destination = Destination.of(path);
      assertEquals(destination, Destination.of(destination.absolute()));
      assertEquals(destination, Destination.of(OsString.of("/").concat(destination.relative())));
      assertTrue(destination.isAtOrBelow(destination.parent()));
    } catch (IllegalArgumentException e) {
      assertTrue(
          !path.startsWith("/") || path.toString().contains("..") || path.length() > 255,
          path::toString);
    }
  }

  private static byte[] bytes(Random random) {
    byte[] bytes = new byte[random.nextInt(20)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] =
          random.nextInt(3) == 0
              ? (byte) (1 + random.nextInt(255))
              : (byte) "/..a/\u00c3".charAt(random.nextInt(6));
    }
    if (bytes.length > 0 && random.nextBoolean()) {
      bytes[0] = '/';
    }
    return bytes;
  }
}
