package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Signals, terminals and job control reach the command as if it had been started directly. */
final class SignalsIT {
  private static final int PATIENCE_SECONDS = 60;

  /** A sandbox that runs in the background, with a directory of the host's at {@code /here}. */
  private record Running(Process process, Path here) {
    static Running start(Setting setting, String script) throws Exception {
      Path here = setting.user().work();
      Path out = setting.user().write(here, "out", "");
      Path err = setting.user().write(here, "err", "");
      Process process =
          setting
              .run("--preset", "host", "--bind", here.toString(), "/here", "--chdir", "/here")
              .script(script)
              .start(out, err);
      Running running = new Running(process, here);
      running.await("ready");
      return running;
    }

    /** Waits until the script has made this file. */
    void await(String name) throws Exception {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
      while (!Files.exists(here.resolve(name))) {
        assertTrue(process.isAlive() && System.nanoTime() < end, this::error);
        Thread.sleep(10);
      }
    }

    void signal(String name) throws Exception {
      String pid = Long.toString(process.pid());
      assertEquals(0, new ProcessBuilder("kill", "-s", name, pid).start().waitFor());
    }

    int status() throws Exception {
      assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), "did not end");
      return process.exitValue();
    }

    String read(String name) throws IOException {
      return Files.readString(here.resolve(name));
    }

    private String error() {
      try {
        return "not ready: " + read("out") + read("err");
      } catch (IOException e) {
        return e.toString();
      }
    }
  }

  @EverySetting
  void aSignalToCloisterEndsTheCommand(Setting setting) throws Exception {
    Running running = Running.start(setting, "echo $$ >pid; touch ready; exec sleep 1000");
    Path command = Path.of("/proc", running.read("pid").strip());
    assertTrue(Files.exists(command));
    List<ProcessHandle> all = running.process().descendants().toList();

    running.signal("TERM");

    // 128+15, whether the process itself was killed or Cloister waited and says so.
    assertEquals(143, running.status());
    awaitEnd(command);
    assertTrue(all.stream().noneMatch(ProcessHandle::isAlive), all::toString);
  }

  /** The kernel may need a moment to clear a process away that its parent no longer waits for. */
  private static void awaitEnd(Path process) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (Files.exists(process)) {
      assertTrue(System.nanoTime() < end, process + " is still there");
      Thread.sleep(10);
    }
  }

  @EverySetting
  void everySignalReachesTheCommand(Setting setting) throws Exception {
    String script =
        """
        for s in HUP INT QUIT USR1 USR2 ALRM; do trap "echo $s; touch got-$s" $s; done
        trap "echo TERM; exit 7" TERM
        touch ready
        while :; do sleep 0.02; done
        """;
    Running running = Running.start(setting, script);
    List<String> signals = List.of("HUP", "INT", "QUIT", "USR1", "USR2", "ALRM");
    for (String signal : signals) {
      running.signal(signal);
      running.await("got-" + signal);
    }
    running.signal("TERM");
    assertEquals(7, running.status());
    List<String> all = new ArrayList<>(signals);
    all.add("TERM");
    assertEquals(all, running.read("out").lines().toList());
  }

  @EverySetting
  void aCommandThatDiesOfASignalSaysSo(Setting setting) {
    for (String signal : new String[] {"KILL", "SEGV"}) {
      int number = signal.equals("KILL") ? 9 : 11;
      setting
          .run("--", "sh", "-c", "ulimit -c 0; kill -" + signal + " $$")
          .run()
          .exits(128 + number);
    }
  }

  @EverySetting
  void ignoredSignalsStayIgnored(Setting setting) {
    String command = "kill -HUP $$; kill -INT $$; echo survived";
    setting
        .user()
        .shell(
            "trap '' HUP INT; exec %s run --strategy %s -- sh -c '%s'"
                .formatted(Installation.SCRIPT, setting.strategy(), command))
        .run()
        .prints("survived\n");
    // The control: nothing else keeps it alive.
    setting.run().script(command).run().exits(129);
  }

  @EverySetting
  void nohupWorks(Setting setting) {
    setting
        .user()
        .call("nohup", Installation.SCRIPT.toString())
        .and(setting.words("run", "--", "sh", "-c", "kill -HUP $$; echo survived"))
        .run()
        .prints("survived\n");
  }

  /** With SIGCHLD ignored nobody could learn how a process ended. */
  @EverySetting
  void childrenCanBeWaitedForWhateverTheCallerIgnores(Setting setting) {
    String python = Required.program("python3");
    String ignore =
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
            + " os.execv(sys.argv[1], sys.argv[1:])";
    setting
        .user()
        .call(python, "-c", ignore, Installation.SCRIPT.toString())
        .and(setting.words("run", "--", python, "-c"))
        .and("import subprocess; print(subprocess.call(['sh', '-c', 'exit 3']))")
        .run()
        .prints("3\n");
  }

  // On a terminal.

  /** The terminal's dialogue with {@code command}, which ends by itself. */
  private static Ran dialogue(CallingUser user, List<String> steps, String... command) {
    Path script = Installation.resource("terminal.py");
    return user.call(Required.program("python3"), script.toString())
        .and(steps.toArray(String[]::new))
        .command(command)
        .run();
  }

  private static String commandLine(Setting setting, String command) {
    return "%s run --strategy %s -- %s".formatted(Installation.SCRIPT, setting.strategy(), command);
  }

  @EverySetting
  void controlCEndsTheCommand(Setting setting) {
    String script =
        "trap : INT; "
            + commandLine(setting, "sh -c \"echo ready; exec sleep 1000\"")
            + "; echo \"status $?\"";
    Ran ran = dialogue(setting.user(), List.of("expect ready", "send \\x03"), "sh", "-c", script);
    assertTrue(ran.exits(0).out().contains("status 130\n"), ran::toString);
  }

  /** A command that handles it goes on. Not with bwrap, whose own process that waits dies of it. */
  @EveryNativeSetting
  void controlCDoesNotEndACommandThatHandlesIt(Setting setting) {
    String python = Required.program("python3");
    String command =
        "import signal, time; caught = []; signal.signal(signal.SIGINT, lambda *_: caught.append(1));"
            + " print('ready', flush=True); input(); time.sleep(0.2); print('caught', len(caught))";
    Ran ran =
        dialogue(
            setting.user(),
            List.of("expect ready", "send \\x03", "expect ^C", "send \\n", "expect caught"),
            Installation.SCRIPT.toString(),
            "run",
            "--strategy",
            setting.strategy(),
            "--",
            python,
            "-c",
            command);
    assertTrue(ran.exits(0).hasLine("caught 1"), ran::toString);
  }

  @EverySetting
  void jobControlStopsAndContinuesTheCommand(Setting setting) {
    String bash = Required.program("bash");
    List<String> steps =
        List.of(
            "expect bash-",
            "send "
                + commandLine(setting, "sh -c 'echo re''ady; read a; echo \"got $a\"; exit 3'")
                + "\\n",
            "expect ready",
            "send \\x1a",
            "expect Stopped",
            // The prompt: before it the terminal is not the shell's yet, and loses what is typed.
            "expect bash-",
            // Should a character be lost all the same, it is this one.
            "send \\n",
            "expect bash-",
            "send fg\\n",
            // The shell names the command that goes on.
            "expect sh -c",
            "send line\\n",
            "expect got line",
            "expect bash-",
            "send echo \"status $?\"\\n",
            "expect status 3",
            "send exit\\n");
    dialogue(setting.user(), steps, bash, "--norc", "--noprofile", "-i").exits(0);
  }

  @EverySetting
  void theTerminalIsTheCommands(Setting setting) {
    Ran ran =
        dialogue(
            setting.user(),
            List.of(),
            Installation.SCRIPT.toString(),
            "run",
            "--strategy",
            setting.strategy(),
            "--dev-bind",
            "/",
            "/",
            "--",
            "sh",
            "-c",
            "tty; stty size");
    assertTrue(ran.exits(0).out().startsWith("/dev/pts/"), ran::toString);
    assertFalse(ran.out().contains("not a tty"), ran::toString);
  }
}
