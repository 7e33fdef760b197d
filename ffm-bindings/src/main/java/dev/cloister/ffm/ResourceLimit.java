package dev.cloister.ffm;

import java.lang.foreign.Arena;

/**
 * A limit on what a process may use (getrlimit(2)), in the unit of the resource.
 *
 * @param soft what is enforced; -1 for no limit
 * @param hard what an unprivileged process may raise {@code soft} to; -1 for no limit
 */
public record ResourceLimit(long soft, long hard) {
  /**
   * The limit of this process: prlimit(2).
   *
   * @param resource such as {@link LinuxConstant#RLIMIT_NOFILE}
   */
  public static ResourceLimit of(LinuxConstant resource) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      Structure limit = Structure.allocate(arena, LinuxStruct.RLIMIT);
      prlimit(resource).nullPointer().memory(limit.memory(), "limit").run();
      return new ResourceLimit(
          limit.get(StructField.RLIMIT_CUR), limit.get(StructField.RLIMIT_MAX));
    }
  }

  /**
   * Makes this the limit of this process, the whole JVM: prlimit(2).
   *
   * @throws LinuxException with EPERM if it raises the hard limit without the privilege, with
   *     EINVAL if {@code soft} is above {@code hard}
   */
  public void apply(LinuxConstant resource) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      Structure limit = Structure.allocate(arena, LinuxStruct.RLIMIT);
      limit.set(StructField.RLIMIT_CUR, soft);
      limit.set(StructField.RLIMIT_MAX, hard);
      String text = "{" + Long.toUnsignedString(soft) + ", " + Long.toUnsignedString(hard) + "}";
      prlimit(resource).memory(limit.memory(), text).nullPointer().run();
    }
  }

  private static KernelCall prlimit(LinuxConstant resource) {
    return new KernelCall(SystemCall.PRLIMIT64).number(0).flags(resource);
  }
}
