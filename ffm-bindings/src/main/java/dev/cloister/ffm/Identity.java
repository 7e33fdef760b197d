package dev.cloister.ffm;

/**
 * Who this process runs as. Ids are unsigned 32-bit numbers.
 *
 * @param user the real user id
 * @param effectiveUser the one that decides what is permitted; another than {@code user} in a
 *     set-user-ID program
 * @param group the real group id
 * @param effectiveGroup the one that decides what is permitted
 */
public record Identity(long user, long effectiveUser, long group, long effectiveGroup) {
  /** Asks the kernel: getuid(2), geteuid(2), getgid(2), getegid(2). */
  public static Identity current() throws LinuxException {
    return new Identity(
        id(SystemCall.GETUID),
        id(SystemCall.GETEUID),
        id(SystemCall.GETGID),
        id(SystemCall.GETEGID));
  }

  private static long id(SystemCall call) throws LinuxException {
    return new KernelCall(call).run();
  }
}
