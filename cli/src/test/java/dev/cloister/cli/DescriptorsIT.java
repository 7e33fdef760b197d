package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Options that name descriptors of the caller's, through the command line. */
final class DescriptorsIT {
  /** Says which are open, without one of its own. */
  private static final String OPEN =
      "i=0; while [ $i -lt 120 ]; do [ ! -e /proc/self/fd/$i ] || printf '%s ' $i; i=$((i+1));"
          + " done; echo";

  /** A call of Cloister after a shell has done something to its descriptors. */
  private static Call after(Setting setting, String redirections, String... options) {
    setting.mustWork();
    return setting
        .user()
        .call(Required.program("bash"), "-c", "exec " + redirections + "; exec \"$@\"", "bash")
        .and(Installation.SCRIPT.toString())
        .and(setting.words("run", "--preset", "host"))
        .and(options);
  }

  @EverySetting
  void theCommandHasNoneThatAreNotItsOwn(Setting setting) {
    after(setting, "3</dev/null 9</usr 10</usr 11</usr 100</usr")
        .script(OPEN)
        .run()
        .prints("0 1 2 \n");
  }

  @EverySetting
  void dataIsCopiedFromAnyNumber(Setting setting) {
    for (String number : List.of("3", "9", "10", "11", "64", "65", "100")) {
      String redirection = number + "<<<'in " + number + "'";
      after(setting, redirection, "--file", number, "/tmp/a")
          .script("cat /tmp/a; stat -c %a /tmp/a; " + OPEN)
          .run()
          .prints("in " + number + "\n666\n0 1 2 \n");
    }
  }

  /** bubblewrap reads it itself, and says so in its own words. */
  @EveryNativeSetting
  void whatCannotBeReadIsNamedWithItsOptions(Setting setting) {
    String hint = "\nhint: --file, --bind-data and --ro-bind-data need something to read, and ";
    Ran directory = after(setting, "9</usr", "--file", "9", "/tmp/a").command("true").run();
    directory.refuses(125, "EISDIR");
    assertTrue(
        directory.err().endsWith(hint + "descriptor 9 leads to a directory\n"),
        directory::toString);
    Ran closed = after(setting, "9>/dev/null", "--file", "9", "/tmp/a").command("true").run();
    closed.refuses(125, "EBADF");
    assertTrue(
        closed.err().endsWith(hint + "descriptor 9 is not open for reading\n"), closed::toString);
  }

  @EverySetting
  void standardInputIsUsedUp(Setting setting) {
    after(setting, "<<<hello", "--file", "0", "/tmp/a")
        .script("cat /tmp/a; " + OPEN)
        .run()
        .prints("hello\n1 2 \n");
  }

  @EverySetting
  void permissionsAreAskedFor(Setting setting) {
    after(
            setting,
            "3<<<3 4<<<4 5<<<5 6<<<6 7<<<7",
            "--bind-data 3 /tmp/a --ro-bind-data 4 /tmp/b --perms 0640 --file 5 /tmp/c"
                .split(" ", -1))
        .and("--perms", "0604", "--bind-data", "6", "/tmp/d")
        .and("--perms", "0755", "--ro-bind-data", "7", "/tmp/e/f")
        .script("stat -c '%a %n' /tmp/? /tmp/e/f; cat /tmp/[a-d] /tmp/e/f")
        .run()
        .prints(
            "600 /tmp/a\n600 /tmp/b\n640 /tmp/c\n604 /tmp/d\n755 /tmp/e\n755 /tmp/e/f\n"
                + "3\n4\n5\n6\n7\n");
  }

  /** Java has a pipe under that number. */
  @EverySetting
  void standardOutputIsTheCallers(Setting setting) {
    Path work = setting.user().work();
    setting.user().write(work, "in", "text\n");
    after(setting, "1<" + work + "/in", "--file", "1", "/tmp/a")
        .script("exec 1>&2; cat /tmp/a; " + OPEN)
        .run()
        .writes("text\n0 1 2 \n");
    after(setting, "1<" + work, "--ro-bind-fd", "1", "/tmp/a")
        .script("cat /tmp/a/in >&2")
        .run()
        .writes("text\n");
    after(setting, "1</dev/null", "--block-fd", "1", "--sync-fd", "1")
        .script("echo ran >&2")
        .run()
        .writes("ran\n");
    after(setting, "1>&-", "--block-fd", "1")
        .script("echo ran >&2")
        .run()
        .refuses(125, "--block-fd 1: not an open descriptor");
    for (String option : List.of("--args", "--seccomp", "--add-seccomp-fd")) {
      after(setting, "1</dev/null", option, "1")
          .script("echo ran >&2")
          .run()
          .refuses(125, option + " 1: cannot be read", "Java");
    }
  }

