package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** {@code cloister bwrap}: what scripts that were written for bubblewrap rely on. */
final class BwrapIT {
  private static final String[] ALL = {"--bind", "/", "/"};

  private static Call all(CallingUser user, String... options) {
    return user.bwrap(ALL).and(options);
  }

  /** What a link of this name to Cloister does. */
  private static Path link(CallingUser user) throws IOException {
    return Files.createSymbolicLink(user.work().resolve("bwrap"), Installation.SCRIPT);
  }

  @EveryUser
  void aLinkOfThatNameIsBubblewrap(CallingUser user) throws IOException {
    String link = link(user).toString();
    user.call(link, "--bind", "/", "/", "echo", "ok").run().prints("ok\n");
    Ran help = user.call(link, "--help").run().exits(0);
    assertTrue(help.out().startsWith("usage: " + link + " [OPTIONS...]"), help::toString);
    user.call(link, "--version").run().prints("bubblewrap 0.11.1\n");
    user.call(link, "--unknown", "true").run().refusesAs("bwrap: Unknown option --unknown", 1);
    user.call(link, "run", "true").run().refusesAs("bwrap: execvp run: No such file", 1);
  }

  @EveryUser
  void helpNamesHowItWasCalled(CallingUser user) {
    Ran ran = user.bwrap("--help").run().exits(0);
    assertTrue(
        ran.out().startsWith("usage: " + Installation.SCRIPT + " bwrap [OPTIONS...]"),
        ran::toString);
  }

  @EveryUser
  void withoutACommandItSaysHowItIsUsed(CallingUser user) {
    for (Call call : List.of(user.bwrap(), all(user), all(user, "--"))) {
      Ran ran = call.run().exits(1);
      assertTrue(ran.err().startsWith("usage: "), ran::toString);
      assertEquals("", ran.out(), ran::toString);
    }
  }

  @EveryUser
  void nothingIsThereThatWasNotAskedFor(CallingUser user) {
    user.bwrap("/bin/sh", "-c", ":").run().refusesAs("bwrap: execvp /bin/sh: No such file", 1);
    all(user, "--tmpfs", "/", "--ro-bind", "/usr", "usr", "--symlink", "usr/lib64", "/lib64")
        .and("--symlink", "usr/lib", "lib")
        .command("/usr/bin/ls", "/")
        .run()
        .prints("lib\nlib64\nusr\n");
  }

  @EveryUser
  void failuresAreWordedAsBubblewrapsAre(CallingUser user) {
    all(user, "--bind", "/no/such", "/x")
        .command("true")
        .run()
        .refusesAs("bwrap: Can't find source path /no/such: No such file or directory", 1);
    all(user, "no-such-command").run().refusesAs("bwrap: execvp no-such-command: No such file", 1);
    all(user, "/").run().refusesAs("bwrap: execvp /: Permission denied", 1);
    all(user, "--bind").run().refusesAs("bwrap: --bind takes two arguments", 1);
    all(user, "--seccomp", "0a", "true").run().refusesAs("bwrap: Invalid fd: 0a", 1);
    all(user, "--cap-add", "CAP_X", "true").run().refusesAs("bwrap: unknown cap: CAP_X", 1);
    all(user, "--chdir", "/no/such", "true").run().refusesAs("bwrap: ", 1, "/no/such");
    all(user, "--exec-label", "x", "true").run().refusesAs("bwrap: --exec-label", 1, "SELinux");
  }

  @EveryUser
  void optionsOfCloistersOwnAreUnknown(CallingUser user) {
    for (String option : List.of("--mount", "--preset", "--strategy", "--profile", "--verbose")) {
      all(user, option, "x", "true").run().refusesAs("bwrap: Unknown option " + option, 1);
    }
  }

  @EveryUser
  void levelsArePutBeforeMessages(CallingUser user) {
    all(user, "--level-prefix", "--nope").run().refusesAs("<3>bwrap: Unknown option", 1);
    all(user, "--level-prefix", "/no/such").run().refusesAs("<3>bwrap: execvp /no/such: ", 1);
    Ran ran = all(user, "--chdir", "/", "--level-prefix", "--chdir", "/", "true").run().exits(0);
    assertEquals("<4>bwrap: Only the last --chdir option will take effect\n", ran.err());
  }

  @EveryUser
  void theStatusIsTheCommands(CallingUser user) {
    all(user, "sh", "-c", "exit 77").run().exits(77);
    all(user, "--unshare-pid", "sh", "-c", "exit 125").run().exits(125);
    all(user, "--unshare-pid", "sh", "-c", "kill -9 $$").run().exits(137);
  }

  @EveryUser
  void optionsEndAtTheCommand(CallingUser user) {
    all(user, "echo", "--bind", "-x").run().prints("--bind -x\n");
    all(user, "--", "--dev-bind", "/dev", "/dev").run().refusesAs("bwrap: execvp --dev-bind", 1);
  }

