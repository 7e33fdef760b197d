package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Namespaces that the caller gives: those of another sandbox, and of unshare(1). */
final class GivenNamespacesIT {
  private static final int PATIENCE_SECONDS = 60;

  /** A process in whose namespaces others are to be, until it is told to end. */
  private static final class Host implements AutoCloseable {
    private final Path here;
    private final Process process;
    private final String pid;

    /** One whose process writes its id to the file {@code pid} there. */
    private Host(Path here, Call call) throws Exception {
      this.here = here;
      this.process = call.start(here.resolve("host.out"), here.resolve("host.err"));
      this.pid = await(here.resolve("pid"));
    }

    /** A sandbox that has its own of all kinds. */
    static Host sandbox(Setting setting) throws Exception {
      Path here = setting.user().work();
      setting.mustWork();
      String tell =
          "exec 9>info; \"$@\" & until grep -q '}' info; do sleep 0.05; done;"
              + " sed -n 's/.*child-pid\": \\([0-9]*\\).*/\\1/p' info >pid; wait";
      return new Host(
          here,
          setting
              .user()
              .call(Required.program("bash"), "-c", tell, "bash")
              .and(Installation.SCRIPT.toString())
              .and(setting.words("run", "--unshare-all", "--preset", "host", "--info-fd", "9"))
              .and("--bind", here.toString(), here.toString())
              .script("touch started; while ! [ -e done ]; do sleep 0.05; done")
              .in(here));
    }

    /** A user namespace, and one in it, whose process's id is in the file {@code inner}. */
    static Host twoUserNamespaces(CallingUser user) throws Exception {
      Path here = user.work();
      String outer =
          "unshare -U sh -c 'touch up; while ! [ -e done ]; do sleep 0.05; done' &"
              + " until [ -e up ]; do sleep 0.05; done; echo $! >inner; echo $$ >pid; wait";
      return new Host(
          here, user.call(Required.program("unshare"), "-Ur", "sh", "-c", outer).in(here));
    }

    String namespace(String name) throws Exception {
      return Files.readSymbolicLink(Path.of("/proc", pid, "ns", name)).toString();
    }

    @Override
    public void close() throws IOException {
      Files.writeString(here.resolve("done"), "");
      try {
        assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AssertionError("interrupted", e);
      }
    }
  }

  private static String await(Path file) throws Exception {
    for (int i = 0; i < 100 * PATIENCE_SECONDS; i++) {
      if (Files.exists(file) && Files.readString(file).endsWith("\n")) {
        return Files.readString(file).strip();
      }
      Thread.sleep(10);
    }
    throw new AssertionError("no " + file);
  }

  /** A call after descriptors 11 to 13 were opened. */
  private static Call with(Setting setting, String files, String... options) {
    setting.mustWork();
    List<String> words = new ArrayList<>(List.of("--preset", "host"));
    words.addAll(List.of(options));
    return setting
        .user()
        .call(Required.program("bash"), "-c", "exec " + files + "; exec \"$@\"", "bash")
        .and(Installation.SCRIPT.toString())
        .and(setting.words("run", words.toArray(String[]::new)));
  }

  private static String user(Host host) {
    return "11</proc/" + host.pid + "/ns/user";
  }

  private static String pid(Host host) {
    return "12</proc/" + host.pid + "/ns/pid";
  }

  private static final String WHERE = "readlink /proc/self/ns/user /proc/self/ns/pid";

  @EveryNativeSetting
  void theCommandIsInTheUserNamespace(Setting setting) throws Exception {
    try (Host host = Host.sandbox(setting)) {
      Ran ran = with(setting, user(host), "--userns", "11").script(WHERE).run().exits(0);
      assertEquals(host.namespace("user"), ran.lines().getFirst());
      assertNotEquals(host.namespace("pid"), ran.lines().getLast());
    }
  }