  @EverySetting
  void whatIsHeldMayBeUsedBesides(Setting setting) {
    for (String number : List.of("0", "9", "100")) {
      after(setting, number + "</dev/null", "--block-fd", number, "--sync-fd", number)
          .script(OPEN)
          .run()
          .prints(number.equals("0") ? "1 2 \n" : "0 1 2 \n");
    }
    after(setting, "9<<<text", "--sync-fd", "9", "--file", "9", "/tmp/a")
        .script("cat /tmp/a; " + OPEN)
        .run()
        .prints("text\n0 1 2 \n");
  }

  /** A launcher that was kept reads it as the first one did. */
  @EverySetting
  void aSecondCallReadsAnew(Setting setting) {
    for (String text : List.of("first", "second")) {
      after(setting, "7<<<" + text, "--ro-bind-data", "7", "/tmp/a")
          .script("cat /tmp/a")
          .run()
          .prints(text + "\n");
    }
    Ran closed = after(setting, "7<&-", "--ro-bind-data", "7", "/tmp/a").script("echo ran").run();
    closed.exits(125);
    assertEquals("", closed.out());
    assertTrue(closed.err().contains("--ro-bind-data 7: not an open descriptor"), closed::toString);
  }

  @EverySetting
  void whatIsClosedIsRefused(Setting setting) {
    for (String[] options :
        new String[][] {
          {"--file", "7", "/tmp/a"},
          {"--bind-data", "7", "/tmp/a"},
          {"--ro-bind-fd", "7", "/tmp/a"},
          {"--sync-fd", "7"},
          {"--block-fd", "7"}
        }) {
      Ran ran = after(setting, "7<&- 8</", options).script("echo ran").run();
      ran.refuses(125, "7");
      // In the hint, where a launcher that was kept finds it out.
      assertTrue(ran.err().contains(options[0] + " 7: not an open descriptor"), ran::toString);
    }
  }

  @EverySetting
  void aClosedStandardInputIsNoData(Setting setting) {
    Ran ran = after(setting, "0<&-", "--file", "0", "/tmp/a").script("echo ran").run();
    ran.exits(125);
    assertTrue(ran.err().contains("--file 0: not an open descriptor"), ran::toString);
  }

  @EverySetting
  void whatCannotBeReadIsAnError(Setting setting) {
    Ran ran = after(setting, "7</usr", "--file", "7", "/tmp/a").script("echo ran").run();
    assertTrue(ran.status() != 0, ran::toString);
    assertEquals("", ran.out());
  }

  @EverySetting
  void directoriesAndFilesAreBound(Setting setting) throws IOException {
    Path work = setting.user().work();
    setting.user().write(work.resolve("d"), "file", "text");
    String redirections = "7<" + work + "/d 100<" + work + "/d/file 5<" + work + "/d";
    Ran ran =
        after(setting, redirections, "--bind-fd", "7", "/tmp/d", "--ro-bind-fd", "5", "/tmp/r")
            .and("--ro-bind-fd", "100", "/tmp/f/file")
            .script(
                "cat /tmp/f/file /tmp/d/file; touch /tmp/d/new; touch /tmp/r/no 2>&- || echo ro;"
                    + OPEN)
            .run();
    ran.prints("texttextro\n0 1 2 \n");
    assertTrue(Files.exists(work.resolve("d/new")));
  }

  @EverySetting
  void whatHasNoPathIsNotBound(Setting setting) throws IOException {
    after(setting, "7< <(true)", "--bind-fd", "7", "/tmp/d")
        .script("echo ran")
        .run()
        .refuses(125, "--bind-fd 7", "pipe:");
    Path gone = setting.user().work().resolve("gone");
    Ran ran =
        after(setting, "7<>" + gone + "; rm " + gone, "--bind-fd", "7", "/tmp/d")
            .script("echo ran")
            .run();
    ran.refuses(125, "--bind-fd 7", "gone");
  }

