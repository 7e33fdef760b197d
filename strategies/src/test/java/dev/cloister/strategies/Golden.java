package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Compares with a text that a person has read and found right, in {@code
 * src/test/resources/golden}. After a change that is meant, write the texts anew and read the
 * difference:
 *
 * <pre>mvn -pl core,strategies -am test -Dcloister.golden=write</pre>
 */
final class Golden {
  private static final boolean WRITE = "write".equals(System.getProperty("cloister.golden"));

  private Golden() {}

  static void check(String name, List<String> lines) throws IOException {
    // Tests run in their module's directory.
    Path file = Path.of("src/test/resources/golden", name + ".txt").toAbsolutePath();
    String text = String.join("\n", lines) + "\n";
    if (WRITE) {
      Files.writeString(file, text);
    }
    assertEquals(Files.readString(file), text, name);
  }
}
