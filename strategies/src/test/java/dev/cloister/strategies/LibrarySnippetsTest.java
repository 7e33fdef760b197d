package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.ExitStatus;
import dev.cloister.fixture.Required;
import dev.cloister.sandbox.Capture;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the documents show of the library works, and is what the documents show. */
class LibrarySnippetsTest {
  private static final Path MODULE = Path.of("").toAbsolutePath();
  private static final Path SNIPPETS =
      MODULE.resolve("src/test/java/dev/cloister/strategies/LibrarySnippets.java");

  private static final Pattern REGION =
      Pattern.compile("    // @start region=\"(\\w+)\"\n(.*?)    // @end\n", Pattern.DOTALL);
  private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```\n", Pattern.DOTALL);
  private static final int README_LINES = 10;

  private static final int SIGTERM = 15;

  @TempDir Path directory;

  private static Sandbox ofPrograms() throws Exception {
    return Sandbox.builder().preset("host").build();
  }

  @Test
  void runs() throws Exception {
    assertEquals(42, LibrarySnippets.run());
  }

  @Test
  void compilesAndJudges() throws Exception {
    Required.program("gcc");
    // The program below becomes nobody where it is root.
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    Files.writeString(
        directory.resolve("main.c"),
        "#include <stdio.h>\nint main(void) { char c = getchar(); putchar(c); return 0; }\n");
    Capture compilation = LibrarySnippets.compile(directory);
    assertTrue(compilation.result().isSuccess(), compilation.errorText());
    Path input = Files.writeString(directory.resolve("input"), "x");
    try (Sandbox sandbox =
        Sandbox.builder().preset("host").roBind(directory, Path.of("/work")).unsharePid().build()) {
      assertEquals("x", LibrarySnippets.judge(sandbox, input, 1 << 25));
      assertEquals("too much memory", LibrarySnippets.judge(sandbox, input, 1));
    }
  }

  @Test
  void buildsWithManyActionsAtOnce() throws Exception {
    List<Integer> numbers = IntStream.range(0, 20).boxed().toList();
    List<List<String>> actions =
        numbers.stream().map(n -> List.of("sh", "-c", "echo " + n + " >" + n + "; pwd")).toList();
    List<String> outputs = LibrarySnippets.build(directory, actions);
    assertEquals(numbers.stream().map(_ -> directory + "\n").toList(), outputs);
    for (int number : numbers) {
      assertEquals(number + "\n", Files.readString(directory.resolve("" + number)));
    }
  }

  @Test
  void converses() throws Exception {
    try (Sandbox sandbox = ofPrograms()) {
      assertEquals("two\none\n", LibrarySnippets.converse(sandbox));
    }
  }

  @Test
  void explainsErrors() throws Exception {
    try (Sandbox sandbox = ofPrograms()) {
      assertEquals("ended with 0", LibrarySnippets.explain(sandbox, "true"));
      String missing = LibrarySnippets.explain(sandbox, "no-such-command");
      assertTrue(missing.startsWith("no command: ENOENT"), missing);
    }
  }

  @Test
  void ends() throws Exception {
    try (Sandbox sandbox = ofPrograms()) {
      SandboxProcess process = sandbox.command("sleep", "1000").start();
      assertEquals(
          new ExitStatus.Killed(SIGTERM, /* coreDumped= */ false),
          LibrarySnippets.end(process).status());
    }
  }

  /** The regions by their names, without the indentation that they have in their methods. */
  private static Map<String, String> regions() throws Exception {
    Map<String, String> regions = new TreeMap<>();
    Matcher matcher = REGION.matcher(Files.readString(SNIPPETS));
    while (matcher.find()) {
      regions.put(matcher.group(1), matcher.group(2).indent(-4));
    }
    assertFalse(regions.isEmpty());
    return regions;
  }

  private static List<String> javaBlocks(String document) throws Exception {
    String text = Files.readString(MODULE.resolveSibling(document));
    return BLOCK.matcher(text).results().map(block -> block.group(1)).toList();
  }

  @Test
  void eachIsInTheLibrarysPageAndNothingElseIs() throws Exception {
    assertEquals(
        regions().values().stream().sorted().toList(),
        javaBlocks("docs/library.md").stream().sorted().toList());
  }

  @Test
  void theReadmeShowsTheShortestOne() throws Exception {
    String run = Objects.requireNonNull(regions().get("run"));
    assertEquals(List.of(run), javaBlocks("README.md"));
    assertTrue(run.lines().count() <= README_LINES);
  }
}
