package dev.cloister.launch;

import dev.cloister.host.CgroupPlace;
import dev.cloister.host.HostReport;
import dev.cloister.host.KernelFile;
import dev.cloister.recipe.Cgroup;
import dev.cloister.spec.Limits;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The cgroups of sandboxes whose waiting process was killed before it could remove them. */
public final class StaleCgroups {
  private StaleCgroups() {}

  /** Removes them where a sandbox with such limits would have its own. */
  public static void removeFor(Limits limits, HostReport host) {
    if (limits.needCgroup()
        && host.allowance().cgroup(Cgroup.controllers(limits)) instanceof CgroupPlace.Found found) {
      found.directory().toPath().ifPresent(path -> remove(path, Path.of("/proc")));
    }
  }

  /**
   * Removes those in {@code directory} that are empty, and whose process is gone: one that lives
   * may be about to go into it. What cannot be removed is left.
   */
  static void remove(Path directory, Path proc) {
    try (DirectoryStream<Path> all =
        Files.newDirectoryStream(directory, Cgroup.NAME_PREFIX + "*")) {
      for (Path cgroup : all) {
        String pid = String.valueOf(cgroup.getFileName()).substring(Cgroup.NAME_PREFIX.length());
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
