package dev.cloister.ffm;

import java.util.Locale;

/**
 * The system calls, with their numbers on each architecture.
 *
 * <p>Only calls that every {@link Architecture} has are here: {@code open}, {@code mkdir}, {@code
 * fork} and other old ones have no number on aarch64, where {@code openat}, {@code mkdirat} and
 * {@code clone} do their work. The numbers are literals, for the reason that {@link LinuxConstant}
 * gives.
 */
public enum SystemCall {
  BIND(49, 200),
  BRK(12, 214),
  CAPGET(125, 90),
  CAPSET(126, 91),
  CHDIR(80, 49),
  CHROOT(161, 51),
  CLOCK_GETTIME(228, 113),
  CLOCK_NANOSLEEP(230, 115),
  CLONE(56, 220),
  CLONE3(435, 435),
  CLOSE(3, 57),
  CLOSE_RANGE(436, 436),
  CONNECT(42, 203),
  COPY_FILE_RANGE(326, 285),
  DUP3(292, 24),
  EPOLL_CREATE1(291, 20),
  EPOLL_CTL(233, 21),
  EPOLL_PWAIT(281, 22),
  EVENTFD2(290, 19),
  EXECVE(59, 221),
  EXECVEAT(322, 281),
  EXIT(60, 93),
  EXIT_GROUP(231, 94),
  FACCESSAT(269, 48),
  FACCESSAT2(439, 439),
  FALLOCATE(285, 47),
  FCHDIR(81, 50),
  FCHMOD(91, 52),
  FCHMODAT(268, 53),
  FCHOWN(93, 55),
  FCHOWNAT(260, 54),
  FCNTL(72, 25),
  FLOCK(73, 32),
  FSCONFIG(431, 431),
  FSMOUNT(432, 432),
  FSOPEN(430, 430),
  FSPICK(433, 433),
  FSTAT(5, 80),
  FSTATFS(138, 44),
  FSYNC(74, 82),
  FTRUNCATE(77, 46),
  GETCWD(79, 17),
  GETDENTS64(217, 61),
  GETEGID(108, 177),
  GETEUID(107, 175),
  GETGID(104, 176),
  GETGROUPS(115, 158),
  GETPGID(121, 155),
  GETPID(39, 172),
  GETPPID(110, 173),
  GETRANDOM(318, 278),
  GETRESGID(120, 150),
  GETRESUID(118, 148),
  GETRLIMIT(97, 163),
  GETSID(124, 156),
  GETTID(186, 178),
  GETUID(102, 174),
  IOCTL(16, 29),
  KILL(62, 129),
  LANDLOCK_ADD_RULE(445, 445),
  LANDLOCK_CREATE_RULESET(444, 444),
  LANDLOCK_RESTRICT_SELF(446, 446),
  LINKAT(265, 37),
  LSEEK(8, 62),
  MEMFD_CREATE(319, 279),
  MKDIRAT(258, 34),
  MKNODAT(259, 33),
  MMAP(9, 222),
  MOUNT(165, 40),
  MOUNT_SETATTR(442, 442),
  MOVE_MOUNT(429, 429),
  MPROTECT(10, 226),
  MUNMAP(11, 215),
  NANOSLEEP(35, 101),
  NEWFSTATAT(262, 79),
  OPEN_TREE(428, 428),
  OPENAT(257, 56),
  OPENAT2(437, 437),
  PIDFD_GETFD(438, 438),
  PIDFD_OPEN(434, 434),
  PIDFD_SEND_SIGNAL(424, 424),
  PIPE2(293, 59),
  PIVOT_ROOT(155, 41),
  PPOLL(271, 73),
  PRCTL(157, 167),
  PREAD64(17, 67),
  PRLIMIT64(302, 261),
  PWRITE64(18, 68),
  READ(0, 63),
  READLINKAT(267, 78),
  READV(19, 65),
  RECVFROM(45, 207),
  RECVMSG(47, 212),
  RENAMEAT2(316, 276),
  RT_SIGACTION(13, 134),
  RT_SIGPENDING(127, 136),
  RT_SIGPROCMASK(14, 135),
  RT_SIGRETURN(15, 139),
  RT_SIGSUSPEND(130, 133),
  RT_SIGTIMEDWAIT(128, 137),
  SCHED_YIELD(24, 124),
  SECCOMP(317, 277),
  SENDFILE(40, 71),
  SENDMSG(46, 211),
  SENDTO(44, 206),
  SETDOMAINNAME(171, 162),
  SETFSGID(123, 152),
  SETFSUID(122, 151),
  SETGID(106, 144),
  SETGROUPS(116, 159),
  SETHOSTNAME(170, 161),
  SETNS(308, 268),
  SETPGID(109, 154),
  SETREGID(114, 143),
  SETRESGID(119, 149),
  SETRESUID(117, 147),
  SETREUID(113, 145),
  SETRLIMIT(160, 164),
  SETSID(112, 157),
  SETUID(105, 146),
  SIGNALFD4(289, 74),
  SOCKET(41, 198),
  SOCKETPAIR(53, 199),
  SPLICE(275, 76),
  STATFS(137, 43),
  STATX(332, 291),
  SYMLINKAT(266, 36),
  TGKILL(234, 131),
  TIMERFD_CREATE(283, 85),
  TIMERFD_SETTIME(286, 86),
  TKILL(200, 130),
  TRUNCATE(76, 45),
  UMASK(95, 166),
  UMOUNT2(166, 39),
  UNLINKAT(263, 35),
  UNSHARE(272, 97),
  UTIMENSAT(280, 88),
  WAIT4(61, 260),
  WAITID(247, 95),
  WRITE(1, 64),
  WRITEV(20, 66);

  private final int x8664;
  private final int aarch64;

  SystemCall(int x8664, int aarch64) {
    this.x8664 = x8664;
    this.aarch64 = aarch64;
  }

  /** The number to put into the system-call register. */
  public int number(Architecture architecture) {
    return switch (architecture) {
      case X86_64 -> x8664;
      case AARCH64 -> aarch64;
    };
  }

  /** The name of the call as its manual page has it, for example {@code mount_setattr}. */
  public String cName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
