package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.ChildProcess;
import dev.cloister.ffm.ExitStatus;
import dev.cloister.host.Preset;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.spec.SandboxSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The README's library example, which must be what is compiled and run here. */
class ReadmeExampleTest {
  // In this source itself the line breaks are escapes, so that these are found where they stand.
  private static final String START = "    // README: start\n";
  private static final String END = "    // README: end\n";

  private static ExitStatus example() throws Exception {
    // README: start
    SandboxSpec spec = SandboxSpec.builder().mounts(Preset.HOST.mounts(true)).build();
    try (Sandbox sandbox = Sandbox.compile(spec, Strategies.ALL)) {
      System.out.println(sandbox.choice().strategy().name());
      try (ChildProcess process = sandbox.start("sh", "-c", "ls /; exit 42")) {
        return process.waitFor();
      }
    }
    // README: end
  }

  @Test
  void runs() throws Exception {
    assertEquals(new ExitStatus.Exited(42), example());
  }

  @Test
  void isWhatTheReadmeShows() throws Exception {
    Path module = Path.of("").toAbsolutePath();
    Path source = module.resolve("src/test/java/dev/cloister/strategies/ReadmeExampleTest.java");
    String text = Files.readString(source);
    String example = text.substring(text.indexOf(START) + START.length(), text.indexOf(END));
    String unindented = example.indent(-4);
    String readme = Files.readString(module.resolveSibling("README.md"));
    assertTrue(readme.contains(unindented), () -> "the README lacks:\n" + unindented);
  }
}
