package dev.cloister.seccomp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.seccomp.SystemCallTable.Row;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every decision of the profile for both architectures, by a machine that runs it. */
class DefaultProfileTest {
  private static final int ALLOW = 0x7fff0000;
  private static final int KILL_PROCESS = 0x80000000;
  private static final int I386 = 0x40000003;

  private static int error(Errno errno) {
    return 0x50000 | errno.number();
  }

  private static final int EPERM = error(Errno.EPERM);
  private static final int ENOSYS = error(Errno.ENOSYS);

  private static int audit(Architecture architecture) {
    return switch (architecture) {
      case X86_64 -> 0xc000003e;
      case AARCH64 -> 0xc00000b7;
    };
  }

  /** The profile for an architecture, and the numbers of its calls. */
  private static final class Profile {
    private final Architecture architecture;
    private final byte[] program;
    private final Map<String, OptionalInt> numbers = new HashMap<>();

    private Profile(Architecture architecture) {
      this.architecture = architecture;
      this.program = DefaultProfile.INSTANCE.instructions(architecture);
      for (Row row : SystemCallTable.rows()) {
        numbers.put(row.name(), row.number(architecture));
      }
    }

    static Profile of(Architecture architecture) {
      return new Profile(architecture);
    }

    OptionalInt number(String name) {
      OptionalInt number = numbers.get(name);
      if (number == null) {
        throw new AssertionError("not in the table: " + name);
      }
      return number;
    }

    Map<String, OptionalInt> numbers() {
      return numbers;
    }

    byte[] program() {
      return program;
    }

    int answer(int number, long... arguments) {
      return BpfMachine.run(program, audit(architecture), number, arguments).value();
    }

    int answer(String name, long... arguments) {
      return answer(number(name).orElseThrow(), arguments);
    }

    boolean has(String name) {
      return number(name).isPresent();
    }
  }

  @ParameterizedTest
  @EnumSource
  void theKernelTakesIt(Architecture architecture) throws MalformedFilterException {
    BpfCheck.check(DefaultProfile.INSTANCE.instructions(architecture));
  }