  /** The two belong to different user namespaces: init's is below the one that owns the pids. */
  @EveryNativeSetting
  void theCommandIsInThePidNamespaceToo(Setting setting) throws Exception {
    try (Host host = Host.sandbox(setting)) {
      Ran ran =
          with(setting, user(host) + " " + pid(host), "--userns", "11", "--pidns", "12")
              .script(WHERE + "; cat /proc/1/comm; exit 3")
              .run()
              .exits(3);
      assertEquals(
          List.of(host.namespace("user"), host.namespace("pid"), "cloister-init"), ran.lines());
    }
  }

  @EveryNativeSetting
  void aNewPidNamespaceIsBelowTheOther(Setting setting) throws Exception {
    try (Host host = Host.sandbox(setting)) {
      String files = user(host) + " " + pid(host);
      for (String more : List.of("--new-session", "--as-pid-1")) {
        Call call = with(setting, files, "--userns", "11", "--pidns", "12", "--unshare-pid", more);
        Ran ran = call.script(WHERE + "; cat /proc/1/comm; kill -USR1 $$; exit 4").run();
        ran.exits(more.equals("--as-pid-1") ? 4 : 128 + 10);
        assertEquals(host.namespace("user"), ran.lines().getFirst());
        assertNotEquals(host.namespace("pid"), ran.lines().get(1));
        assertEquals(more.equals("--as-pid-1") ? "sh" : "cloister-init", ran.lines().get(2));
      }
    }
  }

  /** Root needs no user namespace to enter a pid namespace; others do. */
  @EveryNativeSetting
  void onlyRootEntersAPidNamespaceAlone(Setting setting) throws Exception {
    try (Host host = Host.sandbox(setting)) {
      Call call = with(setting, pid(host), "--pidns", "12", "--proc", "/proc").script(WHERE);
      if (setting.user().isRoot()) {
        Ran ran = call.run().exits(0);
        assertNotEquals(host.namespace("user"), ran.lines().getFirst());
        assertEquals(host.namespace("pid"), ran.lines().getLast());
      } else {
        Ran ran = call.run().exits(125);
        assertTrue(ran.err().contains("--pidns") && ran.err().contains("--userns"), ran::toString);
      }
    }
  }

  /** What is outside kills, although two processes are between. */
  @EveryNativeSetting
  void allEndsWithTheProcessOutside(Setting setting) throws Exception {
    try (Host host = Host.sandbox(setting)) {
      Path here = setting.user().work();
      String seconds = "7733." + System.nanoTime() % 1_000_000;
      Process process =
          with(setting, user(host) + " " + pid(host), "--userns", "11", "--pidns", "12")
              .and("--unshare-pid")
              .script("setsid sleep " + seconds + " & wait")
              .start(here.resolve("out"), here.resolve("err"));
      awaitThat(true, seconds);
      process.destroyForcibly();
      awaitThat(false, seconds);
    }
  }

