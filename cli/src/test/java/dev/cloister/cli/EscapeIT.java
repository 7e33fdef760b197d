package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Ways out of a sandbox, tried from within. Each also shows that it is one where it is open. */
final class EscapeIT {
  private static final int ATTACKS = 20;

  /** Those no control opens: the kernel does, or some other process 1 than the host's. */
  private static final Set<String> ALWAYS_CLOSED =
      Set.of("new namespaces, unmount the root", "root of process 1");

  /** Those that need a right on the host that only root has. */
  private static final Set<String> ONLY_FOR_ROOT = Set.of("another's mount namespace", "device");

  /** What attacks are aimed at: a process, a file and directories outside. */
  private record Target(CallingUser user, Process outside, Path here) implements AutoCloseable {
    static Target make(CallingUser user) throws IOException {
      Path here = user.work();
      user.write(here, "secret", "secret\n");
      user.give(Files.createDirectory(here.resolve("read-only")));
      Path id = here.resolve("id");
      Files.copy(Path.of(Required.tool("id")), id);
      if (CallingUser.own().isRoot()) {
        // For root, becoming somebody else is the gain.
        Files.setAttribute(id, "unix:uid", user.isRoot() ? 1 : 0);
        Files.setAttribute(id, "unix:mode", 04755);
      }
      Path nowhere = Path.of("/dev/null");
      return new Target(user, user.call("sleep", "1000").start(nowhere, nowhere), here);
    }

    /** The attacks on a sandbox or something else that shows {@link #here} at {@code place}. */
    String[] attacks(String place) {
      return new String[] {
        Required.tool("python3"),
        place + "/attacks.py",
        Long.toString(outside.pid()),
        here.resolve("secret").toString(),
        place + "/read-only",
        place + "/id"
      };
    }

    @Override
    public void close() throws IOException {
      outside.destroy();
    }
  }

  /** Starts what follows with a descriptor of the host's root, from a parent of the same user. */
  private static final String WITH_DESCRIPTOR = "exec 7</; \"$0\" \"$@\"; exit $?";

