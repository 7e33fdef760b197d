package dev.cloister.host;

import java.util.Locale;
import java.util.Set;

/** What a cgroup v2 can limit (cgroups(7)). */
public enum CgroupController {
  MEMORY,
  PIDS,
  CPU;

  /** As the kernel calls it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Those of a set in their own order, each behind {@code prefix}. */
  public static String words(Set<CgroupController> controllers, String prefix) {
    StringBuilder words = new StringBuilder();
    for (CgroupController controller : values()) {
      if (controllers.contains(controller)) {
        words.append(words.isEmpty() ? "" : " ").append(prefix).append(controller.word());
      }
    }
    return words.toString();
  }
}