  private static void awaitThat(boolean runs, String word) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (runs != runs(word)) {
      assertTrue(System.nanoTime() < end, word + (runs ? " runs not" : " runs"));
      Thread.sleep(10);
    }
  }

  private static boolean runs(String word) {
    return ProcessHandle.allProcesses()
        .flatMap(process -> process.info().arguments().stream())
        .anyMatch(arguments -> List.of(arguments).contains(word));
  }

  /** What bubblewrap can do for root is not asked of it. */
  @EverySetting
  void bubblewrapGoesThereForOthersThanRoot(Setting setting) throws Exception {
    if (!setting.isBwrap()) {
      return;
    }
    try (Host host = Host.twoUserNamespaces(setting.user())) {
      Call call = with(setting, user(host), "--userns", "11").script(WHERE);
      if (setting.user().isRoot()) {
        Ran ran = call.run().exits(125);
        assertTrue(ran.err().contains("namespace that is given"), ran::toString);
      } else {
        assertEquals(host.namespace("user"), call.run().exits(0).lines().getFirst());
      }
    }
  }

  /** bubblewrap 0.8.0 goes on without what it is given as descriptor 0. */
  @EverySetting
  void bubblewrapGoesWhereStandardInputLeads(Setting setting) throws Exception {
    if (!setting.isBwrap() || setting.user().isRoot()) {
      return;
    }
    try (Host host = Host.twoUserNamespaces(setting.user())) {
      String inner = await(host.here.resolve("inner"));
      Path last = Path.of("/proc", inner, "ns", "user");
      Ran first =
          with(setting, "</proc/" + host.pid + "/ns/user", "--userns", "0").script(WHERE).run();
      assertEquals(host.namespace("user"), first.exits(0).lines().getFirst());
      Ran second =
          with(setting, user(host) + " <" + last, "--userns", "11", "--userns2", "0")
              .script(WHERE + "; ls /proc/self/fd")
              .run()
              .exits(0);
      assertEquals(Files.readSymbolicLink(last).toString(), second.lines().getFirst());
      // That of ls is not among the standard ones.
      assertEquals(List.of("0", "1", "2"), second.lines().subList(2, second.lines().size()));
    }
    Ran ran = with(setting, "</dev/null", "--pidns", "0").command("echo", "ran").run();
    ran.exits(125);
    assertEquals("", ran.out());
  }

  // What is wrong.

  @EveryNativeSetting
  void whatIsNoSuchNamespaceIsRefused(Setting setting) throws Exception {
    Path here = setting.user().work();
    String[][] wrong = {
      {"11</proc/self/ns/net", "--userns"},
      {"11</etc/passwd", "--userns"},
      {"11</proc/self/ns/user", "--userns"},
      {"11</proc/self/ns/net", "--userns2"},
      {"11</etc/passwd", "--pidns"},
      {"11</proc/self/ns/net", "--pidns"}
    };
    for (String[] each : wrong) {
      Ran ran =
          with(setting, each[0], each[1], "11", "--bind", here.toString(), "/here")
              .command("touch", "/here/ran")
              .run()
              .exits(125);
      assertTrue(ran.err().contains(each[1]), ran::toString);
      assertFalse(Files.exists(here.resolve("ran")));
    }
    // The same for both at once, which are entered in another order.
    for (String files :
        List.of("11</etc/passwd 12</proc/self/ns/pid", "11</proc/self/ns/user 12</etc/passwd")) {
      Ran ran = with(setting, files, "--userns", "11", "--pidns", "12").command("true").run();
      ran.exits(125);
      assertTrue(ran.err().contains("this descriptor is not of a"), ran::toString);
    }
  }

  /** It is somebody else's. */
  @EveryNativeSetting
  void anothersUserNamespaceIsRefused(Setting setting) throws Exception {
    if (setting.user().isRoot()) {
      return;
    }
    Required.that(CallingUser.own().isRoot(), "root, whose namespace it is");
    Setting root = new Setting(CallingUser.own(), setting.strategy());
    try (Host host = Host.sandbox(root)) {
      // Opened by root, who may look.
      String become = String.join(" ", setting.user().become());
      Ran ran =
          root.user()
              .call(Required.program("bash"), "-c")
              .and("exec " + user(host) + "; exec " + become + " \"$@\"", "bash")
              .and(Installation.SCRIPT.toString())
              .and(setting.words("run", "--userns", "11"))
              .command("true")
              .env("TMPDIR", setting.user().temporary().toString())
              .run()
              .exits(125);
      assertTrue(ran.err().contains("this user may not enter that user namespace"), ran::toString);
    }
  }

  // Two user namespaces, and what they are worth.

  private static String[] remounting(Path here, String... options) {
    List<String> words = new ArrayList<>(List.of(options));
    words.addAll(List.of("--ro-bind", here.toString(), "/x", "--cap-add", "CAP_SYS_ADMIN"));
    return words.toArray(String[]::new);
  }

  /**
   * In the given one alone, which then owns the mounts, a capability can undo what is read-only. In
   * another one below it cannot.
   */
  @EveryNativeSetting
  void onlyASecondOneLocksTheMounts(Setting setting) throws Exception {
    String remount = "mount -o remount,bind,rw /x 2>/dev/null && echo writable; exit 0";
    Path here = setting.user().work();
    try (Host host = Host.twoUserNamespaces(setting.user())) {
      String inner = await(host.here.resolve("inner"));
      String both = user(host) + " 13</proc/" + inner + "/ns/user";
      with(setting, both, remounting(here, "--userns", "11"))
          .script(remount)
          .run()
          .prints("writable\n");
      with(setting, both, remounting(here, "--userns", "11", "--userns2", "13"))
          .script(remount)
          .run()
          .prints("");
      Ran ran =
          with(setting, both, "--userns", "11", "--userns2", "13").script(WHERE).run().exits(0);
      assertEquals(
          Files.readSymbolicLink(Path.of("/proc", inner, "ns", "user")).toString(),
          ran.lines().getFirst());
    }
  }

  @EveryNativeSetting
  void nothingIsClaimedThatOthersCouldUndo(Setting setting) throws Exception {
    try (Host host = Host.sandbox(setting)) {
      for (String guarantee : List.of("own-user-namespace", "old-root-unreachable")) {
        with(setting, user(host), "--userns", "11", "--require", guarantee)
            .command("true")
            .run()
            .refuses(125, guarantee);
      }
      with(setting, user(host), "--userns", "11", "--require", "read-only-recursive")
          .command("true")
          .run()
          .exits(0);
      with(setting, user(host), "--userns", "11", "--require", "read-only-recursive")
          .and("--cap-add", "CAP_SYS_ADMIN")
          .command("true")
          .run()
          .refuses(125, "read-only-recursive");
    }
  }

  // Maps that others write.

  @EveryNativeSetting
  void othersMapTheIdsMeanwhile(Setting setting) throws Exception {
    setting.mustWork();
    Path here = setting.user().work();
    String map =
        """
        mkfifo ready; exec 7<>ready
        "$@" 9>info 8<&7 7>&- & until grep -q '}' info; do sleep 0.05; done
        pid=$(sed -n 's/.*child-pid": \\([0-9]*\\).*/\\1/p' info)
        echo deny >/proc/$pid/setgroups
        echo 7 $(id -u) 1 >/proc/$pid/uid_map && echo 8 $(id -g) 1 >/proc/$pid/gid_map || exit
        echo >&7
        wait $!
        """;
    for (String more : List.of("--unshare-uts", "--unshare-pid", "--unshare-net")) {
      Files.deleteIfExists(here.resolve("ready"));
      Files.deleteIfExists(here.resolve("info"));
      setting
          .user()
          .call(Required.program("bash"), "-c", map, "bash")
          .and(Installation.SCRIPT.toString())
          .and(setting.words("run", "--unshare-user", "--info-fd", "9", "--userns-block-fd", "8"))
          .and("--preset", "host", more)
          .script("id -u; id -g; touch /tmp/mine && stat -c %u /tmp/mine; ls /proc/self/fd | wc -l")
          .in(here)
          .run()
          .prints("7\n8\n7\n4\n");
    }
  }

  // Who is there already.

  /** A process that enters has descriptors of the host's, which those inside must not get at. */
  @EveryNativeSetting
  void noneTracesWhoEnters(Setting setting) {
    List<String> plan =
        setting
            .user()
            .cloister(setting.words("explain", "--userns", "0", "--", "true"))
            .run()
            .exits(0)
            .lines();
    int hides = indexOf(plan, "prctl(PR_SET_DUMPABLE, 0,");
    int enters = indexOf(plan, "setns(0, CLONE_NEWUSER)");
    assertTrue(hides >= 0 && hides < enters, plan::toString);
    assertEquals(-1, indexOf(plan, "prctl(PR_SET_DUMPABLE, 1,"));
  }

  private static int indexOf(List<String> lines, String part) {
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).contains(part)) {
        return i;
      }
    }
    return -1;
  }
}
