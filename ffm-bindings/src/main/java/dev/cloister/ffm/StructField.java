package dev.cloister.ffm;

/**
 * The fields of the structures in {@link LinuxStruct}, with their places in them. All are
 * little-endian.
 */
public enum StructField {
  OPEN_HOW_FLAGS(LinuxStruct.OPEN_HOW, "flags", 0, 8),
  OPEN_HOW_MODE(LinuxStruct.OPEN_HOW, "mode", 8, 8),
  OPEN_HOW_RESOLVE(LinuxStruct.OPEN_HOW, "resolve", 16, 8),

  MOUNT_ATTR_ATTR_SET(LinuxStruct.MOUNT_ATTR, "attr_set", 0, 8),
  MOUNT_ATTR_ATTR_CLR(LinuxStruct.MOUNT_ATTR, "attr_clr", 8, 8),
  MOUNT_ATTR_PROPAGATION(LinuxStruct.MOUNT_ATTR, "propagation", 16, 8),
  MOUNT_ATTR_USERNS_FD(LinuxStruct.MOUNT_ATTR, "userns_fd", 24, 8),

  STATX_MASK(LinuxStruct.STATX, "stx_mask", 0, 4),
  STATX_ATTRIBUTES(LinuxStruct.STATX, "stx_attributes", 8, 8),
  STATX_UID(LinuxStruct.STATX, "stx_uid", 20, 4),
  STATX_MODE(LinuxStruct.STATX, "stx_mode", 28, 2),
  STATX_INO(LinuxStruct.STATX, "stx_ino", 32, 8),
  STATX_DEV_MAJOR(LinuxStruct.STATX, "stx_dev_major", 136, 4),
  STATX_DEV_MINOR(LinuxStruct.STATX, "stx_dev_minor", 140, 4),
  STATX_MNT_ID(LinuxStruct.STATX, "stx_mnt_id", 144, 8),

  STATFS_TYPE(LinuxStruct.STATFS, "f_type", 0, 8),
  STATFS_FLAGS(LinuxStruct.STATFS, "f_flags", 80, 8),

  USER_CAP_HEADER_VERSION(LinuxStruct.USER_CAP_HEADER, "version", 0, 4),
  USER_CAP_HEADER_PID(LinuxStruct.USER_CAP_HEADER, "pid", 4, 4),

  USER_CAP_DATA_EFFECTIVE(LinuxStruct.USER_CAP_DATA, "effective", 0, 4),
  USER_CAP_DATA_PERMITTED(LinuxStruct.USER_CAP_DATA, "permitted", 4, 4),
  USER_CAP_DATA_INHERITABLE(LinuxStruct.USER_CAP_DATA, "inheritable", 8, 4),

  SOCK_FPROG_LEN(LinuxStruct.SOCK_FPROG, "len", 0, 2),
  SOCK_FPROG_FILTER(LinuxStruct.SOCK_FPROG, "filter", 8, 8),

  LANDLOCK_RULESET_HANDLED_ACCESS_FS(LinuxStruct.LANDLOCK_RULESET, "handled_access_fs", 0, 8),

  LANDLOCK_SCOPED_RULESET_HANDLED_ACCESS_FS(
      LinuxStruct.LANDLOCK_SCOPED_RULESET, "handled_access_fs", 0, 8),
  LANDLOCK_SCOPED_RULESET_HANDLED_ACCESS_NET(
      LinuxStruct.LANDLOCK_SCOPED_RULESET, "handled_access_net", 8, 8),
  LANDLOCK_SCOPED_RULESET_SCOPED(LinuxStruct.LANDLOCK_SCOPED_RULESET, "scoped", 16, 8),

  LANDLOCK_PATH_BENEATH_ALLOWED_ACCESS(LinuxStruct.LANDLOCK_PATH_BENEATH, "allowed_access", 0, 8),
  LANDLOCK_PATH_BENEATH_PARENT_FD(LinuxStruct.LANDLOCK_PATH_BENEATH, "parent_fd", 8, 4),

  CLONE_ARGS_FLAGS(LinuxStruct.CLONE_ARGS, "flags", 0, 8),
  CLONE_ARGS_PIDFD(LinuxStruct.CLONE_ARGS, "pidfd", 8, 8),
  CLONE_ARGS_EXIT_SIGNAL(LinuxStruct.CLONE_ARGS, "exit_signal", 32, 8),
  CLONE_ARGS_STACK(LinuxStruct.CLONE_ARGS, "stack", 40, 8),
  CLONE_ARGS_STACK_SIZE(LinuxStruct.CLONE_ARGS, "stack_size", 48, 8),

  KERNEL_SIGACTION_HANDLER(LinuxStruct.KERNEL_SIGACTION, "sa_handler", 0, 8),
  KERNEL_SIGACTION_FLAGS(LinuxStruct.KERNEL_SIGACTION, "sa_flags", 8, 8),
  KERNEL_SIGACTION_RESTORER(LinuxStruct.KERNEL_SIGACTION, "sa_restorer", 16, 8),
  KERNEL_SIGACTION_MASK(LinuxStruct.KERNEL_SIGACTION, "sa_mask", 24, 8),

