package dev.cloister.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

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

  /** The supplementary groups: getgroups(2). */
  public static List<Long> groups() throws LinuxException {
    int count = (int) getGroups(0, MemorySegment.NULL);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment list = arena.allocate(JAVA_INT, Math.max(count, 1));
      List<Long> groups = new ArrayList<>();
      long got = getGroups(count, list);
      for (int i = 0; i < got; i++) {
        groups.add(Integer.toUnsignedLong(list.getAtIndex(JAVA_INT, i)));
      }
      return groups;
    }
  }

  private static long getGroups(int size, MemorySegment list) throws LinuxException {
    return new KernelCall(SystemCall.GETGROUPS).number(size).memory(list, "groups").run();
  }

  /**
   * Whether the supplementary groups may be set, found out by setting them to what they are:
   * setgroups(2). For the calling thread alone, as the system call itself does not know of others.
   */
  public static boolean maySetGroups() throws LinuxException {
    List<Long> groups = groups();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment list = arena.allocate(JAVA_INT, Math.max(groups.size(), 1));
      for (int i = 0; i < groups.size(); i++) {
        list.setAtIndex(JAVA_INT, i, groups.get(i).intValue());
      }
      new KernelCall(SystemCall.SETGROUPS).number(groups.size()).memory(list, "groups").run();
      return true;
    } catch (LinuxException e) {
      if (e.is(Errno.EPERM)) {
        return false;
      }
      throw e;
    }
  }

  /** The effective capabilities, one bit each: capget(2). */
  public static long capabilities() throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      Structure header = Structure.allocate(arena, LinuxStruct.USER_CAP_HEADER);
      header.set(
          StructField.USER_CAP_HEADER_VERSION,
          LinuxConstant._LINUX_CAPABILITY_VERSION_3.value(KernelCall.HOST));
      int size = LinuxStruct.USER_CAP_DATA.size();
      MemorySegment sets = arena.allocate(2L * size, LinuxStruct.USER_CAP_DATA.alignment());
      new KernelCall(SystemCall.CAPGET)
          .memory(header.memory(), "header")
          .memory(sets, "data")
          .run();
      long low = new Structure(sets).get(StructField.USER_CAP_DATA_EFFECTIVE);
      long high = new Structure(sets.asSlice(size)).get(StructField.USER_CAP_DATA_EFFECTIVE);
      return high << Integer.SIZE | Integer.toUnsignedLong((int) low);
    }
  }

  /** Whether this process has given up getting privileges by execve(2): prctl(2). */
  public static boolean noNewPrivs() throws LinuxException {
    return new KernelCall(SystemCall.PRCTL)
            .flags(LinuxConstant.PR_GET_NO_NEW_PRIVS)
            .number(0)
            .number(0)
            .number(0)
            .number(0)
            .run()
        == 1;
  }
}
