package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The library's Javadoc, made by the tool itself: it refuses links and snippets that lead nowhere.
 */
class JavadocTest {
  private static final Path MODULE = Path.of("").toAbsolutePath();
  private static final String PACKAGE = "core/src/main/java/dev/cloister/sandbox";

  @TempDir Path directory;

  /** What the tool says against the package. */
  private String complaints(Path snippets) throws Exception {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "-quiet",
                "-Xdoclint:all,-missing",
                "-Werror",
                "--snippet-path",
                snippets.toString(),
                "-d",
                directory.toString(),
                "-classpath",
                System.getProperty("java.class.path")));
    arguments.addAll(sources());
    StringWriter said = new StringWriter();
    PrintWriter writer = new PrintWriter(said);
    ToolProvider javadoc = ToolProvider.findFirst("javadoc").orElseThrow();
    int status = javadoc.run(writer, writer, arguments.toArray(String[]::new));
    assertEquals(status == 0, said.toString().isEmpty(), said.toString());
    return said.toString();
  }

  private static List<String> sources() throws Exception {
    try (Stream<Path> files = Files.list(MODULE.resolveSibling(PACKAGE))) {
      return files.map(Path::toString).filter(file -> file.endsWith(".java")).toList();
    }
  }

  @Test
  void isComplete() throws Exception {
    assertEquals("", complaints(MODULE.resolve("src/test/java")));
    assertTrue(
        Files.readString(directory.resolve("dev/cloister/sandbox/Sandbox.html"))
            .contains("exit 42"));
  }

  @Test
  void cannotBeMadeWithoutItsSnippets() throws Exception {
    String complaints = complaints(directory);
    assertTrue(complaints.contains("LibrarySnippets"), complaints);
  }
}
