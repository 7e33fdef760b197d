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

/** Every option of {@code run}, each for what it means. */
final class OptionsIT {
  /** The host's programs, and no mount that a test would want to make itself. */
  private static final String[] PROGRAMS = {"--preset", "host"};

  private static Call run(Setting setting, String... options) {
    return setting.run(PROGRAMS).and(options);
  }

  /** A directory of the user's with a file in it. */
  private static Path shared(Setting setting) {
    Path directory = setting.user().work();
    setting.user().write(directory, "file", "content\n");
    return directory;
  }

  @EverySetting
  void bindIsWritableAndRoBindIsNot(Setting setting) throws IOException {
    Path host = shared(setting);
    Ran ran =
        run(setting, "--bind", host.toString(), "/rw", "--ro-bind", host.toString(), "/ro/below")
            .script("cat /rw/file; echo new >/rw/new; cat /ro/below/new; echo no >/ro/below/no")
            .run();

    assertEquals("content\nnew\n", ran.out(), ran::toString);
    assertTrue(ran.err().contains("Read-only file system"), ran::toString);
    assertEquals("new\n", Files.readString(host.resolve("new")));
    assertFalse(Files.exists(host.resolve("no")));
  }

  @EverySetting
  void onlyDevBindAllowsDevices(Setting setting) {
    Ran ran =
        run(setting, "--dev-bind", "/dev/null", "/x/with", "--bind", "/dev/null", "/x/without")
            .script("echo >/x/with && echo with; echo >/x/without && echo without")
            .run();
    assertEquals("with\n", ran.out(), ran::toString);
    assertTrue(ran.err().contains("/x/without: Permission denied"), ran::toString);
  }

  @EverySetting
  void tryPassesOverWhatIsMissing(Setting setting) {
    Path host = shared(setting);
    String source = host.toString();
    run(setting, "--bind-try", "/does/not/exist", "/no", "--bind-try", source, "/a")
        .and("--ro-bind-try", "/does/not/exist", "/no", "--ro-bind-try", source, "/b")
        .and("--dev-bind-try", "/does/not/exist", "/no", "--dev-bind-try", source, "/c")
        .script("cat /a/file /b/file /c/file; test -e /no || echo none")
        .run()
        .prints("content\ncontent\ncontent\nnone\n");
  }

  @EverySetting
  void bindsFilesOntoFilesAndNewPlaces(Setting setting) {
    Path file = shared(setting).resolve("file");
    run(
            setting,
            "--bind",
            file.toString(),
            "/new/place/file",
            "--ro-bind",
            file.toString(),
            "/etc/passwd")
        .command("cat", "/new/place/file", "/etc/passwd")
        .run()
        .prints("content\ncontent\n");
  }

  /** A relative source is one below the working directory. */
  @EverySetting
  void bindsWhatARelativeOrLinkedPathNames(Setting setting) throws IOException {
    Path host = shared(setting);
    Files.createSymbolicLink(host.resolve("link"), Path.of("file"));
    // More .. than there are directories: it must not end in the sandbox's own root.
    Files.createSymbolicLink(
        host.resolve("far"), Path.of("../../../../../../../../../..").resolve("." + host));
    run(setting, "--bind", "file", "/a", "--bind", "link", "/b", "--bind", "far", "/c")
        .command("cat", "/a", "/b", "/c/file")
        .in(host)
        .run()
        .prints("content\ncontent\ncontent\n");
  }

  @EverySetting
  void laterMountsLieOnTop(Setting setting) {
    Path host = shared(setting);
    String source = host.toString();
    run(setting, "--bind", source, "/a", "--tmpfs", "/a")
        .command("ls", "-A", "/a")
        .run()
        .prints("");
    run(
            setting,
            "--tmpfs",
            "/a",
            "--bind",
            source,
            "/a/b",
            "--tmpfs",
            "/a/b/c",
            "--dir",
            "/a/b/c/d")
        .command("ls", "-AR", "/a")
        .run()
        .prints("/a:\nb\n\n/a/b:\nc\nfile\n\n/a/b/c:\nd\n\n/a/b/c/d:\n");
    assertTrue(Files.isDirectory(host.resolve("c")), "a mount point in a writable bind is made");
  }