  /** Each call as the table says, whatever its arguments, where these do not matter. */
  @ParameterizedTest
  @EnumSource
  void answersEachCallAsTheTableSays(Architecture architecture) {
    Profile profile = Profile.of(architecture);
    for (Row row : SystemCallTable.rows()) {
      if (!profile.has(row.name())) {
        continue;
      }
      int expected =
          switch (row.verdict()) {
            case ALLOW -> ALLOW;
            case REFUSE -> EPERM;
            case UNKNOWN -> ENOSYS;
            case CLONE, UNSHARE, PERSONALITY, IOCTL, SOCKET -> -1;
          };
      if (expected != -1) {
        assertEquals(expected, profile.answer(row.name()), row.name());
        assertEquals(expected, profile.answer(row.name(), -1, -1, -1, -1, -1, -1), row.name());
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void doesNotKnowAnyOtherNumber(Architecture architecture) {
    Profile profile = Profile.of(architecture);
    for (int number = 0; number < 5000; number++) {
      if (!profile.numbers().containsValue(OptionalInt.of(number))) {
        assertEquals(ENOSYS, profile.answer(number), "call " + number);
      }
    }
    for (int number : new int[] {-1, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      assertEquals(ENOSYS, profile.answer(number), "call " + number);
    }
  }

  /** A second way into the same kernel. */
  @ParameterizedTest
  @EnumSource
  void doesNotKnowTheCallsOfX32(Architecture architecture) {
    Profile profile = Profile.of(architecture);
    for (int number = 0; number < 1000; number++) {
      assertEquals(ENOSYS, profile.answer(0x40000000 | number), "call " + number);
    }
  }

  @ParameterizedTest
  @EnumSource
  void killsWhatSpeaksAnotherArchitecture(Architecture architecture) {
    byte[] program = DefaultProfile.INSTANCE.instructions(architecture);
    for (Architecture other : Architecture.values()) {
      int expected = other == architecture ? ALLOW : KILL_PROCESS;
      int read = Profile.of(other).number("read").orElseThrow();
      assertEquals(expected, BpfMachine.run(program, audit(other), read).value());
    }
    assertEquals(KILL_PROCESS, BpfMachine.run(program, I386, 3).value());
    assertEquals(KILL_PROCESS, BpfMachine.run(program, 0, 0).value());
  }

  /** Written down once more, so that a slip in the table shows. */
  @ParameterizedTest
  @EnumSource
  void refusesWhatIsDangerous(Architecture architecture) {
    Profile profile = Profile.of(architecture);
    String dangerous =
        "mount umount2 pivot_root chroot setns open_tree move_mount fsopen fsconfig fsmount fspick"
            + " mount_setattr open_tree_attr add_key request_key keyctl bpf perf_event_open"
            + " userfaultfd ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd"
            + " kcmp kexec_load kexec_file_load init_module finit_module delete_module"
            + " open_by_handle_at reboot swapon swapoff quotactl quotactl_fd acct settimeofday"
            + " clock_settime iopl ioperm modify_ldt io_uring_setup io_uring_enter"
            + " io_uring_register sethostname setdomainname syslog vhangup fanotify_init";
    for (String name : dangerous.split(" ", -1)) {
      if (profile.has(name)) {
        assertEquals(EPERM, profile.answer(name), name);
      }
    }
    assertEquals(ENOSYS, profile.answer("clone3"));
  }

  @ParameterizedTest
  @EnumSource
  void allowsWhatProgramsDo(Architecture architecture) {
    Profile profile = Profile.of(architecture);
    String usual =
        "read write openat close mmap mprotect munmap brk rt_sigaction rt_sigprocmask execve"
            + " execveat exit exit_group wait4 futex pipe2 dup3 fork vfork getdents64 newfstatat"
            + " statx fcntl prctl seccomp set_robust_list rseq prlimit64 getrandom sendmsg recvmsg"
            + " connect accept4 bind epoll_pwait eventfd2 timerfd_create inotify_init1 madvise"
            + " membarrier sched_getaffinity memfd_create landlock_create_ruleset openat2"
            + " close_range mknodat copy_file_range io_setup shmget mq_open";
    for (String name : usual.split(" ", -1)) {
      if (profile.has(name)) {
        assertEquals(ALLOW, profile.answer(name), name);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void cloneMakesProcessesAndThreadsOnly(Architecture architecture) {
    Profile profile = Profile.of(architecture);
    // fork(3), vfork(3), pthread_create(3), posix_spawn(3)
    for (long flags : new long[] {17, 0x1200011, 0x4111, 0x3d0f00}) {
      assertEquals(ALLOW, profile.answer("clone", flags), Long.toHexString(flags));
    }
    for (LinuxConstant flag : LinuxConstant.values()) {
      if (flag.name().startsWith("CLONE_NEW") && flag != LinuxConstant.CLONE_NEWTIME) {
        long value = flag.value(architecture);
        assertEquals(EPERM, profile.answer("clone", value | 17), flag.name());
        assertEquals(EPERM, profile.answer("clone", value | 1L << 32), flag.name());
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void unshareMakesNoNamespaces(Architecture architecture) {
    Profile profile = Profile.of(architecture);
    for (LinuxConstant flag :
        List.of(
            LinuxConstant.CLONE_FS,
            LinuxConstant.CLONE_FILES,
            LinuxConstant.CLONE_SYSVSEM,
            LinuxConstant.CLONE_VM,
            LinuxConstant.CLONE_SIGHAND,
            LinuxConstant.CLONE_THREAD)) {
      assertEquals(ALLOW, profile.answer("unshare", flag.value(architecture)), flag.name());
    }
    for (LinuxConstant flag : LinuxConstant.values()) {
      if (flag.name().startsWith("CLONE_NEW")) {
        long value = flag.value(architecture);
        assertEquals(EPERM, profile.answer("unshare", value), flag.name());
        assertEquals(EPERM, profile.answer("unshare", value | 0x400), flag.name());
      }
    }
    // What no kernel has yet.
    assertEquals(EPERM, profile.answer("unshare", 0x100000));
  }

  /** CVE-2019-10063: the kernel looks at the lower half only. */
  @ParameterizedTest
  @EnumSource
  void nothingIsTypedIntoTheTerminal(Architecture architecture) {
    Profile profile = Profile.of(architecture);
    for (long request : new long[] {0x5412, 0x541c}) {
      for (long high : new long[] {0, 1L << 32, 1L << 63, 0xffffffff00000000L}) {
        assertEquals(EPERM, profile.answer("ioctl", 0, request | high));
      }
    }
    // TCGETS, TIOCGWINSZ, FIONREAD, FICLONE; and those numbers in another argument.
    for (long request : new long[] {0x5401, 0x5413, 0x541b, 0x40049409}) {
      assertEquals(ALLOW, profile.answer("ioctl", 0x5412, request, 0x5412));
    }
  }

  @ParameterizedTest
  @EnumSource
  void onlyUsualSockets(Architecture architecture) {
    Profile profile = Profile.of(architecture);
    List<Long> usual = List.of(1L, 2L, 10L, 16L);
    for (String name : List.of("socket", "socketpair")) {
      for (long family = 0; family < 50; family++) {
        int expected = usual.contains(family) ? ALLOW : error(Errno.EAFNOSUPPORT);
        assertEquals(expected, profile.answer(name, family), name + " " + family);
      }
      // AF_VSOCK with bits that the kernel does not look at.
      assertEquals(error(Errno.EAFNOSUPPORT), profile.answer(name, 40 | 1L << 32));
    }
  }

  @ParameterizedTest
  @EnumSource
  void onlyUsualPersonalities(Architecture architecture) {
    Profile profile = Profile.of(architecture);
    for (long persona : new long[] {0, 8, 0x20000, 0x20008, 0xffffffffL}) {
      assertEquals(ALLOW, profile.answer("personality", persona), Long.toHexString(persona));
    }
    // ADDR_NO_RANDOMIZE, MMAP_PAGE_ZERO, READ_IMPLIES_EXEC, PER_SVR4
    for (long persona : new long[] {0x40000, 0x100000, 0x400000, 0x4100001}) {
      assertEquals(EPERM, profile.answer("personality", persona), Long.toHexString(persona));
    }
  }

  /** What a call costs where the kernel has no cache of what is always allowed. */
  @ParameterizedTest
  @EnumSource
  void decidesSoon(Architecture architecture) {
    Profile profile = Profile.of(architecture);
    for (OptionalInt number : profile.numbers().values()) {
      if (number.isPresent()) {
        int steps =
            BpfMachine.run(profile.program(), audit(architecture), number.getAsInt()).steps();
        assertTrue(steps <= 18, () -> "call " + number + ": " + steps);
      }
    }
    assertTrue(profile.program().length < 8 * 128, () -> "length " + profile.program().length);
  }
}
