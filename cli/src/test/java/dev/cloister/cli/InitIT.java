package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A pid namespace and its init; who ends with whom; time limits. */
final class InitIT {
  private static final int PATIENCE_SECONDS = 60;

  /** A background process of the payload's that nothing else on this machine is like. */
  private static String mark(Setting setting) {
    return "77" + Math.abs(setting.hashCode() % 100_000) + "." + System.nanoTime() % 1_000_000;
  }

  /** Whether the payload runs; who is still on the way to it has the mark behind other words. */
  private static boolean runs(String seconds) {
    return arguments().anyMatch(List.of(seconds)::equals);
  }

  /** Whether there is anybody who has to do with it. */
  private static boolean isLeft(String seconds) {
    return arguments().anyMatch(arguments -> arguments.contains(seconds));
  }

  private static Stream<List<String>> arguments() {
    return ProcessHandle.allProcesses()
        .flatMap(process -> process.info().arguments().stream())
        .map(List::of);
  }

  private static void awaitThat(boolean runs, String seconds) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (runs ? !runs(seconds) : isLeft(seconds)) {
      assertTrue(System.nanoTime() < end, "sleep " + seconds + (runs ? " runs not" : " runs"));
      Thread.sleep(10);
    }
  }

  private static Process start(Call call) throws Exception {
    Path out = Files.createTempFile(Installation.BASE, "out", "");
    return call.start(out, Files.createTempFile(Installation.BASE, "err", ""));
  }

  private static int status(Process process) throws Exception {
    assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), "did not end");
    return process.exitValue();
  }

  private static void kill(Process process, String signal) throws Exception {
    String pid = Long.toString(process.pid());
    assertEquals(0, new ProcessBuilder("kill", "-s", signal, pid).start().waitFor());
  }

  @EverySetting
  void theCommandAndItsInitAreAlone(Setting setting) {
    String script = "echo $$; cd /proc; for p in [0-9]*; do [ -d $p ] && echo $p; done";
    setting.run("--unshare-pid", "--preset", "host").script(script).run().prints("2\n1\n2\n");
    setting.run("--unshare-pid").command("sh", "-c", script).run().prints("2\n1\n2\n");
  }

  @EverySetting
  void endsAsTheCommandEnds(Setting setting) {
    for (int status : List.of(0, 1, 42, 125, 255)) {
      setting.run("--unshare-pid").script("exit " + status).run().exits(status);
    }
    setting.run("--unshare-pid").script("kill -USR1 $$; sleep 9").run().exits(128 + 10);
    setting.run("--unshare-pid").command("/etc/passwd").run().exits(126);
    setting.run("--unshare-pid").command("not-there").run().exits(127);
  }

  /** Processes whose parents have ended are children of the init, which must wait for them. */
  @EverySetting
  void orphansAreReaped(Setting setting) {
    String script =
        """
        for i in 1 2 3 4 5; do (sh -c 'true &' &); done
        n=0
        while [ "$(ps -e -o stat= | grep -c Z)" != 0 ]; do sleep 0.05; n=$((n+1)); [ $n -lt 99 ] || exit 1; done
        ps -e -o pid=,comm= | head -n 1
        """;
    Ran ran = setting.run("--unshare-pid").script(script).run().exits(0);
    assertEquals(List.of("1", "cloister-init"), List.of(ran.out().strip().split("\\s+", -1)));
  }

  @EverySetting
  void whatTheCommandLeavesEndsWithIt(Setting setting) throws Exception {
    String mark = mark(setting);
    setting.run("--unshare-pid").script("setsid sleep " + mark + " & exit 3").run().exits(3);
    awaitThat(false, mark);
  }

  @EverySetting
  void signalsReachTheCommandThroughItsInit(Setting setting) throws Exception {
    Path here = setting.user().work();
    String script =
        """
        for s in HUP INT QUIT USR1 USR2; do trap "touch got-$s" $s; done
        trap "exit 7" TERM
        touch ready
        while :; do sleep 0.02; done
        """;
    Process process =
        start(
            setting
                .run("--unshare-pid", "--preset", "host", "--bind", here.toString(), "/here")
                .and("--chdir", "/here")
                .script(script));
    awaitFile(here.resolve("ready"));
    for (String signal : List.of("HUP", "INT", "QUIT", "USR1", "USR2")) {
      kill(process, signal);
      awaitFile(here.resolve("got-" + signal));
    }
    kill(process, "TERM");
    assertEquals(7, status(process));
  }

  private static void awaitFile(Path file) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!Files.exists(file)) {
      assertTrue(System.nanoTime() < end, "no " + file);
      Thread.sleep(10);
    }
  }

  @EveryNativeSetting
  void theCommandCanBeProcessOne(Setting setting) {
    String script = "echo $$; kill -TERM $$; echo alive";
    setting.run("--unshare-pid", "--as-pid-1").script(script).run().prints("1\nalive\n");
  }

  @EverySetting
  void bubblewrapIsRefusedForWhatItCannotSignal(Setting setting) {
    if (setting.isBwrap()) {
      Ran ran = setting.run("--unshare-pid", "--as-pid-1", "--", "true").run().exits(125);
      assertTrue(ran.err().contains("--as-pid-1"), ran::toString);
    }
  }

  /** With kill -9 nobody can do anything any more, but the end of the lifeline shows. */
  @EverySetting
  void allEndsWithTheProcessOutside(Setting setting) throws Exception {
    String mark = mark(setting);
    Process process =
        start(setting.run("--unshare-pid").script("setsid sleep " + mark + " & wait"));
    awaitThat(true, mark);
    kill(process, "KILL");
    assertEquals(128 + 9, status(process));
    awaitThat(false, mark);
  }

  private static Process startInShell(Setting setting, String mark, String... options)
      throws Exception {
    List<String> words = new ArrayList<>(List.of("sh", "-c", "\"$@\" & wait", "sh"));
    words.add(Installation.SCRIPT.toString());
    words.addAll(List.of(setting.words("run", options)));
    words.addAll(List.of("--", "sleep", mark));
    setting.run().command("true").run();
    Process shell = start(setting.user().call(words.toArray(String[]::new)));
    awaitThat(true, mark);
    return shell;
  }

  /** The control: without the option the command goes on. */
  @EverySetting
  void theCommandOutlivesItsCallerUnlessToldNotTo(Setting setting) throws Exception {
    String mark = mark(setting);
    kill(startInShell(setting, mark), "KILL");
    Thread.sleep(200);
    assertTrue(runs(mark));
    new ProcessBuilder("pkill", "-f", "^sleep " + mark).start().waitFor();
  }

  @EverySetting
  void theCommandEndsWithItsCaller(Setting setting) throws Exception {
    for (List<String> more : List.of(List.<String>of(), List.of("--unshare-pid"))) {
      String mark = mark(setting);
      List<String> options = new ArrayList<>(List.of("--die-with-parent"));
      options.addAll(more);
      kill(startInShell(setting, mark, options.toArray(String[]::new)), "KILL");
      awaitThat(false, mark);
    }
  }

  /** Without a pid namespace there is no init, and the command itself hears of it. */
  @EverySetting
  void theCommandEndsWithTheProcessThatWaits(Setting setting) throws Exception {
    String mark = mark(setting);
    Process process = start(setting.run("--die-with-parent").command("sleep", mark));
    awaitThat(true, mark);
    kill(process, "KILL");
    awaitThat(false, mark);
  }

  @EverySetting
  void aTimeLimitEndsTheCommand(Setting setting) throws Exception {
    for (List<String> more : List.of(List.<String>of(), List.of("--unshare-pid"))) {
      String mark = mark(setting);
      Call call = setting.run("--timeout", "0.3s");
      more.forEach(call::and);
      Ran ended =
          call.script("trap 'echo asked; exit 3' TERM; sleep " + mark + " & wait; wait").run();
      assertEquals("asked\n", ended.exits(124).out());
      Call stubborn = setting.run("--timeout", "200ms", "--kill-after", "0.2");
      more.forEach(stubborn::and);
      stubborn.script("trap '' TERM; while :; do sleep 0.1; done").run().exits(124);
      Call inTime = setting.run("--timeout", "1h");
      more.forEach(inTime::and);
      inTime.script("exit 5").run().exits(5);
      new ProcessBuilder("pkill", "-f", "^sleep " + mark).start().waitFor();
    }
  }

  @EverySetting
  void aTimeLimitEndsAllInAPidNamespace(Setting setting) throws Exception {
    String mark = mark(setting);
    setting
        .run("--unshare-pid", "--timeout", "0.3")
        .script("setsid sleep " + mark + " & wait")
        .run()
        .exits(124);
    awaitThat(false, mark);
  }

  @EverySetting
  void aNewSessionHasNoTerminal(Setting setting) {
    String script = "ps -o sid= -p $$ | tr -d ' '; echo $$; (: </dev/tty) 2>/dev/null || echo none";
    for (String more : List.of("--verbose", "--unshare-pid")) {
      Ran ran = setting.run("--new-session", more, "--preset", "host").script(script).run();
      List<String> lines = ran.exits(0).lines();
      assertEquals(lines.get(0), lines.get(1));
      assertEquals("none", lines.get(2));
    }
  }

  /**
   * Who waits must not hold the other end of what the command is connected to. bubblewrap's waiting
   * process does.
   */
  @EveryNativeSetting
  void theCommandsOutputEndsWhenItClosesIt(Setting setting) throws Exception {
    for (String option : List.of("--unshare-pid", "--new-session")) {
      String mark = mark(setting);
      List<String> words = new ArrayList<>(List.of("sh", "-c", "(\"$@\" &) | cat; echo end", "sh"));
      words.add(Installation.SCRIPT.toString());
      words.addAll(List.of(setting.words("run", option)));
      words.addAll(List.of("--", "sh", "-c", "exec sleep " + mark + " >&- 2>&-"));
      Process process =
          new ProcessBuilder(prefixed(setting, words)).redirectErrorStream(true).start();
      byte[] end = process.getInputStream().readNBytes(4);
      assertEquals("end\n", new String(end, StandardCharsets.UTF_8));
      new ProcessBuilder("pkill", "-f", "^sleep " + mark).start().waitFor();
    }
  }

  private static List<String> prefixed(Setting setting, List<String> words) {
    List<String> all = new ArrayList<>(setting.user().become());
    all.addAll(List.of("env", "TMPDIR=" + setting.user().temporary()));
    all.addAll(words);
    return all;
  }

  /** What Cloister was called with is not for the command to read; nor its environment. */
  @EverySetting
  void theInitKeepsWhatItKnows(Setting setting) {
    String script =
        """
        tr '\\0' ' ' </proc/1/cmdline | tr -d ' '
        cat /proc/1/environ >/dev/null 2>&1 && echo environ
        ls /proc/1/cwd/ >/dev/null 2>&1 && echo cwd
        ls /proc/1/root/ >/dev/null 2>&1 && echo root
        kill -9 1 2>/dev/null
        kill -STOP 1 2>/dev/null
        echo end
        """;
    setting
        .run("--unshare-pid", "--setenv", "SECRET", "hush", "--preset", "host")
        .script(script)
        .run()
        .prints("cloister-initend\n");
  }

  /** A container hides parts of its /proc, and the kernel then gives no other, which shows them. */
  @EverySetting
  void aMaskedProcIsSharedAndSaid(Setting setting) {
    Required.that(CallingUser.own().isRoot(), "root, who can mask a part of /proc");
    List<String> words =
        new ArrayList<>(List.of(Required.program("unshare"), "--mount", "sh", "-c"));
    words.add("mount --bind /dev/null /proc/version && exec \"$@\"");
    words.add("sh");
    words.addAll(setting.user().become());
    words.add(Installation.SCRIPT.toString());
    words.addAll(List.of(setting.words("run", "--unshare-pid", "--preset", "host")));
    words.addAll(List.of("--", "sh", "-c", "echo $$; cat /proc/self/comm"));
    Ran ran =
        CallingUser.own()
            .call(words.toArray(String[]::new))
            .env("HOME", setting.user().home().toString())
            .env("TMPDIR", setting.user().temporary().toString())
            .run();
    if (setting.user().isRoot()) {
      // The kernel refuses that only in user namespaces.
      assertEquals("2\ncat\n", ran.exits(0).out(), ran::toString);
      assertFalse(ran.err().contains("--proc"), ran::toString);
    } else if (setting.isBwrap()) {
      ran.exits(125);
    } else {
      assertEquals("2\ncat\n", ran.exits(0).out(), ran::toString);
      assertTrue(ran.err().contains("--proc: the kernel allows no new /proc here"), ran::toString);
    }
  }
}
