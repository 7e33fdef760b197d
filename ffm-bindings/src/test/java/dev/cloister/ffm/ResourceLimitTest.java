package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.RLIMIT_CORE;
import static dev.cloister.ffm.LinuxConstant.RLIMIT_NOFILE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ResourceLimitTest {
  @Test
  void isTheKernels() throws Exception {
    ResourceLimit limit = ResourceLimit.of(RLIMIT_NOFILE);
    assertEquals(limits("Max open files"), List.of(text(limit.soft()), text(limit.hard())));
  }

  @Test
  void canBeChanged() throws Exception {
    ResourceLimit before = ResourceLimit.of(RLIMIT_CORE);
    ResourceLimit lower = new ResourceLimit(0, before.hard());
    lower.apply(RLIMIT_CORE);
    try {
      assertEquals(lower, ResourceLimit.of(RLIMIT_CORE));
      assertEquals(limits("Max core file size"), List.of("0", text(before.hard())));
    } finally {
      before.apply(RLIMIT_CORE);
    }
    assertEquals(before, ResourceLimit.of(RLIMIT_CORE));
  }

  @Test
  void refusesMoreThanTheHardLimit() {
    LinuxException e =
        assertThrows(LinuxException.class, () -> new ResourceLimit(20, 10).apply(RLIMIT_NOFILE));
    assertEquals(
        "prlimit64(0, RLIMIT_NOFILE, {20, 10}, NULL): EINVAL (Invalid argument)", e.getMessage());
  }

  private static List<String> limits(String name) throws Exception {
    return Files.readAllLines(Path.of("/proc/self/limits")).stream()
        .filter(line -> line.startsWith(name))
        .map(line -> line.substring(name.length()).strip().split(" +", -1))
        .map(words -> List.of(words[0], words[1]))
        .findAny()
        .orElseThrow();
  }

  private static String text(long value) {
    return value == -1 ? "unlimited" : Long.toString(value);
  }
}