  SIGNALFD_SIGINFO_SIGNO(LinuxStruct.SIGNALFD_SIGINFO, "ssi_signo", 0, 4),
  SIGNALFD_SIGINFO_ERRNO(LinuxStruct.SIGNALFD_SIGINFO, "ssi_errno", 4, 4),
  SIGNALFD_SIGINFO_CODE(LinuxStruct.SIGNALFD_SIGINFO, "ssi_code", 8, 4),
  SIGNALFD_SIGINFO_PID(LinuxStruct.SIGNALFD_SIGINFO, "ssi_pid", 12, 4),
  SIGNALFD_SIGINFO_UID(LinuxStruct.SIGNALFD_SIGINFO, "ssi_uid", 16, 4),
  SIGNALFD_SIGINFO_STATUS(LinuxStruct.SIGNALFD_SIGINFO, "ssi_status", 40, 4),

  SIGINFO_SIGNO(LinuxStruct.SIGINFO, "si_signo", 0, 4),
  SIGINFO_ERRNO(LinuxStruct.SIGINFO, "si_errno", 4, 4),
  SIGINFO_CODE(LinuxStruct.SIGINFO, "si_code", 8, 4),
  SIGINFO_PID(LinuxStruct.SIGINFO, "si_pid", 16, 4),
  SIGINFO_UID(LinuxStruct.SIGINFO, "si_uid", 20, 4),
  SIGINFO_STATUS(LinuxStruct.SIGINFO, "si_status", 24, 4),

  POLLFD_FD(LinuxStruct.POLLFD, "fd", 0, 4),
  POLLFD_EVENTS(LinuxStruct.POLLFD, "events", 4, 2),
  POLLFD_REVENTS(LinuxStruct.POLLFD, "revents", 6, 2),

  RLIMIT_CUR(LinuxStruct.RLIMIT, "rlim_cur", 0, 8),
  RLIMIT_MAX(LinuxStruct.RLIMIT, "rlim_max", 8, 8),

  RUSAGE_UTIME(LinuxStruct.RUSAGE, "ru_utime", 0, 16),
  RUSAGE_STIME(LinuxStruct.RUSAGE, "ru_stime", 16, 16),
  RUSAGE_MAXRSS(LinuxStruct.RUSAGE, "ru_maxrss", 32, 8),
  RUSAGE_MINFLT(LinuxStruct.RUSAGE, "ru_minflt", 64, 8),
  RUSAGE_MAJFLT(LinuxStruct.RUSAGE, "ru_majflt", 72, 8),
  RUSAGE_INBLOCK(LinuxStruct.RUSAGE, "ru_inblock", 88, 8),
  RUSAGE_OUBLOCK(LinuxStruct.RUSAGE, "ru_oublock", 96, 8),
  RUSAGE_NVCSW(LinuxStruct.RUSAGE, "ru_nvcsw", 128, 8),
  RUSAGE_NIVCSW(LinuxStruct.RUSAGE, "ru_nivcsw", 136, 8),

  TIMEVAL_SEC(LinuxStruct.TIMEVAL, "tv_sec", 0, 8),
  TIMEVAL_USEC(LinuxStruct.TIMEVAL, "tv_usec", 8, 8),

  TIMESPEC_SEC(LinuxStruct.TIMESPEC, "tv_sec", 0, 8),
  TIMESPEC_NSEC(LinuxStruct.TIMESPEC, "tv_nsec", 8, 8),

  ITIMERSPEC_INTERVAL(LinuxStruct.ITIMERSPEC, "it_interval", 0, 16),
  ITIMERSPEC_VALUE(LinuxStruct.ITIMERSPEC, "it_value", 16, 16),

  MSGHDR_IOV(LinuxStruct.MSGHDR, "msg_iov", 16, 8),
  MSGHDR_IOVLEN(LinuxStruct.MSGHDR, "msg_iovlen", 24, 8),
  MSGHDR_CONTROL(LinuxStruct.MSGHDR, "msg_control", 32, 8),
  MSGHDR_CONTROLLEN(LinuxStruct.MSGHDR, "msg_controllen", 40, 8),

  IOVEC_BASE(LinuxStruct.IOVEC, "iov_base", 0, 8),
  IOVEC_LEN(LinuxStruct.IOVEC, "iov_len", 8, 8),

  CMSGHDR_LEN(LinuxStruct.CMSGHDR, "cmsg_len", 0, 8),
  CMSGHDR_LEVEL(LinuxStruct.CMSGHDR, "cmsg_level", 8, 4),
  CMSGHDR_TYPE(LinuxStruct.CMSGHDR, "cmsg_type", 12, 4),

  IFREQ_NAME(LinuxStruct.IFREQ, "ifr_name", 0, 16),
  IFREQ_FLAGS(LinuxStruct.IFREQ, "ifr_flags", 16, 2);

  private final LinuxStruct struct;
  private final String cName;
  private final int offset;
  private final int size;

  StructField(LinuxStruct struct, String cName, int offset, int size) {
    this.struct = struct;
    this.cName = cName;
    this.offset = offset;
    this.size = size;
  }

  /** The structure this is a field of. */
  public LinuxStruct struct() {
    return struct;
  }

  /** The field as C names it, for example {@code resolve}. */
  public String cName() {
    return cName;
  }

  /** {@code offsetof} in bytes from the start of the structure. */
  public int offset() {
    return offset;
  }

  /** {@code sizeof} in bytes. */
  public int size() {
    return size;
  }
}
