package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The cache that makes starts quick. Without a good one all works, so nothing else would tell. */
final class StartCacheIT {
  /** What the script trains the JVM's cache with runs in a subshell of a subshell. */
  @Test
  void theCacheKnowsWhatARunNeeds() throws IOException {
    Path cache = cache();
    String classes = new String(Files.readAllBytes(cache), StandardCharsets.ISO_8859_1);
    // Used only once a launcher is being made; a run that fails before never loads it.
    assertTrue(classes.contains("dev/cloister/machine/ElfImage"), cache::toString);
  }

  /** There is one for each JVM; this installation has known one only. */
  private static Path cache() throws IOException {
    Path dist = Installation.HOME.resolve("cli/target/dist");
    try (DirectoryStream<Path> caches = Files.newDirectoryStream(dist, "aot-*")) {
      for (Path cache : caches) {
        return cache;
      }
    }
    Required.that(false, "a cache, which is made where the JVM can");
    return dist;
  }
}
