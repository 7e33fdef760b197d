package dev.cloister.host;

import dev.cloister.spec.OsString;
import java.util.List;
import java.util.Set;

/** Whether and where a cgroup of the sandbox's own can be made. */
public sealed interface CgroupPlace {
  /**
   * There.
   *
   * @param directory in which to make it
   * @param mounts where that hierarchy is mounted, wholly or in part
   * @param missing controllers that must be enabled there before
   */
  record Found(OsString directory, List<OsString> mounts, Set<CgroupController> missing)
      implements CgroupPlace {
    public Found {
      mounts = List.copyOf(mounts);
      missing = Set.copyOf(missing);
    }
  }

  /**
   * Nowhere.
   *
   * @param reason names what is missing where
   * @param remedy what would help
   */
  record Refused(String reason, String remedy) implements CgroupPlace {}
}