  @EverySetting
  void rootCanBeBoundItself(Setting setting) {
    Path host = shared(setting);
    setting
        .run("--dev-bind", "/", "/", "--tmpfs", "/mnt")
        .script("cat " + host + "/file; ls -A /mnt; id -u")
        .run()
        .prints("content\n" + setting.user().uid() + "\n");
  }

  @EverySetting
  void tmpfsIsEmptyWritableAndGoneAfterwards(Setting setting) {
    run(setting, "--tmpfs", "/scratch", "--tmpfs", "/etc")
        .script("stat -c '%a %u' /scratch; echo a >/scratch/a; cat /scratch/a; ls -A /etc")
        .run()
        .prints("755 " + setting.user().uid() + "\na\n");
    assertFalse(Files.exists(Path.of("/scratch")));
  }

  @EverySetting
  void directoriesAndLinks(Setting setting) {
    run(setting, "--dir", "/a/b", "--dir", "/a/b", "--symlink", "b/no-such", "/a/link")
        .and("--symlink", "b", "/a/c", "--symlink", "b", "/a/c")
        .script("stat -c '%a %F' /a/b; readlink /a/link /a/c; test -d /a/c/. && echo dir")
        .run()
        .prints("755 directory\nb/no-such\nb\ndir\n");
  }

  /** Links are followed where they lead to in the sandbox, as {@code /var/run} does on hosts. */
  @EverySetting
  void mountsThroughLinksThatStayInside(Setting setting) throws IOException {
    Path host = shared(setting);
    setting.user().give(Files.createDirectory(host.resolve("real")));
    Files.createSymbolicLink(host.resolve("link"), Path.of("real"));
    run(setting, "--bind", host.toString(), "/work", "--ro-bind", "/etc", "/work/link/etc")
        .command("ls", "-d", "/work/real/etc/passwd")
        .run()
        .prints("/work/real/etc/passwd\n");
  }

