package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.sandbox.CaptureLimits;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxBuilder;
import dev.cloister.sandbox.SandboxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The library's words for mounts, each for what it means. */
class BuilderMountsTest {
  @TempDir Path directory;
  private Path lower;
  private Path upper;
  private Path work;

  @BeforeEach
  void makeLayers() throws Exception {
    lower = Files.createDirectory(directory.resolve("lower"));
    upper = Files.createDirectory(directory.resolve("upper"));
    work = Files.createDirectory(directory.resolve("work"));
    Files.writeString(lower.resolve("file"), "low");
  }

  private static String output(SandboxBuilder builder, String script) throws Exception {
    try (Sandbox sandbox = builder.build()) {
      return sandbox
          .command("sh", "-c", script)
          .capture(new CaptureLimits(10_000, Duration.ofMinutes(1)))
          .outputText();
    }
  }

  private static SandboxBuilder host() {
    return Sandbox.builder().preset("host");
  }

  @Test
  void permissionsAndSizes() throws Exception {
    SandboxBuilder builder =
        host()
            .tmpfs(Path.of("/t"), 01777, 1 << 16)
            .dir(Path.of("/p/d"), 0700)
            .dir(Path.of("/changed"))
            .chmod(Path.of("/changed"), 0711);
    assertEquals(
        "1777\n700\n700\n711\n16\n",
        output(builder, "stat -c %a /t /p /p/d /changed; stat -f -c %b /t"));
    for (int wrong : new int[] {-1, 010000}) {
      assertThrows(IllegalArgumentException.class, () -> host().dir(Path.of("/d"), wrong));
      assertThrows(IllegalArgumentException.class, () -> host().chmod(Path.of("/d"), wrong));
      assertThrows(IllegalArgumentException.class, () -> host().tmpfs(Path.of("/d"), wrong, 1));
    }
    assertThrows(IllegalArgumentException.class, () -> host().tmpfs(Path.of("/d"), 0755, 0));
  }

  @Test
  void whatIsMissingIsPassedOverWhereThatWasSaid() throws Exception {
    Path missing = directory.resolve("missing");
    Path place = Path.of("/x");
    SandboxBuilder builder =
        host()
            .bindTry(missing, place)
            .roBindTry(missing, place)
            .devBindTry(missing, place)
            .roBindTry(lower, Path.of("/y"));
    assertEquals("low", output(builder, "test -e /x || cat /y/file"));
    assertThrows(SandboxException.class, host().roBind(missing, place)::build);
  }

  @Test
  void oneMountIsReadOnlyAndQueuesAreItsOwn() throws Exception {
    SandboxBuilder builder =
        host()
            .bind(lower, Path.of("/b"))
            .tmpfs(Path.of("/b/t"))
            .remountRo(Path.of("/b"))
            .unshareIpc()
            .mqueue(Path.of("/q"));
    assertEquals(
        "q\n", output(builder, "touch /b/t/x && ! touch /b/x 2>&- && touch /q/q && ls /q"));
    assertFalse(Files.exists(lower.resolve("x")));
  }

  @Test
  void overlays() throws Exception {
    String script = "cat /o/file; printf new >/o/file && cat /o/file";
    Path place = Path.of("/o");
    assertEquals("lownew", output(host().tmpOverlay(List.of(lower), place), script));
    assertEquals("lownew", output(host().overlay(List.of(lower), upper, work, place), script));
    assertEquals("new", Files.readString(upper.resolve("file")));
    assertEquals("low", Files.readString(lower.resolve("file")));
    assertEquals("new", output(host().roOverlay(List.of(lower, upper), place), "cat /o/file"));
    assertThrows(IllegalArgumentException.class, () -> host().roOverlay(List.of(lower), place));
    assertThrows(IllegalArgumentException.class, () -> host().tmpOverlay(List.of(), place));
    SandboxException e =
        assertThrows(
            SandboxException.class,
            host().tmpOverlay(List.of(lower.resolve("file")), place)::build);
    assertTrue(String.valueOf(e.getMessage()).contains("not a directory"), e::toString);
  }
}
