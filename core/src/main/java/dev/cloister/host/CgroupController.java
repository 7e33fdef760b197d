package dev.cloister.host;

import java.util.Locale;

/** What a cgroup v2 can limit (cgroups(7)). */
public enum CgroupController {
  MEMORY,
  PIDS,
  CPU;

  /** As the kernel calls it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
