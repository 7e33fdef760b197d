package dev.cloister.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class IdentityTest {
  @Test
  void isTheKernels() throws Exception {
    Identity identity = Identity.current();
    assertEquals(ids("Uid:"), List.of(identity.user(), identity.effectiveUser()));
    assertEquals(ids("Gid:"), List.of(identity.group(), identity.effectiveGroup()));
  }

  private static List<Long> ids(String name) throws Exception {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith(name))
        .map(line -> line.split("\t", -1))
        .map(words -> List.of(Long.valueOf(words[1]), Long.valueOf(words[2])))
        .findAny()
        .orElseThrow();
  }
}
