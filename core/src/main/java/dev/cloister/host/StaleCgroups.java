package dev.cloister.host;

import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The cgroups of sandboxes whose waiting process was killed before it could remove them. */
public final class StaleCgroups {
  /** With the process id behind it, the name of a sandbox's cgroup. */
  public static final String PREFIX = "cloister-";

  private StaleCgroups() {}

  /**
   * Removes those in {@code directory} that are empty, and whose process is gone: one that lives
   * may be about to go into it. What cannot be removed is left.
   */
  public static void remove(OsString directory) {
    directory.toPath().ifPresent(path -> remove(path, Path.of("/proc")));
  }

  static void remove(Path directory, Path proc) {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(directory, PREFIX + "*")) {
      for (Path cgroup : all) {
        String pid = String.valueOf(cgroup.getFileName()).substring(PREFIX.length());
        if (!Files.exists(proc.resolve(pid)) && isEmpty(cgroup)) {
          removeTree(cgroup);
        }
      }
    } catch (IOException e) {
      // Whoever cannot look there cannot make a cgroup there either, and that step says so.
    }
  }

  private static boolean isEmpty(Path cgroup) {
    Optional<String> events = KernelFile.read(cgroup.resolve("cgroup.events"));
    return events.isPresent() && events.get().lines().anyMatch("populated 0"::equals);
  }

  /** The files of a cgroup go with it. */
  private static void removeTree(Path cgroup) throws IOException {
    try (DirectoryStream<Path> inside = Files.newDirectoryStream(cgroup, Files::isDirectory)) {
      for (Path each : inside) {
        removeTree(each);
      }
    }
    try {
      Files.delete(cgroup);
    } catch (IOException e) {
      // Somebody else's, or in use again.
    }
  }
}
