package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Required;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Seccomp filters through the command line: the caller's own and the default profile. */
final class SeccompIT {
  private static final Path CALLS = CProgram.compile("calls");
  private static final String[] PROFILE = {"--seccomp-profile", "default"};

  /** Where the program that makes calls is in a sandbox. */
  private static final String[] WITH_CALLS = {
    "--preset", "host", "--ro-bind", CALLS.toString(), "/calls"
  };

  /** Above those that a shell uses itself. */
  private static final String FD = "9";

  private static final int KILL_PROCESS = 0x80000000;
  private static final int ALLOW = 0x7fff0000;

  private static int error(Errno errno) {
    return 0x50000 | errno.number();
  }

  private static ByteBuffer code(int instructions) {
    return ByteBuffer.allocate(8 * instructions).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** A filter with one answer to everything. */
  private static byte[] always(int answer) {
    return code(1).putInt(0x06).putInt(answer).array();
  }

  /** A filter with this answer to one call, which allows all others. */
  private static byte[] to(SystemCall call, int answer) {
    return to(call.number(Architecture.host()), answer);
  }

  /** As {@link #to}; the calls that programs are made of lack uname(2) and times(2). */
  private static byte[] to(int number, int answer) {
    return code(4)
        .putInt(0x20)
        .putInt(0)
        .putInt(0x0100_0015)
        .putInt(number)
        .putInt(0x06)
        .putInt(answer)
        .putInt(0x06)
        .putInt(ALLOW)
        .array();
  }

  private static byte[] uname(Errno errno) {
    return to(onHost(63, 160), error(errno));
  }

  private static byte[] times(Errno errno) {
    return to(onHost(100, 153), error(errno));
  }

  private static int onHost(int x86, int aarch) {
    return switch (Architecture.host()) {
      case X86_64 -> x86;
      case AARCH64 -> aarch;
    };
  }

  private static Path file(CallingUser user, byte[] filter) {
    try {
      Path file = user.work().resolve("filter");
      return user.give(Files.write(file, filter));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A call of Cloister after a shell has done something to its descriptors. */
  private static Call after(CallingUser user, String redirections, String... words) {
    return user.call(
            Required.program("bash"), "-c", "exec " + redirections + "; exec \"$@\"", "bash")
        .and(Installation.SCRIPT.toString())
        .and(words);
  }

  private static Call run(Setting setting, String redirections, String... options) {
    return after(setting.user(), redirections, setting.words("run", options)).and(WITH_CALLS);
  }

  private static Call profiled(Setting setting) {
    return setting.run(PROFILE).and(WITH_CALLS);
  }

  // The default profile.

  @EverySetting
  void withoutOptionsThereIsNoFilter(Setting setting) {
    setting
        .run("--seccomp-profile", "default", "--seccomp-profile", "none")
        .script("cat /proc/self/status")
        .run()
        .exits(0)
        .assertLine("Seccomp:\t0");
    setting.run(PROFILE).script("cat /proc/self/status").run().assertLine("Seccomp:\t2");
  }

  private static String each(List<String> calls) {
    // Each in a process of its own: some change what the next can do.
    return "for call in " + String.join(" ", calls) + "; do /calls $call; done";
  }

  private static void assertAnswers(
      Setting setting, Errno errno, List<String> calls, boolean otherwise) {
    for (String line : profiled(setting).script(each(calls)).run().exits(0).lines()) {
      assertTrue(line.endsWith(" " + errno.number()), line);
    }
    // The positive control: without the profile, the kernel says something else to each.
    for (String line : setting.run(WITH_CALLS).script(each(calls)).run().exits(0).lines()) {
      assertEquals(otherwise, !line.endsWith(" " + errno.number()), line);
    }
  }

  @EverySetting
  void theProfileRefusesWhatIsDangerous(Setting setting) {
    List<String> calls =
        new ArrayList<>(
            List.of(
                "mount",
                "open_tree",
                "setns",
                "unshare_user",
                "clone_user",
                "add_key",
                "request_key",
                "keyctl",
                "perf_event_open",
                "userfaultfd",
                "io_uring_enter",
                "ptrace",
                "process_vm_readv",
                "pidfd_getfd",
                "no_random"));
    assertAnswers(setting, Errno.EPERM, calls, true);
  }

  @EverySetting
  void theProfileHidesWhatProgramsCanDoWithout(Setting setting) {
    assertAnswers(setting, Errno.ENOSYS, List.of("clone3"), true);
    assertAnswers(setting, Errno.ENOSYS, List.of("next_year"), false);
    assertAnswers(setting, Errno.EAFNOSUPPORT, List.of("socket_vsock"), true);
  }

  @EverySetting
  void theProfileAllowsWhatIsHarmless(Setting setting) {
    List<String> calls =
        List.of(
            "uname",
            "times",
            "unshare_files",
            "clone",
            "personality",
            "socket_unix",
            "socket_inet",
            "socket_netlink");
    for (String line : profiled(setting).script(each(calls)).run().exits(0).lines()) {
      assertTrue(line.endsWith(" 0"), line);
    }
  }

  /** On a terminal that is the caller's own, as it is in a shell. */
  private static Ran onTerminal(Setting setting, String... options) {
    return setting
        .user()
        .call(Required.program("python3"), Installation.resource("terminal.py").toString(), "--")
        .and(Installation.SCRIPT.toString())
        .and(setting.words("run", options))
        .and(WITH_CALLS)
        .command("/calls", "tiocsti", "tiocsti_high", "tioclinux", "tioclinux_high")
        .run()
        .exits(0);
  }

  @EverySetting
  void theProfileLetsNothingBeTypedIntoTheTerminal(Setting setting) throws IOException {
    Ran ran = onTerminal(setting, PROFILE);
    for (String call : List.of("tiocsti", "tiocsti_high", "tioclinux", "tioclinux_high")) {
      ran.assertLine(call + " " + Errno.EPERM.number());
    }
    // The positive control. A pseudoterminal is no console, which is what TIOCLINUX needs.
    Ran control = onTerminal(setting);
    Path sysctl = Path.of("/proc/sys/dev/tty/legacy_tiocsti");
    if (!Files.exists(sysctl) || Files.readString(sysctl).strip().equals("1")) {
      control.assertLine("tiocsti 0");
      control.assertLine("tiocsti_high 0");
    }
    control.assertLine("tioclinux " + Errno.ENOTTY.number());
    control.assertLine("tioclinux_high " + Errno.ENOTTY.number());
  }

  @EverySetting
  void ordinaryProgramsWorkUnderTheProfile(Setting setting) {
    Path work = setting.user().work();
    setting.user().write(work, "Hello.java", JAVA);
    setting.user().write(work, "hello.c", C);
    setting.user().write(work, "hello.py", PYTHON);
    for (String tool : List.of("bash", "gcc", "git", "python3", "java", "tar", "curl")) {
      Required.program(tool);
    }
    Ran ran =
        setting
            .run(PROFILE)
            .and("--mount", work.toString(), "--chdir", work.toString())
            .and("--setenv", "HOME", work.toString())
            .command("bash", "-euc", PROGRAMS)
            .run()
            .exits(0);
    assertEquals(
        List.of("bash 55", "c thread", "git 1", "python child 6", "java thread", "tar ok", "curl"),
        ran.lines());
  }

  private static final String PROGRAMS =
      """
      shopt -s lastpipe; sum=0
      seq 10 | sort -n | while read -r n; do ((sum += n)); done; echo "bash $sum"
      gcc -pthread -o hello hello.c; ./hello
      git init -q repository; cd repository
      echo text >file; git add file; git -c user.name=a -c user.email=a@b commit -qm message
      echo "git $(git rev-list --count HEAD)"; cd ..
      python3 hello.py
      java -Xmx64m Hello.java
      cp -a repository copy; ln -s copy link; mkfifo pipe; touch -d yesterday file; ls -l >/dev/null
      tar -cf all.tar copy link; mkdir out; tar -C out -xf all.tar; diff -r copy out/copy
      echo "tar ok"
      python3 -u -m http.server --bind 127.0.0.1 --directory repository 0 >log 2>&1 &
      until port=$(grep -os 'port [0-9]*' log); do sleep 0.1; done
      echo curl >repository/answer; curl -s "http://127.0.0.1:${port#port }/answer"; kill $!
      """;

  private static final String C =
      """
      #include <pthread.h>
      #include <stdio.h>
      static void *say(void *text) { puts(text); return NULL; }
      int main(void) {
        pthread_t thread;
        return pthread_create(&thread, NULL, say, "c thread") || pthread_join(thread, NULL);
      }
      """;

  private static final String PYTHON =
      """
      import multiprocessing, subprocess, threading
      results = []
      thread = threading.Thread(target=results.append, args=(1,))
      thread.start()
      thread.join()
      with multiprocessing.Pool(2) as pool:
          results += pool.map(abs, [-2, -3])
      subprocess.run(["echo", "python child", str(sum(results))], check=True)
      """;

  private static final String JAVA =
      """
      public class Hello {
        public static void main(String[] arguments) throws Exception {
          Thread thread = new Thread(System::gc);
          thread.start();
          thread.join();
          Process process = new ProcessBuilder("echo", "java", "thread").inheritIO().start();
          System.exit(process.waitFor());
        }
      }
      """;

  // Filters from descriptors.

  @EverySetting
  void aFilterIsReadFromAFile(Setting setting) {
    Path filter = file(setting.user(), uname(Errno.EBUSY));
    run(setting, "9<" + filter, "--seccomp", FD)
        .command("/calls", "uname", "times")
        .run()
        .prints("uname 16\ntimes 0\n");
    // The positive control; and the descriptor is not the command's.
    run(setting, "9<" + filter).command("/calls", "uname").run().prints("uname 0\n");
    run(setting, "9<" + filter, "--seccomp", FD)
        .script("ls /proc/self/fd | wc -l")
        .run()
        .prints("4\n");
  }

  /** Also where reading goes on in the middle, from a file that this user could not open. */
  @EverySetting
  void aFilterIsReadFromAnythingThatCanBeRead(Setting setting) throws IOException {
    byte[] filter = uname(Errno.EBUSY);
    Path file = file(setting.user(), filter);
    String[] answer = {"/calls", "uname"};
    String refused = "uname 16\n";
    run(setting, "9< <(cat " + file + ")", "--seccomp", FD).command(answer).run().prints(refused);
    run(setting, "<" + file, "--add-seccomp-fd", "0").command(answer).run().prints(refused);
    run(setting, "33<" + file, "--seccomp", "33").command(answer).run().prints(refused);
    Path longer =
        file(
            setting.user(),
            ("12345" + "\0".repeat(filter.length)).getBytes(StandardCharsets.US_ASCII));
    try (var out = Files.newByteChannel(longer, java.nio.file.StandardOpenOption.WRITE)) {
      out.position(5).write(ByteBuffer.wrap(filter));
    }
    run(setting, "9<" + longer + "; read -rN5 -u9", "--seccomp", FD)
        .command(answer)
        .run()
        .prints(refused);
    String memory =
        "import os, sys; fd = os.memfd_create('filter'); os.write(fd, open(sys.argv[1], 'rb').read());"
            + " os.lseek(fd, 0, 0); os.dup2(fd, 9); os.execv(sys.argv[2], sys.argv[2:])";
    setting
        .user()
        .call(Required.program("python3"), "-c", memory, file.toString())
        .and(Installation.SCRIPT.toString())
        .and(setting.words("run", "--seccomp", FD))
        .and(WITH_CALLS)
        .command(answer)
        .run()
        .prints(refused);
  }

  /** All apply; where two refuse, the one that came last says why (seccomp(2)). */
  @EverySetting
  void filtersAreStackedInOrder(Setting setting) {
    Path busy = file(setting.user(), uname(Errno.EBUSY));
    Path exists = file(setting.user(), uname(Errno.EEXIST));
    Path times = file(setting.user(), times(Errno.EBUSY));
    String open = "7<%s 8<%s 9<%s".formatted(busy, exists, times);
    String[] answer = {"/calls", "uname", "times"};
    run(setting, open, "--add-seccomp-fd", "7", "--add-seccomp-fd", "9", "--add-seccomp-fd", "8")
        .command(answer)
        .run()
        .prints("uname 17\ntimes 16\n");
    run(setting, open, "--add-seccomp-fd", "8", "--add-seccomp-fd", "9", "--add-seccomp-fd", "7")
        .command(answer)
        .run()
        .prints("uname 16\ntimes 16\n");
    // The profile comes first, wherever it is named.
    run(setting, open, "--add-seccomp-fd", "7", PROFILE[0], PROFILE[1])
        .command("/calls", "uname", "unshare_user")
        .run()
        .prints("uname 16\nunshare_user 1\n");
  }

  @EverySetting
  void theLastOfSeveralFiltersCountsAndThatIsSaid(Setting setting) {
    Path busy = file(setting.user(), uname(Errno.EBUSY));
    Path exists = file(setting.user(), uname(Errno.EEXIST));
    Ran ran =
        run(setting, "8<" + busy + " 9<" + exists, "--seccomp", "8", "--seccomp", "9")
            .command("/calls", "uname")
            .run()
            .prints("uname 17\n");
    assertEquals("cloister: only the last --seccomp takes effect: not --seccomp 8\n", ran.err());
  }

  /** What the launcher itself still does is filtered, too, as with bubblewrap. */
  @EverySetting
  void aFilterMayForbidTheCommandItself(Setting setting) {
    Path refusing = file(setting.user(), to(SystemCall.EXECVE, error(Errno.EPERM)));
    run(setting, "9<" + refusing, "--seccomp", FD)
        .command("true")
        .run()
        .refuses(126, "true", "cannot be executed", "EPERM");
    Path killing = file(setting.user(), to(SystemCall.EXECVE, KILL_PROCESS));
    assertKilled(run(setting, "9<" + killing, "--seccomp", FD).command("true").run());
    Path all = file(setting.user(), always(KILL_PROCESS));
    assertKilled(run(setting, "9<" + all, "--seccomp", FD).command("true").run());
  }

  /** The init is none of the command: it still says how that ended. */
  @EverySetting
  void filtersAreTheCommandsNotTheInits(Setting setting) {
    Path all = file(setting.user(), always(KILL_PROCESS));
    assertKilled(run(setting, "9<" + all, "--seccomp", FD, "--unshare-pid").command("true").run());
    setting
        .run(PROFILE)
        .and("--unshare-pid", "--new-session", "--timeout", "60s")
        .and(WITH_CALLS)
        .command("/calls", "unshare_user", "uname")
        .run()
        .prints("unshare_user 1\nuname 0\n");
  }

  private static void assertKilled(Ran ran) {
    int sigsys = 31;
    // A shell says 128+n of its own child, and so does Java of its; Cloister where it waited.
    assertEquals(128 + sigsys, ran.status(), ran::toString);
  }

  /** A filter that lets no further one be installed stops the others, and so the command. */
  @EverySetting
  void aFilterThatRefusesTheNextIsAFailedStep(Setting setting) {
    Path first = file(setting.user(), refusingFilters());
    Path second = file(setting.user(), uname(Errno.EBUSY));
    String open = "8<%s 9<%s".formatted(first, second);
    run(setting, open, "--add-seccomp-fd", "8", "--add-seccomp-fd", "9")
        .command("true")
        .run()
        .refuses(125, "step", "prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER", "EPERM");
    // The profile is installed before it, so this one can forbid what follows.
    run(setting, open, "--add-seccomp-fd", "8", PROFILE[0], PROFILE[1])
        .command("/calls", "unshare_user")
        .run()
        .prints("unshare_user 1\n");
  }

  /** Refuses seccomp(2) and prctl(2). */
  private static byte[] refusingFilters() {
    return code(5)
        .putInt(0x20)
        .putInt(0)
        .putInt(0x0001_0015)
        .putInt(SystemCall.SECCOMP.number(Architecture.host()))
        .putInt(0x0100_0015)
        .putInt(SystemCall.PRCTL.number(Architecture.host()))
        .putInt(0x06)
        .putInt(error(Errno.EPERM))
        .putInt(0x06)
        .putInt(ALLOW)
        .array();
  }

  // Kernels and hosts without seccomp(2).

  private static Ran confined(Setting setting, Confinement confinement) {
    List<String> words = new ArrayList<>(confinement.words());
    words.add(Installation.SCRIPT.toString());
    return setting
        .user()
        .call(words.toArray(String[]::new))
        .and(setting.words("run", PROFILE))
        .and(WITH_CALLS)
        .command("/calls", "unshare_user")
        .run();
  }

  /** prctl(2) does the same; 0x10 is a bit of PR_SET_SECCOMP and not of PR_SET_NO_NEW_PRIVS. */
  @EverySetting
  void filtersAreInstalledWithoutTheNewerCall(Setting setting) {
    confined(setting, new Confinement().refuse("seccomp", "ENOSYS")).prints("unshare_user 1\n");
    confined(
            setting,
            new Confinement().refuse("seccomp", "ENOSYS").refuse("prctl", "EINVAL", 0, "0x10"))
        .refuses(125, "step", "prctl(PR_SET_SECCOMP", "EINVAL");
  }

  @EverySetting
  void areExplained(Setting setting) {
    Path filter = file(setting.user(), uname(Errno.EBUSY));
    Ran ran =
        after(
                setting.user(),
                "9<" + filter,
                setting.words("explain", "--seccomp", FD, PROFILE[0], PROFILE[1], "--", "true"))
            .run()
            .exits(0);
    List<String> filters = ran.lines().stream().filter(line -> line.contains("seccomp(")).toList();
    assertEquals(2, filters.size(), ran::toString);
    assertTrue(filters.get(0).endsWith("{filter=the default profile})"), ran::toString);
    assertTrue(filters.get(1).endsWith("{len=4, filter=...})"), ran::toString);
    assertTrue(ran.lines().getLast().contains("execve("), ran::toString);
  }

  // Bad input.

  /** Nothing is run, and the message names option and value. */
  private static void refused(
      CallingUser user, String redirections, List<String> options, String... named) {
    Path here = user.work();
    for (String subcommand : List.of("run", "explain")) {
      List<String> words = new ArrayList<>(List.of(subcommand, "--mount", here.toString()));
      words.addAll(options);
      words.addAll(List.of("--", "touch", here.resolve("ran").toString()));
      after(user, redirections, words.toArray(String[]::new)).run().refuses(125, named);
      assertFalse(Files.exists(here.resolve("ran")));
    }
  }

  private static void refusedBoth(
      CallingUser user, String redirections, String descriptor, String... said) {
    for (String option : List.of("--seccomp", "--add-seccomp-fd")) {
      List<String> named = new ArrayList<>(List.of(said));
      named.add(option + " " + (descriptor.isEmpty() ? "''" : descriptor) + ":");
      refused(user, redirections, List.of(option, descriptor), named.toArray(String[]::new));
    }
  }

  @EveryUser
  void whatIsNoDescriptorIsRefused(CallingUser user) {
    String nothing = "9<&-";
    for (String wrong :
        List.of(
            "abc",
            "",
            "-1",
            "+9",
            " 9",
            "9x",
            "0x9",
            "2147483648",
            "9999999999",
            "99999999999",
            "\u0669")) {
      refusedBoth(user, nothing, wrong, "not the number of a descriptor");
    }
    refusedBoth(user, nothing, FD, "not an open descriptor");
    refusedBoth(user, nothing, "2147483647", "not an open descriptor");
    // Where a JVM has a file of its own.
    refusedBoth(user, "3<&-", "3", "not an open descriptor");
  }

  @EveryUser
  void whatCannotBeReadIsRefused(CallingUser user) {
    Path work = user.work();
    refusedBoth(user, "9<" + work, FD, "cannot be read", "EISDIR");
    refusedBoth(user, "9>" + work.resolve("written"), FD, "cannot be read", "EBADF");
  }

  @EveryUser
  void whatIsNoFilterIsRefused(CallingUser user) {
    refusedBoth(user, "9</dev/null", FD, "not a seccomp filter", "empty");
    refusedBoth(user, "9</dev/zero", FD, "not a seccomp filter", "4096 instructions");
    refusedBoth(user, "9<" + file(user, new byte[12]), FD, "12 bytes", "multiple of 8");
    refusedBoth(user, "9<" + file(user, new byte[16]), FD, "instruction 1", "does not return");
    byte[] jump = code(2).putInt(0x05).putInt(7).putInt(0x06).putInt(0).array();
    refusedBoth(user, "9<" + file(user, jump), FD, "instruction 0", "jumps beyond the end");
    byte[] longest = new byte[8 * 4097];
    longest[8 * 4096] = 0x06;
    refusedBoth(user, "9<" + file(user, longest), FD, "longer than 4096 instructions");
  }

  @EveryUser
  void whatContradictsItselfIsRefused(CallingUser user) {
    String open = "8<%1$s 9<%1$s".formatted(file(user, always(ALLOW)));
    String said = "--seccomp cannot be combined with --add-seccomp-fd";
    refused(user, open, List.of("--seccomp", "8", "--add-seccomp-fd", "9"), said);
    refused(user, open, List.of("--add-seccomp-fd", "8", "--seccomp", "9"), said);
    refused(user, open, List.of("--seccomp-profile", "docker"), "--seccomp-profile docker", "none");
    refused(user, open, List.of("--seccomp-profile", ""), "--seccomp-profile ''");
    // What was read once is empty.
    refused(
        user, open, List.of("--add-seccomp-fd", "8", "--add-seccomp-fd", "8"), "fd 8:", "empty");
  }

  /** Each kernel's limit; EINVAL or ENOMEM would not say it. */
  @EveryUser
  void filtersThatAreTooLongTogetherAreAFailedStep(CallingUser user) {
    byte[] longest = new byte[8 * 4096];
    longest[8 * 4095] = 0x06;
    longest[8 * 4095 + 6] = (byte) 0xff;
    longest[8 * 4095 + 7] = 0x7f;
    Path file = file(user, longest);
    List<String> words = new ArrayList<>(List.of("run"));
    StringBuilder open = new StringBuilder();
    for (int fd = 20; fd < 28; fd++) {
      open.append(fd).append('<').append(file).append(' ');
      words.addAll(List.of("--add-seccomp-fd", Integer.toString(fd)));
    }
    words.addAll(List.of("--", "true"));
    Ran ran =
        after(user, open.toString(), words.toArray(String[]::new)).run().refuses(125, "ENOMEM");
    assertTrue(ran.err().contains("hint: all filters of a process together"), ran::toString);
  }
}
