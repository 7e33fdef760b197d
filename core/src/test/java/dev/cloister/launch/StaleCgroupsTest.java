package dev.cloister.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Which are tried; that the kernel removes a cgroup together with its files is shown in a guest.
 */
class StaleCgroupsTest {
  @TempDir Path directory;

  /** Of paper, so its file must be put where it is no obstacle. */
  private Path cgroup(String name, int populated) throws IOException {
    Path cgroup = Files.createDirectories(directory.resolve(name));
    Files.writeString(cgroup.resolve("cgroup.events"), "frozen 0\npopulated " + populated + "\n");
    return cgroup;
  }

  /** A directory in each shows that it was tried: it is removed, unlike that with a file. */
  private List<String> tried(Path proc) throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      List<Path> cgroups = all.filter(Files::isDirectory).sorted().toList();
      for (Path cgroup : cgroups) {
        Files.createDirectories(cgroup.resolve("sandbox"));
      }
      StaleCgroups.remove(directory, proc);
      return cgroups.stream()
          .filter(cgroup -> !Files.exists(cgroup.resolve("sandbox")))
          .map(cgroup -> String.valueOf(cgroup.getFileName()))
          .toList();
    }
  }

  @Test
  void areEmptyOnesOfOursWhoseProcessIsGone() throws IOException {
    Path proc = Files.createDirectories(directory.resolve("proc"));
    Files.createDirectories(proc.resolve("7"));
    cgroup("cloister-5", 0);
    cgroup("cloister-6", 1);
    cgroup("cloister-7", 0);
    cgroup("other-5", 0);
    Files.createDirectories(directory.resolve("cloister-8"));
    assertEquals(List.of("cloister-5"), tried(proc));
  }

  @Test
  void areNoneWhereNobodyCanLook() {
    Path missing = directory.resolve("missing");
    StaleCgroups.remove(missing, missing);
    assertFalse(Files.exists(missing));
  }
}