  @EverySetting
  void theCommandHasTheNameThatIsAskedFor(Setting setting) {
    setting.run("--argv0", "right").command("sh", "-c", "echo $0").run().prints("right\n");
    setting.run("--argv0", "").command("sh", "-c", "echo \"<$0>\"").run().prints("<>\n");
  }

  @EverySetting
  void aLockIsHeldAndLetGo(Setting setting) {
    Path work = setting.user().work();
    Path lock = setting.user().write(work, "lock", "");
    String lockIt =
        "import fcntl; fcntl.lockf(open('%s', 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
            .formatted(lock);
    List<String> namespaces = List.of("--unshare-pid", "--unshare-uts");
    for (String option : namespaces) {
      setting
          .run("--preset", "host", "--bind", work.toString(), work.toString(), option)
          .and("--lock-file", lock.toString())
          .command(Required.program("python3"), "-c", lockIt)
          .run()
          .exits(1);
      setting.user().call(Required.program("python3"), "-c", lockIt).run().exits(0);
    }
    Ran ran = setting.run("--preset", "host", "--lock-file", "/nope").script("echo ran").run();
    ran.exits(125);
    assertEquals("", ran.out());
    assertTrue(ran.err().contains("--lock-file: there is no /nope"), ran::toString);
  }

  /** The kill of whoever called ends the command, and so the lock. */
  @EverySetting
  void aLockEndsWithTheCaller(Setting setting) throws Exception {
    Path work = setting.user().work();
    Path lock = setting.user().write(work, "lock", "");
    String tryIt =
        "import fcntl, time\n"
            + "def free():\n"
            + "  try: fcntl.lockf(open('%s', 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB); return True\n"
            + "  except OSError: return False\n"
            + "for i in range(3000):\n"
            + "  if free() == (%s): exit(0)\n"
            + "  time.sleep(.01)\n"
            + "exit(1)";
    for (String option : List.of("--unshare-pid", "--unshare-uts")) {
      List<String> words = new ArrayList<>(List.of(setting.words("run", "--preset", "host")));
      words.addAll(List.of("--die-with-parent", option, "--lock-file", lock.toString()));
      words.addAll(List.of("--bind", work.toString(), work.toString(), "--", "sleep", "100"));
      Path script = Installation.SCRIPT;
      Call caller =
          setting
              .user()
              .call(Required.program("bash"), "-c", "\"$@\"; true", "bash", script.toString())
              .and(words.toArray(String[]::new));
      Process process = caller.start(work.resolve("out"), work.resolve("err"));
      String python = Required.program("python3");
      setting.user().call(python, "-c", tryIt.formatted(lock, "False")).run().exits(0);
      process.destroyForcibly();
      setting.user().call(python, "-c", tryIt.formatted(lock, "True")).run().exits(0);
      process.waitFor();
    }
  }

  @EveryUser
  void explainShowsWhatIsRead(CallingUser user) {
    Ran ran =
        user.call(Required.program("bash"), "-c", "exec 7</dev/null; exec \"$@\"", "bash")
            .and(Installation.SCRIPT.toString(), "explain", "--preset", "host")
            .and("--file", "7", "/tmp/a", "--block-fd", "7", "--argv0", "name", "--", "true")
            .run();
    ran.exits(0);
    assertTrue(ran.out().contains("read(7, buffer, 65536)"), ran::toString);
    assertTrue(ran.out().contains("execve(\"true\", [\"name\", ...], environment)"), ran::toString);
  }

  @EveryUser
  void anEmittedLauncherReadsItsCallers(CallingUser user) throws IOException {
    Path launcher = Files.createTempDirectory(Installation.BASE, "emitted").resolve("launcher");
    Files.setPosixFilePermissions(
        launcher.getParent(), java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
    CallingUser.own()
        .cloister("emit", "-o", launcher.toString(), "--file", "7", "/tmp/a", "--preset", "host")
        .and("--ro-bind-data", "8", "/tmp/b", "--argv0", "n", "--", "sh", "-c", "cat /tmp/[ab]")
        .run()
        .exits(0);
    user.call(Required.program("bash"), "-c", "exec 7<<<7 8<<<8; exec \"$@\"", "bash")
        .and(launcher.toString())
        .run()
        .prints("7\n8\n");
    CallingUser.own()
        .cloister("emit", "-o", launcher + "2", "--bind-fd", "7", "/tmp/a", "--", "true")
        .run()
        .refuses(125, "--bind-fd 7 /tmp/a", "cannot be baked");
  }
}
