package dev.cloister.ffm;

/**
 * The C structures that programs encode or decode byte by byte; {@link StructField} has their
 * fields.
 *
 * <p>The numbers are literals, for the reason {@link LinuxConstant} gives. Both architectures have
 * 64-bit longs and pointers in little-endian order, and the kernel lays these structures out alike
 * on them; a test compares every number with the bindings and the C headers of both.
 */
public enum LinuxStruct {
  /** {@code openat2(2)}. */
  OPEN_HOW("struct open_how", 24, 8),

  /** {@code mount_setattr(2)}. */
  MOUNT_ATTR("struct mount_attr", 32, 8),

  /** {@code statx(2)}; only the fields that need no further call. */
  STATX("struct statx", 256, 8),

  /** {@code statfs(2)}; only the kind of file system and its flags. */
  STATFS("struct statfs", 120, 8),

  /** {@code capset(2)}. */
  USER_CAP_HEADER("struct __user_cap_header_struct", 8, 4),

  /** {@code capset(2)}, which takes two of them for version 3. */
  USER_CAP_DATA("struct __user_cap_data_struct", 12, 4),

  /** {@code seccomp(2)}. */
  SOCK_FPROG("struct sock_fprog", 16, 8),

  /** {@code landlock_create_ruleset(2)}; as in its first version. */
  LANDLOCK_RULESET("struct landlock_ruleset_attr", 8, 8),

  /** {@code landlock_create_ruleset(2)}; as since Linux 6.12. */
  LANDLOCK_SCOPED_RULESET("struct landlock_scoped_ruleset_attr", 24, 8),

  /** {@code landlock_add_rule(2)}. */
  LANDLOCK_PATH_BENEATH("struct landlock_path_beneath_attr", 12, 1),

  /** {@code clone3(2)}, as since Linux 5.7; without the fields for threads, ids and cgroups. */
  CLONE_ARGS("struct clone_args", 88, 8),

  /** {@code rt_sigaction(2)}: the kernel's own, not that of {@code sigaction(3)}. */
  KERNEL_SIGACTION("struct sigaction", 32, 8),

  /** What {@code signalfd(2)} gives to read. */
  SIGNALFD_SIGINFO("struct signalfd_siginfo", 128, 8),

  /** {@code waitid(2)}; only the fields of a child that ended. */
  SIGINFO("siginfo_t", 128, 8),

  /** {@code poll(2)}. */
  POLLFD("struct pollfd", 8, 4),

  /** {@code prlimit(2)}, {@code getrlimit(2)}. */
  RLIMIT("struct rlimit", 16, 8),

  /** {@code getrusage(2)}, and {@code waitid(2)} as the kernel has it. */
  RUSAGE("struct rusage", 144, 8),

  /** The times of {@link #RUSAGE}. */
  TIMEVAL("struct timeval", 16, 8),

  /** {@code clock_nanosleep(2)}, {@code ppoll(2)}. */
  TIMESPEC("struct timespec", 16, 8),

  /** {@code timerfd_settime(2)}; two of {@link #TIMESPEC}. */
  ITIMERSPEC("struct itimerspec", 32, 8),

  /** {@code sendmsg(2)}, {@code recvmsg(2)}. */
  MSGHDR("struct msghdr", 56, 8),

  /** The parts of a {@link #MSGHDR}'s data. */
  IOVEC("struct iovec", 16, 8),

  /** {@code cmsg(3)}: what is before each piece of a {@link #MSGHDR}'s control data. */
  CMSGHDR("struct cmsghdr", 16, 8),

  /** {@code netdevice(7)}; only the fields of {@code SIOCSIFFLAGS}. */
  IFREQ("struct ifreq", 40, 8);

  private final String cName;
  private final int size;
  private final int alignment;

  LinuxStruct(String cName, int size, int alignment) {
    this.cName = cName;
    this.size = size;
    this.alignment = alignment;
  }

  /** The type as C names it, for example {@code struct open_how}. */
  public String cName() {
    return cName;
  }

  /** {@code sizeof} in bytes. */
  public int size() {
    return size;
  }

  /** {@code alignof} in bytes. */
  public int alignment() {
    return alignment;
  }
}