  private static Set<String> open(Ran ran) {
    ran.exits(0);
    assertEquals(ATTACKS, ran.lines().size(), ran::toString);
    return ran.lines().stream()
        .filter(line -> line.endsWith(": open"))
        .map(line -> line.substring(0, line.length() - ": open".length()))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @EverySetting
  void everyWayOutIsClosed(Setting setting) throws IOException {
    setting.run("--", "true").run().exits(0);
    try (Target target = Target.make(setting.user())) {
      Files.copy(Installation.resource("attacks.py"), target.here().resolve("attacks.py"));
      Ran ran =
          setting
              .user()
              .call("sh", "-c", WITH_DESCRIPTOR, Installation.SCRIPT.toString())
              .and(setting.words("run", "--preset", "host"))
              .and("--ro-bind", target.here().toString(), "/here")
              .command(target.attacks("/here"))
              .in(target.here())
              .run();
      assertEquals(Set.of(), open(ran), ran::toString);
      assertFalse(Files.exists(target.here().resolve("read-only/written")));
    }
  }

  /** The control: the same attacks, by a plain process and by the root of plain namespaces. */
  @EveryUser
  void theWaysAreOpenWithoutASandbox(CallingUser user) throws IOException {
    try (Target target = Target.make(user)) {
      Files.copy(Installation.resource("attacks.py"), target.here().resolve("attacks.py"));
      String readOnly = target.here().resolve("read-only").toString();
      String mounts = "mount --bind '%s' '%s' && mount -o remount,bind,ro '%s' && ";
      List<Ran> controls =
          List.of(
              control(target, "unshare", "-m", "sh", "-c", mounts.replace("%s", readOnly)),
              control(target, "unshare", "-Urm", "sh", "-c", mounts.replace("%s", readOnly)),
              control(target, "sh", "-c", user.isRoot() ? "exit; " : ""));
      Set<String> open = new TreeSet<>();
      controls.stream()
          .filter(ran -> ran.lines().size() == ATTACKS)
          .forEach(ran -> open.addAll(open(ran)));
      Set<String> expected = new TreeSet<>(allNames(controls));
      expected.removeAll(ALWAYS_CLOSED);
      if (!user.isRoot()) {
        expected.removeAll(ONLY_FOR_ROOT);
      }
      if (!CallingUser.own().isRoot()) {
        expected.remove("set-user-ID");
      }
      expected.removeAll(open);
      assertEquals(Set.of(), expected, controls::toString);
    }
  }

  private static Set<String> allNames(List<Ran> controls) {
    return controls.stream()
        .flatMap(ran -> ran.lines().stream())
        .map(line -> line.substring(0, line.lastIndexOf(':')))
        .collect(Collectors.toSet());
  }

  /** Runs the attacks in a shell whose words are given, as its last words say. */
  private static Ran control(Target target, String... shell) {
    String[] words = shell.clone();
    words[words.length - 1] += WITH_DESCRIPTOR;
    return target
        .user()
        .call(words)
        .and(target.attacks(target.here().toString()))
        .in(target.here())
        .run();
  }

  // What a sandbox starts with.

  @EverySetting
  void nothingIsInherited(Setting setting) {
    String inside =
        "ls /proc/self/fd | wc -l; grep -E '^(NoNewPrivs|Cap(Inh|Prm|Eff|Amb)|Seccomp):' /proc/self/status";
    Ran ran =
        setting
            .user()
            .call("sh", "-c", "exec 3</ 4</usr 9</dev/null 5>&1; exec \"$0\" \"$@\"")
            .and(Installation.SCRIPT.toString())
            .and(setting.words("run", "--", "sh", "-c", inside))
            .run()
            .exits(0);
    // 0, 1, 2 and the one that ls reads the directory with.
    assertEquals("4", ran.lines().getFirst());
    ran.assertLine("NoNewPrivs:\t1");
    for (String set : new String[] {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
      ran.assertLine(set + ":\t0000000000000000");
    }
  }

  @EverySetting
  void supplementaryGroupsOfRootAreDropped(Setting setting) {
    Required.that(CallingUser.own().isRoot(), "root, who can have groups");
    if (!setting.user().isRoot()) {
      // Who may not set groups keeps them, and can give them no name.
      return;
    }
    String[] words = {"setpriv", "--groups", "4,5,6", "--"};
    assertEquals("0 4 5 6\n", setting.user().call(words).and("id", "-G").run().out());
    Call call = setting.user().call(words).and(Installation.SCRIPT.toString());
    call.and(setting.words("run", "--", "id", "-G")).run().prints("0\n");
    Call other = setting.user().call(words).and(Installation.SCRIPT.toString());
    other
        .and(setting.words("run", "--uid", "7", "--gid", "8", "--", "id", "-G"))
        .run()
        .prints("8\n");
  }

  /** Even if it is gone from every list: what one process keeps in memory, another can read. */
  @EverySetting
  void clearedVariablesAreNowhereInTheSandbox(Setting setting) {
    String search = "grep -l SECRET_VALUE /proc/[0-9]*/environ 2>/dev/null";
    setting
        .run("--clearenv", "--setenv", "PATH", "/usr/bin:/bin")
        .script(search + "; [ $? != 0 ] && echo nowhere")
        .env("SECRET", "SECRET_VALUE")
        .run()
        .prints("nowhere\n");
    // The control: without --clearenv the command finds its own.
    Ran control = setting.run().script(search).env("SECRET", "SECRET_VALUE").run();
    assertTrue(control.out().contains("/environ"), control::toString);
  }

  /** Who could write to another sandbox's launcher before it starts would be in its place. */
  @EverySetting
  void launchersAreHiddenWhereTheyCouldBeWritten(Setting setting) throws IOException {
    Path launchers = setting.user().launcherDirectory();
    setting.run("--", "true").run().exits(0);
    assertTrue(Files.exists(launchers.resolve("verdicts")), "there is something to hide");
    setting.run("--dev-bind", "/", "/").command("ls", "-A", launchers.toString()).run().prints("");
    setting
        .run("--preset", "host", "--bind", launchers.toString(), "/x")
        .command("ls", "-A", "/x")
        .run()
        .prints("");
  }

  // Read-only, also below.

  @EverySetting
  void readOnlyHoldsForMountsBelow(Setting setting) throws IOException {
    Required.that(CallingUser.own().isRoot(), "root, who makes the mount below");
    Path here = setting.user().work();
    setting.user().give(Files.createDirectory(here.resolve("below")));
    for (String option : new String[] {"--ro-bind", "--bind"}) {
      List<String> words = new ArrayList<>(List.of("unshare", "-m", "sh", "-c"));
      words.add("mount -t tmpfs -o mode=1777 below \"$0/below\" && exec \"$@\"");
      words.add(here.toString());
      words.addAll(setting.user().become());
      words.add(Installation.SCRIPT.toString());
      words.addAll(
          List.of(setting.words("run", "--preset", "host", option, here.toString(), "/x")));
      words.addAll(List.of("--", "sh", "-c", "touch /x/below/file && echo written"));
      Ran ran =
          CallingUser.own()
              .call(words.toArray(String[]::new))
              .env("HOME", setting.user().home().toString())
              .env("TMPDIR", setting.user().temporary().toString())
              .run();
      assertEquals(option.equals("--bind") ? "written\n" : "", ran.out(), ran::toString);
    }
  }

  /**
   * What is mounted on the host later is none of the sandbox's business. With bwrap it is: its
   * mounts are slaves of the host's.
   */
  @EverySetting
  void laterMountsOfTheHostAppearOnlyWithBwrap(Setting setting) throws IOException {
    Required.that(CallingUser.own().isRoot(), "root, who makes the mount");
    Path here = setting.user().work();
    setting.user().give(Files.createDirectory(here.resolve("below")));
    String inside = "touch /x/ready; while ! [ -e /x/go ]; do sleep 0.02; done; ls /x/below";
    String script =
        """
        here=$0
        mount --bind "$here" "$here" && mount --make-shared "$here" || exit
        "$@" &
        while ! [ -e "$here/ready" ] && kill -0 $!; do sleep 0.02; done
        mount -t tmpfs late "$here/below" && touch "$here/below/late" "$here/go"
        wait $!
        """;
    List<String> sandbox = new ArrayList<>(setting.user().become());
    sandbox.add(Installation.SCRIPT.toString());
    sandbox.addAll(
        List.of(setting.words("run", "--preset", "host", "--bind", here.toString(), "/x")));
    sandbox.addAll(List.of("--", "sh", "-c", inside));
    late(setting, here, script, sandbox).prints(setting.isBwrap() ? "late\n" : "");

    Files.delete(here.resolve("ready"));
    Files.delete(here.resolve("go"));
    // The control: a mount namespace that only receives.
    String follow = inside.replace("/x/", here + "/");
    late(
            setting,
            here,
            script,
            List.of("unshare", "-m", "--propagation", "slave", "sh", "-c", follow))
        .prints("late\n");
  }

  private static Ran late(Setting setting, Path here, String script, List<String> command) {
    List<String> words =
        new ArrayList<>(List.of("unshare", "-m", "sh", "-c", script, here.toString()));
    words.addAll(command);
    return CallingUser.own()
        .call(words.toArray(String[]::new))
        .env("HOME", setting.user().home().toString())
        .env("TMPDIR", setting.user().temporary().toString())
        .run();
  }

  // Links that an attacker has planted in what is bound (CVE-2026-87766).

  private static final String[][] ONE_OPERATION = {{"--dir", "/work/out/made"}};
  private static final String[][] OPERATIONS = {
    {"--dir", "/work/out/made"},
    {"--tmpfs", "/work/out/made"},
    {"--bind", "/etc", "/work/out/made"},
    {"--ro-bind", "/etc/passwd", "/work/out/made"},
    {"--symlink", "x", "/work/out/made"}
  };

  /**
   * Nothing is made or shown where a planted link leads on the host: it means what it means inside,
   * or the sandbox is refused.
   */
  @EverySetting
  void plantedLinksLeadNowhere(Setting setting) throws IOException {
    CallingUser user = setting.user();
    Path victim = user.work();
    for (String link :
        new String[] {
          victim.toString(),
          "/oldroot" + victim,
          "../../../../../../../../../../.." + victim,
          "/proc/self/root" + victim,
          "/proc/1/root" + victim
        }) {
      Path project = user.work();
      Files.createSymbolicLink(project.resolve("out"), Path.of(link));
      for (String[] operation : link.equals(victim.toString()) ? OPERATIONS : ONE_OPERATION) {
        setting
            .run("--preset", "host", "--bind", project.toString(), "/work")
            .and(operation)
            .command("true")
            .run();
        assertEmpty(victim, link + " " + operation[0]);
      }
    }
  }

  private static void assertEmpty(Path directory, String why) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      assertEquals(List.of(), files.toList(), why);
    }
  }

