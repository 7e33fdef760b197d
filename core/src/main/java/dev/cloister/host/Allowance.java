package dev.cloister.host;

import dev.cloister.ffm.LinuxConstant;
import java.util.OptionalLong;
import java.util.Set;

/** What the caller may use of the machine, and hand on less of. Asked only where a limit is. */
public interface Allowance {
  /** A host of which nothing is known. */
  Allowance UNKNOWN =
      new Allowance() {
        @Override
        public OptionalLong hardLimit(LinuxConstant resource) {
          return OptionalLong.empty();
        }

        @Override
        public CgroupPlace cgroup(Set<CgroupController> controllers) {
          return new CgroupPlace.Refused("no cgroup was looked for", "nothing");
        }
      };

  /** The hard limit on {@code RLIMIT_...}, unsigned, if it is known. */
  OptionalLong hardLimit(LinuxConstant resource);

  /** Where a cgroup with these controllers can be made. */
  CgroupPlace cgroup(Set<CgroupController> controllers);
}
