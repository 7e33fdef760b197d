package dev.cloister.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DestinationTest {
  @ParameterizedTest
  @ValueSource(strings = {"/a/b", "//a//b//", "/./a/./b/.", "/a/b/"})
  void slashesAndDotsCountForNothing(String path) {
    Destination destination = Destination.of(path);
    assertEquals(List.of(OsString.of("a"), OsString.of("b")), destination.components());
    assertEquals(OsString.of("a/b"), destination.relative());
    assertEquals(OsString.of("/a/b"), destination.absolute());
    assertEquals("/a/b", destination.toString());
    assertEquals(OsString.of("b"), destination.name());
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "//", "/.", "/./"})
  void theRootHasNoComponents(String path) {
    Destination root = Destination.of(path);
    assertTrue(root.isRoot());
    assertEquals(OsString.of("."), root.relative());
    assertEquals(OsString.of("/"), root.absolute());
    assertEquals(root, root.parent());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a", "./a", "../a", "..", "/..", "/a/..", "/a/../b"})
  void isNeitherRelativeNorUpwards(String path) {
    assertThrows(IllegalArgumentException.class, () -> Destination.of(path));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/...", "/..a", "/a..", "/.a", "/a.", "/ "})
  void otherDotsAreNames(String path) {
    assertEquals(path, Destination.of(path).toString());
    assertFalse(Destination.of(path).isRoot());
  }

  @Test
  void goesUpAndDown() {
    Destination destination = Destination.of("/a/b/c");
    assertEquals(Destination.of("/a/b"), destination.parent());
    assertEquals(Destination.of("/a"), destination.prefix(1));
    assertEquals(Destination.of("/"), destination.prefix(0));
    assertEquals(Destination.of("/a/b/c/d"), destination.resolve("d"));
    assertEquals(Destination.of("/d"), Destination.of("/").resolve("d"));
  }

  @Test
  void knowsWhatItIsBelow() {
    Destination destination = Destination.of("/a/b");
    assertTrue(destination.isAtOrBelow(Destination.of("/")));
    assertTrue(destination.isAtOrBelow(Destination.of("/a")));
    assertTrue(destination.isAtOrBelow(destination));
    assertFalse(destination.isAtOrBelow(Destination.of("/a/b/c")));
    assertFalse(Destination.of("/ab").isAtOrBelow(Destination.of("/a")));
  }

  /** More than the kernel takes; and more names than a recursion over them has room for. */
  @Test
  void isNoLongerThanAPath() {
    String longest = "/a".repeat(2047) + "a";
    assertEquals(longest, Destination.of(longest).toString());
    assertThrows(IllegalArgumentException.class, () -> Destination.of(longest + "a"));
    assertThrows(IllegalArgumentException.class, () -> Destination.of("/a".repeat(60_000)));
    String longestName = "/a/" + "b".repeat(255);
    assertEquals(longestName, Destination.of(longestName).toString());
    assertThrows(IllegalArgumentException.class, () -> Destination.of(longestName + "b"));
  }
}