  /** The control: the link is a way to the victim for whoever follows it on the host. */
  @EveryUser
  void aPlantedLinkLeadsOutOnTheHost(CallingUser user) throws IOException {
    Path victim = user.work();
    Path project = user.work();
    Files.createSymbolicLink(project.resolve("out"), victim);
    user.call("mkdir", project.resolve("out/made").toString()).run().exits(0);
    assertTrue(Files.isDirectory(victim.resolve("made")));
  }

  /** A directory that others may only pass through is no obstacle. */
  @EverySetting
  void directoriesThatCannotBeReadCanBePassed(Setting setting) throws IOException {
    Path host = setting.user().work();
    Path passage = setting.user().give(Files.createDirectory(host.resolve("passage")));
    setting.user().give(Files.createDirectory(passage.resolve("end")));
    if (CallingUser.own().isRoot()) {
      Files.setAttribute(passage, "unix:uid", 2);
    }
    Files.setPosixFilePermissions(passage, PosixFilePermissions.fromString("rwx--x--x"));
    setting
        .run("--preset", "host", "--bind", host.toString(), "/x", "--tmpfs", "/x/passage/end/")
        .script("touch /x/passage/end/file && echo passed")
        .run()
        .prints("passed\n");
  }

  // What is left behind.

  @EverySetting
  void noProcessIsLeft(Setting setting) throws IOException {
    Path here = setting.user().work();
    String marker = "marker-" + here.getFileName();
    setting.run("--setenv", "MARKER", marker, "--", "true").run().exits(0);
    setting.run("--setenv", "MARKER", marker, "--chdir", "/nope", "--", "true").run().exits(125);
    assertEquals(List.of(), processesWith(marker));
    // The control: one that is there would be found.
    Path nowhere = Path.of("/dev/null");
    Process there =
        setting.user().call("sleep", "1000").env("MARKER", marker).start(nowhere, nowhere);
    try {
      assertFalse(processesWith(marker).isEmpty());
    } finally {
      there.destroy();
    }
  }

  private static List<String> processesWith(String marker) throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<ProcessHandle> all = ProcessHandle.allProcesses()) {
      for (ProcessHandle process : all.toList()) {
        for (String file : new String[] {"environ", "cmdline"}) {
          try {
            String text =
                Files.readString(
                    Path.of("/proc", Long.toString(process.pid()), file),
                    StandardCharsets.ISO_8859_1);
            if (text.contains(marker)) {
              found.add(text.replace('\0', ' '));
            }
          } catch (IOException e) {
            // It has ended, or is somebody else's.
          }
        }
      }
    }
    return found;
  }
}