  @EveryUser
  void theEnvironmentHasTheDirectory(CallingUser user) {
    Path work = user.work();
    all(user, "--clearenv", "/usr/bin/env").in(work).run().prints("PWD=" + work + "\n");
    all(user, "--setenv", "A", "b", "--clearenv", "--unsetenv", "PWD", "/usr/bin/env")
        .in(work)
        .run()
        .prints("PWD=" + work + "\n");
    all(user, "--clearenv", "--chdir", "/usr", "/usr/bin/env").run().prints("PWD=/usr\n");
    all(user, "--tmpfs", work.toString(), "--setenv", "HOME", "/usr/lib")
        .and("--tmpfs", Installation.BASE.toString())
        .script("echo $PWD; pwd")
        .in(work)
        .run()
        .prints("/usr/lib\n/usr/lib\n");
    all(user, "--setenv", "FOO", "bar", "sh", "-c", "echo $FOO$BAR")
        .env("FOO", "wrong")
        .env("BAR", "baz")
        .run()
        .prints("barbaz\n");
  }

  @EveryUser
  void idsNeedAUserNamespace(CallingUser user) {
    all(user, "--unshare-user", "--uid", "7", "--gid", "8", "sh", "-c", "id -u; id -g")
        .run()
        .prints("7\n8\n");
    Call without = all(user, "--uid", "7", "id", "-u");
    if (user.isRoot()) {
      without.run().refusesAs("bwrap: Specifying --uid requires --unshare-user or --userns", 1);
    } else {
      without.run().prints("7\n");
    }
    all(user, "--hostname", "x", "true")
        .run()
        .refusesAs("bwrap: Specifying --hostname requires --unshare-uts", 1);
    all(user, "--as-pid-1", "true")
        .run()
        .refusesAs("bwrap: Specifying --as-pid-1 requires --unshare-pid", 1);
    all(user, "--disable-userns", "true")
        .run()
        .refusesAs("bwrap: --disable-userns requires --unshare-user", 1);
  }

  private static final String RIGHTS =
      "grep -E '^(Uid|Gid|Groups|Cap(Inh|Prm|Eff|Bnd|Amb))' /proc/self/status";

  /** Whose command it was keeps what it had, but for what would be had by execve(2). */
  @EveryUser
  void rootKeepsItsCapabilities(CallingUser user) {
    if (!user.isRoot()) {
      return;
    }
    String outside = user.shell(RIGHTS).run().exits(0).out();
    for (String option : List.of("--die-with-parent", "--unshare-pid", "--unshare-net")) {
      all(user, option, "sh", "-c", RIGHTS).run().prints(outside);
    }
    all(user, "sh", "-c", "readlink /proc/self/ns/user; grep NoNew /proc/self/status")
        .run()
        .prints(user.shell("readlink /proc/self/ns/user").run().out() + "NoNewPrivs:\t1\n");
    Ran dropped = all(user, "--cap-drop", "ALL", "sh", "-c", RIGHTS).run().exits(0);
    dropped.assertLine("CapEff:\t0000000000000000");
    dropped.assertLine("CapPrm:\t0000000000000000");
    Ran some = all(user, "--cap-drop", "ALL", "--cap-add", "CAP_KILL").script(RIGHTS).run();
    some.assertLine("CapEff:\t0000000000000020");
    some.assertLine("CapAmb:\t0000000000000020");
  }

  @EveryUser
  void othersHaveNone(CallingUser user) {
    if (user.isRoot()) {
      return;
    }
    for (String option : List.of("--unshare-user-try", "--unshare-pid", "--unshare-user")) {
      Ran ran = all(user, option, "sh", "-c", RIGHTS).run().exits(0);
      ran.assertLine("CapEff:\t0000000000000000");
      ran.assertLine("CapPrm:\t0000000000000000");
      ran.assertLine("CapAmb:\t0000000000000000");
    }
  }

  /** In a user namespace of their own, they are over nothing of the caller's. */
  @EveryUser
  void capabilitiesInAUserNamespaceAreOverThatAlone(CallingUser user) {
    Ran ran =
        all(user, "--unshare-user", "--cap-add", "ALL")
            .script(RIGHTS + "; mount -o remount,ro / 2>/dev/null || echo no")
            .run()
            .exits(0);
    assertTrue(ran.out().endsWith("no\n"), ran::toString);
    assertFalse(ran.hasLine("CapEff:\t0000000000000000"), ran::toString);
  }

  /** Whoever keeps root's capabilities is not told otherwise. */
  @EveryUser
  void explainSaysWhatRootKeeps(CallingUser user) {
    Ran ran = user.cloister("explain", "--bwrap").and(ALL).command("true").run().exits(0);
    String guaranteed =
        ran.lines().stream().filter(line -> line.startsWith("guaranteed: ")).findFirst().orElse("");
    for (String lost : List.of("no-capabilities", "own-user-namespace", "old-root-unreachable")) {
      assertEquals(!user.isRoot(), guaranteed.contains(lost), ran::toString);
    }
    assertTrue(guaranteed.contains("no-new-privileges"), ran::toString);
  }