  @EverySetting
  void procAndDev(Setting setting) {
    Ran ran =
        setting
            .run("--preset", "none", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin")
            .and("--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64")
            .and("--proc", "/proc", "--dev", "/dev")
            .script(
                "ls /dev; head -c 3 /dev/zero | wc -c; readlink /proc/self/exe; stat -c %a /dev/shm")
            .run()
            .exits(0);
    assertEquals(
        List.of(
            "core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero"
                .split(" ")),
        ran.lines().subList(0, 14).stream().filter(name -> !name.equals("console")).toList());
    ran.assertLine("3");
    ran.assertLine("1777");
    assertTrue(ran.out().contains("/usr/bin/readlink"), ran::toString);
  }

  @EverySetting
  void aTerminalCanBeOpenedInDev(Setting setting) {
    String python = Required.program("python3");
    run(setting, "--dev", "/dev")
        .command(python, "-c", "import os; a, b = os.openpty(); print(os.ttyname(b))")
        .run()
        .prints("/dev/pts/0\n");
  }

  @EverySetting
  void startsInTheCallersDirectoryElseHomeElseRoot(Setting setting) {
    Path here = shared(setting);
    Path home = setting.user().home();
    run(setting, "--mount", here.toString()).command("pwd").in(here).run().prints(here + "\n");
    run(setting, "--mount", home.toString()).command("pwd").in(here).run().prints(home + "\n");
    run(setting).command("pwd").in(here).run().prints("/\n");
    run(setting, "--chdir", "/usr/bin").command("pwd").in(here).run().prints("/usr/bin\n");
  }

  @EverySetting
  void environmentChangesApplyInOrder(Setting setting) {
    Ran ran =
        run(setting, "--setenv", "LOST", "x", "--setenv", "A", "lost", "--keep-env", "KEPT")
            .and("--clearenv", "--setenv", "A", "1", "--setenv", "B", "2", "--unsetenv", "B")
            .and("--setenv", "C", "x=y z", "--setenv", "EMPTY", "", "--setenv", "A", "last")
            .command("/usr/bin/env")
            .env("KEPT", "k")
            .env("DROPPED", "d")
            .run()
            .exits(0);
    assertEquals(
        List.of("A=last", "C=x=y z", "EMPTY=", "KEPT=k"), ran.lines().stream().sorted().toList());
  }

  @EverySetting
  void environmentIsInheritedByDefault(Setting setting) {
    run(setting, "--unsetenv", "GONE", "--setenv", "CHANGED", "2")
        .script("echo $INHERITED $GONE $CHANGED")
        .env("INHERITED", "1")
        .env("GONE", "gone")
        .env("CHANGED", "1")
        .run()
        .prints("1 2\n");
  }

  /** Names a shell drops, and variables the JVM would heed, which the script keeps from it. */
  @EverySetting
  void environmentReachesTheCommandAsItWas(Setting setting) {
    Ran ran =
        run(setting)
            .command("/usr/bin/env")
            .env("odd.name", "1")
            .env("JAVA_TOOL_OPTIONS", "-Dnot=for-cloister")
            .env("CLASSPATH", "c")
            .env("LC_ALL", "C")
            .run()
            .exits(0);
    for (String variable :
        new String[] {
          "odd.name=1", "JAVA_TOOL_OPTIONS=-Dnot=for-cloister", "CLASSPATH=c", "LC_ALL=C"
        }) {
      ran.assertLine(variable);
    }
    assertEquals("", ran.err(), ran::toString);
  }

  @EverySetting
  void argumentsReachTheCommandAsTheyWere(Setting setting) {
    String script = Installation.SCRIPT.toString();
    setting
        .user()
        .call(
            "sh",
            "-c",
            "exec \"$0\" run --strategy \"$1\" -- printf '[%s]' '' ' a  b ' --uid -- '*'"
                + " \"$(printf 'n\\nl\\377')\" | od -An -c",
            script,
            setting.strategy())
        .run()
        .prints(
            "   [   ]   [       a           b       ]   [   -   -   u   i   d\n"
                + "   ]   [   -   -   ]   [   *   ]   [   n  \\n   l 377   ]\n");
  }

  @EverySetting
  void optionsEndWhereTheCommandBegins(Setting setting) {
    setting.run("echo", "--uid", "x", "--help").run().prints("--uid x --help\n");
    // A command whose name looks like an option of bubblewrap's.
    setting.run("--", "--bind", "/", "/").run().refuses(127, "--bind");
  }

  @EverySetting
  void idsCanBeAnyNumber(Setting setting) {
    run(setting, "--uid", "1234")
        .script("id -u; id -g")
        .run()
        .prints("1234\n" + setting.user().uid() + "\n");
    run(setting, "--uid", "5", "--gid", "0077", "--uid", "6")
        .script("id -u; id -g; id -G")
        .run()
        .prints("6\n77\n77\n");
    run(setting, "--uid", "7", "--map-root-user")
        .script("id -u; id -g; id -G")
        .run()
        .prints("0\n0\n0\n");
  }

  @EverySetting
  void idsCanBeLarge(Setting setting) {
    Call large = run(setting, "--uid", "3000000000", "--gid", "4294967294").script("id -u; id -g");
    if (setting.isBwrap() && !setting.user().isRoot()) {
      large.run().refuses(125, "--strategy bwrap", "3000000000");
    } else {
      large.run().prints("3000000000\n4294967294\n");
    }
  }

  @EverySetting
  void namespacesAreTheHostsUnlessAsked(Setting setting) {
    String[] names = {"net", "ipc", "uts", "cgroup"};
    String links = "cd /proc/self/ns && readlink net ipc uts cgroup";
    List<String> host = setting.user().shell(links).run().exits(0).lines();
    assertEquals(host, run(setting).script(links).run().exits(0).lines());
    for (int i = 0; i < names.length; i += 2) {
      List<String> own =
          run(setting, "--unshare-" + names[i], "--unshare-" + names[i + 1])
              .script(links)
              .run()
              .exits(0)
              .lines();
      for (int j = 0; j < names.length; j++) {
        boolean asked = j == i || j == i + 1;
        assertEquals(!asked, own.get(j).equals(host.get(j)), names[i] + " and " + names[j]);
      }
    }
  }

  @EverySetting
  void hostnameIsTheSandboxsOwn(Setting setting) throws IOException {
    Path hostname = Path.of("/proc/sys/kernel/hostname");
    String before = Files.readString(hostname);
    run(setting, "--hostname", "cell").script("cat " + hostname).run().prints("cell\n");
    run(setting, "--hostname", "x".repeat(64)).script("cat " + hostname).run().exits(0);
    assertEquals(before, Files.readString(hostname));
  }

  @EverySetting
  void anOwnNetworkHasALoopbackThatIsUp(Setting setting) {
    String python = Required.program("python3");
    run(setting, "--unshare-net")
        .command(
            python,
            "-c",
            "import socket; s = socket.create_server(('127.0.0.1', 0));"
                + " socket.create_connection(s.getsockname());"
                + " print([name for _, name in socket.if_nameindex() if name == 'lo'],"
                + " sum(1 for line in open('/proc/net/route')))")
        .run()
        .prints("['lo'] 1\n");
  }

  @EverySetting
  void verboseSaysWhichStrategyAndWhy(Setting setting) {
    Ran ran = setting.run("--verbose", "--", "echo", "out").run().prints("out\n");
    List<String> said = ran.err().lines().toList();
    assertEquals(
        "cloister: strategy %s: it was asked for by name, and works here"
            .formatted(setting.strategy()),
        said.get(0));
    assertTrue(said.get(1).startsWith("cloister: guaranteed: old-root-"), ran::toString);
    assertTrue(said.get(2).startsWith("cloister: not guaranteed: "), ran::toString);
    assertEquals(3, said.size(), ran::toString);
  }

  @EveryUser
  void autoTakesTheFirstThatWorks(CallingUser user) {
    for (String[] options : new String[][] {{}, {"--strategy", "auto"}}) {
      Ran ran = user.cloister("run", "--verbose").and(options).command("true").run().exits(0);
      assertTrue(
          ran.err().startsWith("cloister: strategy pivot_root: it is the preferred one"),
          ran::toString);
    }
  }

  @EverySetting
  void inputAndOutputAreTheCallers(Setting setting) {
    Path file = shared(setting).resolve("file");
    Ran ran = setting.run("--", "sh", "-c", "cat; echo err >&2").input(file).run();
    ran.prints("content\n");
    assertEquals("err\n", ran.err());
  }

  /** The number of mounts is no limit, and nothing is done for each pair of them. */
  @EverySetting
  void hundredsOfBinds(Setting setting) {
    Path file = shared(setting).resolve("file");
    List<String> options = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      options.addAll(List.of("--ro-bind", file.toString(), "/many/" + i));
    }
    run(setting, options.toArray(String[]::new))
        .script("cat /many/* | wc -l")
        .run()
        .prints("300\n");
  }

  @EverySetting
  void umaskAndLimitsAreTheCallers(Setting setting) {
    String inside = "umask; ulimit -n; ulimit -c";
    setting
        .user()
        .shell(
            "umask 037; ulimit -n 123; ulimit -c 0; exec %s run --strategy %s -- sh -c '%s'"
                .formatted(Installation.SCRIPT, setting.strategy(), inside))
        .run()
        .prints("0037\n123\n0\n");
  }

  @EveryUser
  void envPassesArgumentsAndVariables(CallingUser user) {
    user.cloister("env", "--keep", "A", "--keep", "B", "--", "/usr/bin/env")
        .env("A", "with spaces")
        .env("B", "")
        .run()
        .prints("A=with spaces\nB=\n");
    user.cloister("env", "--", "printf", "[%s]", "", " a ", "--keep")
        .run()
        .prints("[][ a ][--keep]");
    // The command is found through the caller's PATH although it gets none.
    user.cloister("env", "sh", "-c", "echo ${PATH+is set}; id -u")
        .run()
        .exits(0)
        .assertLine(Long.toString(user.uid()));
  }
}
