package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import dev.cloister.strategy.Guarantee;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The landlock strategy by the real command line. It shows things only where they are, so the
 * attacks of the others do not fit; these are tried on it instead, and without it as a control.
 */
final class LandlockIT {
  private static final int ATTACKS = 43;

  /** Since ABI 6; before, the strategy says that they are open. */
  private static final Set<String> SCOPED = Set.of("signal another", "abstract socket");

  private static final List<String> NAMED = List.of("run", "--strategy", "landlock");

  /** Directories to be in and out of the sandbox, and a process outside. */
  private record Target(CallingUser user, Path base, Process outside, List<String> where)
      implements AutoCloseable {
    static Target make(CallingUser user) throws IOException {
      Path base = user.work();
      for (String name : List.of("outside", "read-only", "writable")) {
        Path directory = user.give(Files.createDirectory(base.resolve(name)));
        user.write(directory, "file", "content\n");
        user.write(directory, "doomed", "");
      }
      Path outside = base.resolve("outside");
      user.write(outside, "secret", "secret\n");
      user.give(Files.createDirectory(outside.resolve("doomed-directory")));
      Files.copy(Path.of(Required.program("true")).toRealPath(), outside.resolve("true"));
      assertTrue(outside.resolve("true").toFile().setExecutable(true, false));
      Files.createSymbolicLink(base.resolve("writable/to-secret"), Path.of("../outside/secret"));
      Files.copy(Installation.resource("landlock.py"), base.resolve("read-only/landlock.py"));
      Process process = serve(user, base);
      BufferedReader said = process.inputReader(StandardCharsets.US_ASCII);
      return new Target(
          user, base, process, List.of(String.valueOf(said.readLine()).split(" ", -1)));
    }

    /** Without capabilities, so that theirs are not what keeps the command from tracing it. */
    private static Process serve(CallingUser user, Path base) throws IOException {
      List<String> words = new ArrayList<>(user.become());
      if (user.isRoot()) {
        words.addAll(
            List.of(Required.program("setpriv"), "--bounding-set", "-all", "--inh-caps", "-all"));
      }
      words.addAll(List.of(Required.program("python3"), script(base), "serve", base.toString()));
      return new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    private static String script(Path base) {
      return base.resolve("read-only/landlock.py").toString();
    }

    /** Keeps what is standard input at 8; Python does not start with a directory there. */
    String[] command(String kind) {
      return new String[] {
        "/bin/sh",
        "-c",
        "exec 8<&0 </dev/null && exec \"$@\"",
        "sh",
        Required.program("python3"),
        script(base),
        kind,
        base.toString(),
        where.get(0),
        where.get(1)
      };
    }

    String place(String name) {
      return base.resolve(name).toString();
    }

    /** What the attacks find in a sandbox that shows two of the directories. */
    Ran inside(String kind) {
      return start(Installation.SCRIPT.toString(), NAMED.toArray(String[]::new))
          .and("--ro-bind", "/usr", "/usr", "--ro-bind", "/proc", "/proc")
          .and("--dev-bind", "/dev/null", "/dev/null")
          .and("--ro-bind", place("read-only"), place("read-only"))
          .and("--mount", place("writable"))
          .command(command(kind))
          .run();
    }

    /** The control. */
    Ran without(String kind) {
      return start("env").and(command(kind)).run();
    }

    /** With a directory of the host's as standard input, and one more descriptor of it. */
    private Call start(String program, String... words) {
      String open = "exec <'%s' 7<'%s'; exec \"$@\"".formatted(place("outside"), place("outside"));
      return user.call("sh", "-c", open, "sh", program).and(words);
    }

    @Override
    public void close() {
      outside.destroy();
    }
  }

  private static Set<String> names(Ran ran, String verdict) {
    ran.exits(0);
    return ran.lines().stream()
        .filter(line -> line.endsWith(verdict))
        .map(line -> line.substring(0, line.lastIndexOf(": ")))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static boolean hasScopes(CallingUser user) {
    Ran ran = user.cloister("explain", "--strategy", "landlock", "--", "true").run().exits(0);
    return !ran.out().contains("to send signals");
  }

  // What it is for.

  @EveryUser
  void whatIsNotBoundIsClosed(CallingUser user) throws IOException {
    try (Target target = Target.make(user)) {
      Ran ran = target.inside("attack");
      assertEquals(ATTACKS, ran.lines().size(), ran::toString);
      assertEquals(hasScopes(user) ? Set.of() : SCOPED, names(ran, "open"), ran::toString);
      assertEquals("content\n", Files.readString(target.base().resolve("outside/file")));
      assertEquals("content\n", Files.readString(target.base().resolve("read-only/file")));
    }
  }

  /** Only the mount is closed to some: those who may make no user namespace. */
  @EveryUser
  void allOfItIsOpenWithoutTheSandbox(CallingUser user) throws IOException {
    try (Target target = Target.make(user)) {
      Ran ran = target.without("attack");
      assertEquals(ATTACKS, ran.lines().size(), ran::toString);
      assertEquals(Set.of(), names(ran, "closed"), ran::toString);
    }
  }

  /** What is bound can be used as it should. */
  @EveryUser
  void whatIsBoundIsOpen(CallingUser user) throws IOException {
    try (Target target = Target.make(user)) {
      String script =
          """
          cd '%s' && cat ../read-only/file && echo new >file && cat file && mkdir d && mv file d/ &&
          ln -s d l && rm l && ln d/file again && truncate -s 1 d/file && mkfifo f && rm -r d f &&
          cp /usr/bin/true . && ./true && ls ../read-only | wc -l
          """
              .formatted(target.place("writable"));
      user.cloister(NAMED.toArray(String[]::new))
          .and("--ro-bind", "/usr", "/usr", "--mount", target.place("writable"))
          .and("--ro-bind", target.place("read-only"), target.place("read-only"))
          .command("/bin/sh", "-c", script)
          .run()
          .prints("content\nnew\n3\n");
    }
  }

  /** As the issue that asked for this strategy shows it. */
  @EveryUser
  void listingAnotherDirectoryIsRefused(CallingUser user) {
    Path here = user.work();
    Ran ran =
        user.cloister(NAMED.toArray(String[]::new))
            .and("--ro-bind", "/usr", "/usr", "--mount", here.toString())
            .command("ls", "/home")
            .in(here)
            .run()
            .exits(2);
    assertEquals("ls: cannot open directory '/home': Permission denied\n", ran.err());
  }

  @EveryUser
  void thePresetWorksByName(CallingUser user) {
    String script =
        "echo x >/dev/null && head -c 2 /dev/zero | wc -c && cat /proc/self/comm"
            + " && grep -c root /etc/passwd && ! touch /etc/x && ! ls /home && ! touch /tmp/x";
    Ran ran = user.cloister(NAMED.toArray(String[]::new)).script(script).run();
    ran.prints("2\ncat\n1\n");
  }

  @EveryUser
  void theKernelsSettingsAreClosedToRoot(CallingUser user) {
    String script =
        "for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /dev/kmsg /sys/power/state;"
            + " do if [ -e $f ] && : 2>/dev/null >>$f; then echo $f; fi; done";
    Ran ran = user.cloister(NAMED.toArray(String[]::new)).command("bash", "-c", script).run();
    assertEquals("", ran.out(), ran::toString);
  }

  /** A device that lies elsewhere can be opened, but not told to do anything (since ABI 5). */
  @EveryUser
  void devicesOfWritablePlacesTakeNoCommands(CallingUser user) throws IOException {
    Required.that(CallingUser.own().isRoot(), "root, who can make devices");
    Path here = user.work();
    Path device = here.resolve("random");
    CallingUser.own().call("mknod", "-m", "666", device.toString(), "c", "1", "9").run().exits(0);
    // RNDGETENTCNT
    String ask =
        "import fcntl; fcntl.ioctl(open('%s', 'rb'), 0x80045200, b'1234')".formatted(device);
    String python = Required.program("python3");
    user.call(python, "-c", ask).run().exits(0);
    for (String option : List.of("--bind", "--dev-bind")) {
      Ran ran =
          user.cloister(NAMED.toArray(String[]::new))
              .and("--ro-bind", "/usr", "/usr", option, here.toString(), here.toString())
              .command(python, "-c", ask)
              .run();
      boolean closed = option.equals("--bind");
      assertEquals(closed, ran.err().contains("PermissionError"), ran::toString);
      ran.exits(closed ? 1 : 0);
    }
  }

  /** What docs/guarantees.md says that it leaves open is so. */
  @EveryUser
  void whatItLeavesOpenIsSaid(CallingUser user) throws IOException {
    try (Target target = Target.make(user)) {
      Ran ran = target.inside("leave");
      assertEquals(7, ran.lines().size(), ran::toString);
      assertEquals(Set.of(), names(ran, "closed"), ran::toString);
    }
  }

  // What it guarantees.

  private static boolean holds(CallingUser user, Guarantee guarantee) {
    return switch (guarantee) {
      case NO_CAPABILITIES, NO_NEW_PRIVILEGES, GROUPS_DROPPED, NO_INHERITED_DESCRIPTORS, IN_PLACE ->
          true;
      case UNPRIVILEGED_USER -> !user.isRoot();
      case OLD_ROOT_UNREACHABLE,
          OLD_ROOT_UNMOUNTED,
          OWN_USER_NAMESPACE,
          READ_ONLY_RECURSIVE,
          NO_MOUNT_PROPAGATION,
          NO_SYMLINK_RACES,
          NETWORK_ISOLATION,
          IPC_ISOLATION,
          PID_ISOLATION ->
          false;
    };
  }

  @EveryUser
  void onlyWhatHoldsCanBeRequired(CallingUser user) {
    for (Guarantee guarantee : Guarantee.values()) {
      Ran ran =
          user.cloister(NAMED.toArray(String[]::new))
              .and("--require", guarantee.word())
              .command("echo", "ran")
              .run();
      if (holds(user, guarantee)) {
        ran.prints("ran\n");
      } else {
        ran.refuses(125, "--strategy landlock", "--require", guarantee.word());
      }
    }
  }

  @EveryUser
  void nothingIsInherited(CallingUser user) {
    String look =
        "ls /proc/self/fd | wc -l; grep -E '^(NoNewPrivs|Cap(Inh|Prm|Eff|Amb)):' /proc/self/status";
    Ran ran =
        user.call("sh", "-c", "exec 3</ 4</usr 9</dev/null 5>&1; exec \"$0\" \"$@\"")
            .and(Installation.SCRIPT.toString())
            .and(NAMED.toArray(String[]::new))
            .script(look)
            .run()
            .exits(0);
    assertEquals("4", ran.lines().getFirst());
    ran.assertLine("NoNewPrivs:\t1");
    for (String set : new String[] {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
      ran.assertLine(set + ":\t0000000000000000");
    }
  }

  @EveryUser
  void onlyRootDropsItsGroupsAndChangesItsIds(CallingUser user) {
    Required.that(CallingUser.own().isRoot(), "root, who can have groups");
    String id = Long.toString(user.uid());
    String[] grouped = {"setpriv", "--reuid", id, "--regid", id, "--groups", "5", "--"};
    Ran groups =
        CallingUser.own()
            .call(grouped)
            .and(Installation.SCRIPT.toString())
            .and(NAMED.toArray(String[]::new))
            .command("id", "-G")
            .env("HOME", user.home().toString())
            .env("TMPDIR", user.temporary().toString())
            .run();
    groups.prints(user.isRoot() ? "0\n" : id + " 5\n");
    Ran other =
        user.cloister(NAMED.toArray(String[]::new))
            .and("--uid", "7", "--gid", "8", "--require", "unprivileged-user")
            .script("id -u; id -g; id -G; test -w /proc/1/oom_score_adj || echo harmless")
            .run();
    if (user.isRoot()) {
      other.prints("7\n8\n8\nharmless\n");
    } else {
      other.refuses(125, "CAP_SETUID");
    }
  }

  /** A place that is a directory at one moment and a link at the next: one of them, or an error. */
  @EveryUser
  void aPlaceThatComesAndGoesIsNoCrash(CallingUser user) throws Exception {
    Path project = user.work();
    Path place = user.give(Files.createDirectory(project.resolve("place")));
    Path link = Files.createSymbolicLink(project.resolve("link"), user.work());
    String judged = "\"$@\"; s=$?; case $s in 0 | 125) echo ok ;; *) echo \"status $s\" ;; esac";
    Ran ran =
        user.call(Scene.program().toString(), "exchange", "10", place.toString(), link.toString())
            .and("--", "sh", "-c", judged, "sh", Installation.SCRIPT.toString())
            .and(NAMED.toArray(String[]::new))
            .and("--ro-bind", "/usr", "/usr", "--bind", place.toString(), place.toString())
            .command("/bin/true")
            .run();
    assertEquals("ok\n".repeat(10), ran.exits(0).out(), ran::toString);
  }

  // What it refuses.

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --unshare-net                                   | no net namespace
          --unshare-pid                                   | no pid namespace
          --hostname h                                    | no uts namespace
          --tmpfs /tmp                                    | tmpfs at /tmp
          --dir /tmp/made                                 | make /tmp/made
          --symlink usr /somewhere                        | /somewhere a symbolic link to usr
          --symlink other /bin                            | /bin a symbolic link to other
          --proc /proc                                    | a /proc at /proc
          --dev /dev                                      | a /dev at /dev
          --mqueue /q                                     | queues at /q
          --chmod 0700 /usr                               | permissions of /usr
          --remount-ro /usr                               | one mount read-only, such as /usr
          --overlay-src /usr --tmp-overlay /usr           | an overlay at /usr
          --ro-bind /usr /x                               | /usr at another place, /x
          --bind /etc /usr                                | /etc at another place, /usr
          --bind /usr /usr --ro-bind /usr/lib /usr/lib    | /usr/lib cannot be read-only where /usr
          --bind /usr/lib /usr/lib --ro-bind /usr /usr    | /usr cannot be read-only where /usr/lib
          --bind /usr /usr --ro-bind /bin /bin            | /usr/bin cannot be read-only where /usr
          --dev-bind /usr /usr --bind /usr /usr           | /usr cannot be writable without devices
          --ro-bind / /                                   | devices in /
          --bind /dev/null /dev/null                      | devices in /dev/null
          """)
  void whatItCannotGiveIsNamed(String options, String named) {
    for (CallingUser user : CallingUser.all()) {
      user.cloister(NAMED.toArray(String[]::new))
          .and("--ro-bind", "/usr", "/usr")
          .and(options.split(" ", -1))
          .command("echo", "ran")
          .run()
          .refuses(125, "--strategy landlock", named);
    }
  }

  @EveryUser
  void whatItCanGiveIsGiven(CallingUser user) {
    for (String options :
        List.of(
            "--symlink usr/bin /bin",
            "--ro-bind /usr/lib /usr/lib",
            "--ro-bind /bin /bin",
            "--bind /usr/lib /usr/lib",
            "--ro-bind /usr/../usr/. /usr",
            "--bind /dev/shm /dev/shm",
            "--chdir /usr",
            "--clearenv --setenv A b",
            "--new-session --die-with-parent --timeout 1m")) {
      user.cloister(NAMED.toArray(String[]::new))
          .and("--ro-bind", "/usr", "/usr")
          .and(options.split(" ", -1))
          .command("/usr/bin/echo", "ran")
          .run()
          .prints("ran\n");
    }
  }

  /** What is bound writable must not show the launchers; to cover them takes a mount. */
  @EveryUser
  void theLaunchersCannotBeBoundWritable(CallingUser user) {
    String place = user.temporary().toString();
    user.cloister(NAMED.toArray(String[]::new))
        .and("--bind", place, place)
        .command("echo", "ran")
        .run()
        .refuses(125, "tmpfs at " + user.launcherDirectory(), "TMPDIR");
  }

  @EveryUser
  void aTimeLimitEndsTheCommandAndLeavesNoOther(CallingUser user) {
    Ran ran =
        user.cloister(NAMED.toArray(String[]::new))
            .and("--timeout", "300ms")
            .script("echo started; sleep 1000")
            .run();
    assertEquals("started\n", ran.out(), ran::toString);
    ran.exits(124);
  }

  // The choice.

  private static SimulatedHost withoutNamespaces() {
    return SimulatedHost.named("no namespaces, no bwrap")
        .enteredBy(Confinement.likeContainerRuntimes().refuse("chroot", "EPERM").words())
        .enteredBy("env", "PATH=" + HostLab.tools());
  }

  private static final String[] READ_ONLY_PROGRAMS = {"--ro-bind", "/usr", "/usr"};

  /** It is taken where no other works and it can do all, and says each time what it is not. */
  @EveryUser
  void isChosenLastAndSaysWhatItLeavesOpen(CallingUser user) {
    SimulatedHost host = withoutNamespaces();
    for (int i = 0; i < 2; i++) {
      Ran ran =
          host.cloister(user, "run")
              .and(READ_ONLY_PROGRAMS)
              .command("/bin/sh", "-c", "ls /etc || echo closed")
              .run();
      ran.prints("closed\n");
      List<String> said = ran.err().lines().toList();
      assertTrue(said.get(0).startsWith("cloister: landlock only forbids"), ran::toString);
      assertTrue(said.get(1).startsWith("cloister: landlock leaves open"), ran::toString);
      for (String word : List.of("sockets", "modes", "network", "processes")) {
        assertTrue(said.get(1).contains(word), ran::toString);
      }
      assertEquals(3, said.size(), ran::toString);
    }
  }

  /** Who names it knows; with --verbose it is said all the same. */
  @EveryUser
  void saysNothingMoreWhereItIsNamed(CallingUser user) {
    Call named = user.cloister(NAMED.toArray(String[]::new));
    assertEquals("", named.command("true").run().exits(0).err());
    Call verbose = user.cloister(NAMED.toArray(String[]::new)).and("--verbose");
    Ran ran = verbose.command("true").run().exits(0);
    assertTrue(ran.err().contains("cloister: landlock leaves open"), ran::toString);
  }

  /** Not for what it cannot give: an empty /tmp, which all have that ask for nothing else. */
  @EveryUser
  void isNotChosenForLessThanWhatIsAskedFor(CallingUser user) {
    SimulatedHost host = withoutNamespaces();
    Ran plain = host.cloister(user, "run").command("/bin/echo", "ran").run().exits(125);
    assertEquals("", plain.out());
    assertTrue(plain.err().contains("\n  landlock: Landlock cannot make "), plain::toString);
    Ran network =
        host.cloister(user, "run", "--unshare-net")
            .and(READ_ONLY_PROGRAMS)
            .command("/bin/echo", "ran")
            .run()
            .exits(125);
    assertTrue(network.err().contains("  landlock: Landlock gives the command no net namespace"));
    host.cloister(user, "run", "--require", "old-root-unreachable")
        .and(READ_ONLY_PROGRAMS)
        .command("/bin/echo", "ran")
        .run()
        .exits(125);
  }

  @EveryUser
  void probeSaysThatItWorksAndIsNoChoice(CallingUser user) {
    SimulatedHost host = withoutNamespaces();
    Verdicts verdicts = Verdicts.of(host.cloister(user, "probe", "--json").run());
    assertEquals("", verdicts.choice());
    assertTrue(verdicts.strategy("landlock").usable(), verdicts::toString);
    Ran table = host.cloister(user, "probe").run().exits(1);
    assertTrue(table.out().contains("yes  landlock (only access control"), table::toString);
    Ran one = host.cloister(user, "probe", "--strategy", "landlock").run().exits(0);
    assertTrue(one.out().contains("landlock_restrict_self"), one::toString);
  }

  // Kernels that know less.

  private static SimulatedHost refusing(String errno) {
    return SimulatedHost.named("landlock refused with " + errno)
        .enteredBy(new Confinement().refuse("landlock_create_ruleset", errno).words());
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "EOPNOTSUPP, lsm=, boot parameter",
    "ENOSYS, seccomp, seccomp",
    "EPERM, seccomp, seccomp",
    "EINVAL, truncated, Linux 6.2"
  })
  void whyItIsMissingIsSaid(String errno, String word, String other) {
    for (CallingUser user : CallingUser.all()) {
      Verdicts verdicts =
          Verdicts.of(refusing(errno).cloister(user, "probe", "--json").run())
              .chooses("pivot_root", "landlock");
      Verdicts.Verdict verdict = verdicts.strategy("landlock").refusedBecause(errno);
      String said = verdict.reason() + verdict.remedy();
      assertTrue(said.contains(word) && said.contains(other), said);
      Ran ran =
          refusing(errno)
              .cloister(user, "run", "--strategy", "landlock")
              .command("/bin/echo", "ran")
              .run()
              .exits(125);
      assertEquals("", ran.out());
      assertTrue(ran.err().contains(errno), ran::toString);
    }
  }

  /** A ruleset of 24 bytes is too long for a kernel that knows no scopes (E2BIG). */
  @EveryUser
  void olderKernelsForbidLessAndThatIsSaid(CallingUser user) {
    SimulatedHost old =
        SimulatedHost.named("no scopes")
            .enteredBy(
                new Confinement().refuse("landlock_create_ruleset", "E2BIG", 1, "0x10").words());
    Ran ran =
        old.cloister(user, "run", "--strategy", "landlock", "--verbose")
            .and(READ_ONLY_PROGRAMS)
            .command("/bin/sh", "-c", "! ls /etc")
            .run()
            .exits(0);
    assertTrue(ran.err().contains("landlock_without_scopes"), ran::toString);
    assertTrue(ran.err().contains("to send signals"), ran::toString);
    assertEquals("0\n", signal(user, old).out());
    assertEquals("1\n", signal(user, SimulatedHost.named("this")).out());
  }

  /** Sends one to a process outside, and says how that went. */
  private static Ran signal(CallingUser user, SimulatedHost host) {
    String script =
        "sleep 1000 & outside=$!; \"$0\" run --strategy landlock --ro-bind /usr /usr --"
            + " /bin/sh -c \"kill -WINCH $outside\"; echo $?; kill $outside";
    return host.call(user, "/bin/sh", "-c", script, Installation.SCRIPT.toString()).run();
  }
}