  /** Its own are its to use up; the rest are what the command is given. */
  @EveryUser
  void theCommandInheritsWhatIsLeftOpen(CallingUser user) {
    String list =
        "for fd in /proc/$$/fd/*; do [ ! -e $fd ] || echo ${fd##*/}; done; cat <&7; cat <&42";
    for (String options :
        List.of("", "--unshare-pid", "--die-with-parent", "--file 9 /tmp/x", "--args 9")) {
      String script =
          Installation.SCRIPT
              + " bwrap --ro-bind / / --tmpfs /tmp --proc /proc "
              + options
              + " bash -c '"
              + list
              + "' 7<<A 42<<B 9</dev/null\nseven\nA\nforty-two\nB\n";
      Ran ran = user.call("bash", "-c", script).run().exits(0);
      String open = options.contains("9") ? "" : "9\n";
      assertEquals("0\n1\n2\n42\n7\n" + open + "seven\nforty-two\n", ran.out(), ran::toString);
    }
  }

  @EveryUser
  void argumentsAreReadFromDescriptors(CallingUser user) {
    String open =
        "printf -- '--dir\\0/tmp/a b\\0--setenv\\0A\\0\\0' >args; printf -- '--dir\\0/tmp/c' >more; ";
    String bwrap = Installation.SCRIPT + " bwrap --bind / / --tmpfs /tmp ";
    user.shell(
            open
                + bwrap
                + "--args 8 --args 9 -- sh -c 'ls /tmp; echo \"<${A-unset}>\"' 8<args 9<more")
        .in(user.work())
        .run()
        .prints("a b\nc\n<>\n");
    user.shell("printf -- '--dir\\0/tmp/p\\0' | " + bwrap + "--args 0 ls /tmp").run().prints("p\n");
    // What the caller has read before is not read again.
    user.shell(
            open
                + "exec 8<args; dd bs=1 count=15 <&8 >/dev/null 2>&1; "
                + bwrap
                + "--args 8 sh -c 'ls /tmp; echo \"<${A-unset}>\"'")
        .in(user.work())
        .run()
        .prints("<>\n");
  }

  @EveryUser
  void wrongArgumentsFromDescriptorsAreRefused(CallingUser user) {
    all(user, "--args", "x", "true").run().refusesAs("bwrap: Invalid fd: x", 1);
    all(user, "--args", "-1", "true").run().refusesAs("bwrap: Invalid fd: -1", 1);
    all(user, "--args", "77", "true").run().refusesAs("bwrap: Can't read --args data: Bad file", 1);
    String bwrap = Installation.SCRIPT + " bwrap --bind / / --args 9 true 9<args";
    user.shell("printf -- '--args\\0003\\0' >args; " + bwrap)
        .in(user.work())
        .run()
        .refusesAs("bwrap: ", 1, "--args not supported in arguments file");
    user.shell("yes -- --unshare-net | head -n 9001 | tr '\\n' '\\0' >args; " + bwrap)
        .in(user.work())
        .run()
        .refusesAs("bwrap: Exceeded maximum number of arguments 9000", 1);
    user.shell("printf -- '--nope\\0' >args; " + bwrap)
        .in(user.work())
        .run()
        .refusesAs("bwrap: ", 1, "Unknown option --nope");
  }

  @EveryUser
  void runTakesArgumentsFromDescriptorsToo(CallingUser user) {
    String run =
        "printf -- '--preset\\0host\\0%s\\0' >args; "
            + Installation.SCRIPT
            + " run --args 9 -- ls /new 9<args";
    user.shell(run.formatted("--dir\\0/new/x")).in(user.work()).run().prints("x\n");
    user.shell(run.formatted("--dir\\0/new/x\\0stray"))
        .in(user.work())
        .run()
        .refuses(125, "--args 9", "stray");
  }

  /** A second bubblewrap in the first, as root of its namespace. */
  @EveryUser
  void oneStartsAnother(CallingUser user) throws IOException {
    String link = link(user).toString();
    user.call(link, "--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL")
        .and("--bind", "/", "/", "--bind", "/proc", "/proc", "--")
        .and(link, "--unshare-all", "--bind", "/", "/", "--bind", "/proc", "/proc", "echo", "hello")
        .run()
        .prints("hello\n");
  }

  @EveryUser
  void whenItIsBwrapItselfNothingIsCalledWithoutEnd(CallingUser user) throws IOException {
    Path link = link(user);
    user.cloister("run", "--strategy", "bwrap", "true")
        .env("PATH", link.getParent() + ":/nowhere")
        .run()
        .refuses(125, "no executable bwrap in PATH");
  }

  @EveryUser
  void findsDestinationsFromTheRoot(CallingUser user) {
    all(user, "--tmpfs", "tmp", "--dir", "tmp/x", "ls", "/tmp").run().prints("x\n");
  }
}
