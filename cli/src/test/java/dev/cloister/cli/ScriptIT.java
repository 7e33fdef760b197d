package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What a command gets through the script is what the script was given, byte for byte. */
final class ScriptIT {
  private static final String CLOISTER = Installation.SCRIPT.toString();

  /** Prints its arguments in hexadecimal, one per line. */
  private static final String SHOW =
      "sh -c 'for a; do printf %s \"$a\" | od -An -tx1 | tr -d \" \\n\"; echo; done' show";

  @EveryUser
  void argumentsArriveByteForByte(CallingUser user) {
    String script =
        "for run in 'run --' 'env --keep PATH'; do LC_ALL=C "
            + CLOISTER
            + " $run "
            + SHOW
            + " '' ' a  b ' \"$(printf 'x\\ny')\" \"$(printf '\\377\\303')\" -n -- --bind '*' '$HOME'; done";
    List<String> expected = List.of("", "206120206220", "780a79", "ffc3", "2d6e", "2d2d");
    List<String> lines = user.shell(script).run().exits(0).lines();

    assertEquals(18, lines.size(), lines::toString);
    assertEquals(expected, lines.subList(0, 6));
    assertEquals(lines.subList(0, 9), lines.subList(9, 18));
  }

  @EveryUser
  void variablesThatAShellWouldLoseArrive(CallingUser user) {
    for (String shell : new String[] {"dash", "bash"}) {
      Ran ran =
          user.call(Required.program(shell), CLOISTER, "run", "--", "/usr/bin/env")
              .env("a-b", "1")
              .env("BASH_FUNC_f%%", "() { echo f; }")
              .env("PWD", "/not/where/this/is")
              .env("OLDPWD", "/neither")
              .env("SHLVL", "7")
              .env("_", "underscore")
              .env("IFS", "x")
              .run()
              .exits(0);

      ran.assertLine("a-b=1");
      ran.assertLine("BASH_FUNC_f%%=() { echo f; }");
      ran.assertLine("PWD=/not/where/this/is");
      ran.assertLine("OLDPWD=/neither");
      ran.assertLine("SHLVL=7");
      ran.assertLine("_=underscore");
      ran.assertLine("IFS=x");
    }
  }

  @EveryUser
  void optionsForAJvmAreTheCommandsAlone(CallingUser user) {
    Ran ran =
        user.cloister("run", "--", "/usr/bin/env")
            .env("JAVA_TOOL_OPTIONS", "-Xfail")
            .env("JDK_JAVA_OPTIONS", "-Xfail")
            .env("_JAVA_OPTIONS", "-Xfail")
            .env("CLASSPATH", "/nowhere")
            .run()
            .exits(0);

    assertEquals("", ran.err());
    ran.assertLine("JAVA_TOOL_OPTIONS=-Xfail");
    ran.assertLine("JDK_JAVA_OPTIONS=-Xfail");
    ran.assertLine("_JAVA_OPTIONS=-Xfail");
    ran.assertLine("CLASSPATH=/nowhere");
  }

  @EverySetting
  void ignoredSignalsAndBlockedOnesStaySo(Setting setting) {
    String python = Required.program("python3");
    String program =
        """
        import os, signal, sys
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGCHLD])
        os.execv(sys.argv[1], sys.argv[1:])
        """;
    Ran ran =
        setting
            .user()
            .call(python, "-c", program, CLOISTER, "run", "--strategy", setting.strategy())
            .and("--", "grep", "-E", "SigBlk|SigIgn", "/proc/self/status")
            .run()
            .exits(0);

    // bubblewrap unblocks CHLD.
    assertEquals(
        setting.strategy().equals("bwrap") ? bit(10) : bit(10) | bit(17), signals(ran, "SigBlk"));
    long ignored = signals(ran, "SigIgn");
    assertEquals(bit(1) | bit(13), ignored & (bit(1) | bit(13)), ran::toString);
    // Were CHLD ignored, the statuses of all the command's own children would be lost.
    assertEquals(0, ignored & bit(17), ran::toString);
  }

  /** HUP is 1, USR1 10, PIPE 13 and CHLD 17: signal(7). */
  private static long bit(int signal) {
    return 1L << (signal - 1);
  }

  private static long signals(Ran ran, String field) {
    for (String line : ran.lines()) {
      if (line.startsWith(field)) {
        return Long.parseUnsignedLong(line.substring(field.length() + 1).strip(), 16);
      }
    }
    throw new AssertionError("no " + field + " in " + ran);
  }

  @EverySetting
  void limitsAndUmaskArrive(Setting setting) {
    String script =
        "ulimit -S -n 77; ulimit -c 0; umask 031; exec "
            + CLOISTER
            + " run --strategy "
            + setting.strategy()
            + " -- sh -c 'ulimit -S -n; ulimit -c; umask'";
    setting.user().shell(script).run().prints("77\n0\n0031\n");
  }

  @EverySetting
  void onlyTheStandardDescriptorsArrive(Setting setting) {
    String script =
        "exec 7</ 9>/dev/null; exec "
            + CLOISTER
            + " run --strategy "
            + setting.strategy()
            + " -- sh -c 'ls /proc/$$/fd'";
    setting.user().shell(script).run().prints("0\n1\n2\n");
  }

  @EverySetting
  void closedDescriptorsStayClosed(Setting setting) {
    String run = CLOISTER + " run --strategy " + setting.strategy() + " -- sh -c ";
    setting.user().shell(run + "'ls /proc/$$/fd' <&-").run().prints("1\n2\n");
    setting.user().shell(run + "'exit 3' <&- >&- 2>&-").run().exits(3);
  }

  @EveryUser
  void anOutputThatCannotBeWrittenIsSaid(CallingUser user) {
    String cannot = "cannot write to standard output";
    for (String shell : List.of("dash", "bash")) {
      String call = Required.program(shell) + " " + CLOISTER;
      user.shell(call + " run --help >&-").run().refuses(125, cannot);
      user.shell(call + " bwrap --version >&-").run().refusesAs("bwrap: ", 1, cannot);
    }
  }

  @EverySetting
  void standardInputIsNotTouchedBefore(Setting setting) {
    Path input = setting.user().write(setting.user().work(), "input", "one\ntwo\n");
    String script =
        CLOISTER + " run --strategy " + setting.strategy() + " -- sh -c 'read a; echo $a'; cat";
    setting.user().shell(script).input(input).run().prints("one\ntwo\n");
  }

  @EveryUser
  void theCommandIsTheProcessThatWasStarted(CallingUser user) {
    for (String strategy : new String[] {"pivot_root", "chroot"}) {
      String inner = "'echo $$; ps -o pgid= -p $$'";
      Ran ran =
          user.shell(
                  "echo $$; ps -o pgid= -p $$; exec "
                      + CLOISTER
                      + " run --strategy "
                      + strategy
                      + " -- sh -c "
                      + inner)
              .run()
              .exits(0);

      assertEquals(ran.lines().subList(0, 2), ran.lines().subList(2, 4), ran::toString);
    }
  }

  @EveryUser
  void startsFromAnywhere(CallingUser user) throws IOException {
    Path work = user.work();
    Path link = Files.createSymbolicLink(work.resolve("a link"), Installation.SCRIPT);
    user.call(link.toString(), "run", "--", "echo", "ok").run().prints("ok\n");
    user.shell("cd '" + work + "' && './a link' run -- echo ok").run().prints("ok\n");
    user.shell("ln -s 'a link' second && ./second run -- echo ok").in(work).run().prints("ok\n");
    user.shell("CDPATH=/ " + CLOISTER + " run -- echo ok").run().prints("ok\n");
  }

  @EveryUser
  void startsFromADirectoryThatWasRemoved(CallingUser user) throws IOException {
    String remove = "mkdir gone && cd gone && rmdir $PWD && ";
    user.shell(remove + CLOISTER + " run -- echo ok").in(user.work()).run().prints("ok\n");
    Checkout checkout = new Checkout(user);
    for (String shell : List.of("dash", "bash")) {
      user.shell(remove + "exec " + Required.program(shell) + " ../cloister run -- echo ok")
          .env("PATH", checkout.path())
          .in(checkout.home())
          .run()
          .prints("ok\n");
    }
    Ran ran =
        user.shell(remove + CLOISTER + " run --bind etc /x -- true")
            .in(user.work())
            .run()
            .exits(125);
    assertTrue(ran.err().contains("cloister: run: --bind etc: relative to"), ran::toString);
    // Java is in the root.
    for (String option : List.of("emit -o no/such", "explain --elf etc/passwd")) {
      Ran wrong = user.shell(remove + CLOISTER + " " + option).in(user.work()).run().exits(125);
      String said = option.substring(option.indexOf('-')) + ": relative to a working directory";
      assertTrue(wrong.err().contains(said), wrong::toString);
    }
  }

  @EveryUser
  void isNotMovedByALockedDirectoryForLaunchers(CallingUser user) throws IOException {
    Path planted = user.work();
    user.shell("ln -s / cloister-" + user.uid()).in(planted).run().exits(0);

    user.cloister("run", "--", "echo", "ok").env("TMPDIR", planted.toString()).run().prints("ok\n");
    assertTrue(Files.isSymbolicLink(planted.resolve("cloister-" + user.uid())));
    assertFalse(Files.exists(Path.of("/verdicts")));
  }

  @EveryUser
  void startsUnderAnyName(CallingUser user) throws IOException {
    for (String name : List.of("a 'quoted\" name", "new\nline", "-n", "$HOME *")) {
      Path directory = Files.createDirectory(user.work().resolve(name));
      Files.createSymbolicLink(directory.resolve("-x"), Installation.SCRIPT);
      user.call(directory.resolve("-x").toString(), "run", "--", "echo", "ok").run().prints("ok\n");
      user.call("sh", "-c", "cd -- \"$1\" && exec ./-x run -- echo ok", "sh", directory.toString())
          .run()
          .prints("ok\n");
      user.call("env", "./" + name + "/-x", "run", "--", "echo", "ok")
          .in(directory.resolveSibling(""))
          .run()
          .prints("ok\n");
    }
  }

  @EveryUser
  void startsThroughPath(CallingUser user) throws IOException {
    Path directory = user.work();
    Files.createSymbolicLink(directory.resolve("clstr"), Installation.SCRIPT);
    String path = directory + ":/usr/bin:/bin";
    user.call("env", "clstr", "run", "--", "echo", "ok").env("PATH", path).run().prints("ok\n");
    user.call(Required.program("bash"), "clstr", "run", "--", "echo", "ok")
        .env("PATH", path)
        .run()
        .prints("ok\n");
  }

  @EveryUser
  void startsFromADirectoryThatCannotBeRead(CallingUser user) {
    String script =
        "mkdir -p locked/in && cd locked/in && chmod 0 .. && chmod 0 . && exec "
            + CLOISTER
            + " run -- echo ok";
    Path work = user.work();
    try {
      user.shell(script).in(work).run().prints("ok\n");
    } finally {
      user.shell("chmod 700 locked && chmod 700 locked/in").in(work).run();
    }
  }

  /** Settings of the shell that the environment, or the shell's name, brings into the script. */
  @EveryUser
  void startsUnderShellsOfMoreKinds(CallingUser user) {
    String bash = Required.program("bash");
    user.call(bash, CLOISTER, "run", "--", "echo", "ok")
        .env("SHELLOPTS", "errexit:noclobber:noglob:nounset")
        .env("ENV", "/etc/passwd")
        .env("POSIXLY_CORRECT", "1")
        .run()
        .prints("ok\n");
    user.call(Required.program("dash"), "-euf", CLOISTER, "run", "--", "echo", "ok")
        .run()
        .prints("ok\n");
  }

  @EveryUser
  void variablesThatTheScriptUsesArriveUnchanged(CallingUser user) {
    Call call = user.call(Required.program("dash"), CLOISTER, "run", "--", "/usr/bin/env");
    for (String name : List.of("home", "self", "dist", "version", "cache", "answer", "status")) {
      call.env(name, "the caller's");
    }
    Ran ran = call.run().exits(0);
    for (String name : List.of("home", "self", "dist", "version", "cache", "answer", "status")) {
      ran.assertLine(name + "=the caller's");
    }
  }

  @EveryUser
  void valuesThatAreNotTextArrive(CallingUser user) {
    String script =
        "odd=$(printf '\\377\\376') LC_ALL=C exec "
            + CLOISTER
            + " run -- sh -c 'printf %s \"$odd\" | od -An -tx1'";
    user.shell(script).run().prints(" ff fe\n");
  }

  @EveryUser
  void sourcesWhoseNamesAreNotTextAreBound(CallingUser user) {
    String script =
        "name=$(printf 'd\\377'); mkdir $name; echo hi >$name/f; exec "
            + CLOISTER
            + " run --preset host --ro-bind $name /tmp/x --ro-bind $PWD/$name /tmp/$name --"
            + " sh -c 'cat /tmp/x/f \"$1\"' sh /tmp/$name/f";
    Path work = user.work();
    try {
      Ran ran = user.shell(script).in(work).run().prints("hi\nhi\n");
      assertEquals("", ran.err());
    } finally {
      // Java could not name it to remove it.
      user.shell("rm -r d*").in(work).run();
    }
  }

  /** bash reads a script through descriptor 2 if that is free. */
  @EveryUser
  void aClosedStandardErrorStaysClosedUnderEveryShell(CallingUser user) {
    for (String shell : List.of("dash", "bash")) {
      user.shell(Required.program(shell) + " " + CLOISTER + " run -- sh -c 'ls /proc/$$/fd' 2>&-")
          .run()
          .prints("0\n1\n");
    }
  }

  /** What a person would be shown of it is another one. */
  @EveryUser
  void directoriesMayHaveAnyName(CallingUser user) throws IOException {
    Path place = user.work();
    String link = "mkdir 'a\tb'; ln -s " + Required.program("bwrap") + " 'a\tb'";
    user.shell(link).in(place).run().exits(0);
    String odd = place.resolve("a\tb").toString();
    user.cloister("run", "--", "echo", "ok").env("TMPDIR", odd).run().prints("ok\n");
    assertTrue(Files.exists(Path.of(odd, "cloister-" + user.uid())));
    for (String tool : List.of("readlink", "sh")) {
      Files.createSymbolicLink(place.resolve(tool), Path.of(Required.program(tool)));
    }
    user.cloister("run", "--strategy", "bwrap", "--", "/bin/echo", "ok")
        .env("PATH", place + ":" + odd)
        .run()
        .prints("ok\n");
  }

  @EveryUser
  void aUmaskThatTakesFromTheOwnerTakesNothingFromTheScript(CallingUser user) {
    for (String mask : List.of("0777", "0137")) {
      // In a new directory for launchers, and then in one that is there.
      String script = "umask " + mask + "; " + CLOISTER + " run -- sh -c umask";
      Path temporary = user.work();
      for (int i = 0; i < 2; i++) {
        user.shell(script).env("TMPDIR", temporary.toString()).run().prints(mask + "\n");
      }
      assertTrue(Files.exists(temporary.resolve("cloister-" + user.uid())));
    }
  }

  @EveryUser
  void buildsWhatIsNotBuiltAndSaysNothingOfIt(CallingUser user) throws IOException {
    Checkout checkout = new Checkout(user);
    checkout.age("core/src/main/java/module-info.java");

    Ran first = checkout.call("run", "--", "echo", "ok").in(Path.of("/")).run().prints("ok\n");
    assertEquals("", first.err());
    checkout.call("run", "--", "echo", "ok").run().prints("ok\n");
    assertEquals(1, checkout.builds());
    String log = Files.readString(checkout.home().resolve("target/build.log"));
    assertEquals("to standard output\nto standard error\n", log);
  }

  @EveryUser
  void buildsAgainWhateverChanged(CallingUser user) throws IOException {
    Checkout checkout = new Checkout(user);
    checkout.age("core/src/main/java/module-info.java");
    checkout.call("--version").run().exits(0);
    int builds = 1;
    for (String changed :
        List.of(
            "pom.xml",
            "cli/pom.xml",
            "cli/src/main/java/Main.java",
            "ffm/src/main/java/dev/cloister/ffm/generated/x86_64/kernel/Deep.java")) {
      checkout.source(changed);
      checkout.call("--version").run().exits(0);
      assertEquals(++builds, checkout.builds(), changed);
      checkout.age(changed);
      // The directories it is in are as new as it is.
      checkout.call("--version").run().exits(0);
      builds = checkout.builds();
      checkout.call("--version").run().exits(0);
      assertEquals(builds, checkout.builds(), changed);
    }
  }

  @EveryUser
  void buildsOnceHoweverManyStart(CallingUser user) throws IOException {
    Checkout checkout = new Checkout(user);
    checkout.age("core/src/main/java/module-info.java");
    String script = "for i in 1 2 3 4; do \"$1\" run -- echo ok & done; wait";
    user.call("sh", "-c", script, "sh", checkout.script().toString())
        .env("PATH", checkout.path())
        .run()
        .prints("ok\nok\nok\nok\n");
    assertEquals(1, checkout.builds());
    assertEquals(1, checkout.caches().size(), "caches");
  }

  /** bash takes settings from the environment: no patterns, no file written over. */
  @EveryUser
  void buildsAgainWhateverTheShellWasTold(CallingUser user) throws IOException {
    Checkout checkout = new Checkout(user);
    for (int builds = 1; builds <= 2; builds++) {
      checkout.source("core/src/main/java/dev/cloister/Changed.java");
      user.call(Required.program("bash"), checkout.script().toString(), "run", "--", "echo", "ok")
          .env("PATH", checkout.path())
          .env("SHELLOPTS", "errexit:noclobber:noglob:nounset")
          .run()
          .prints("ok\n");
      assertEquals(builds, checkout.builds());
    }
  }

  @EveryUser
  void aBuildThatFailsIsReported(CallingUser user) throws IOException {
    Checkout checkout = new Checkout(user);
    checkout.breakBuild();
    checkout.call("run", "--", "echo", "ok").run().refuses(125, "the build failed", "build.log");
    // Nobody waits for the lock of a build that is over.
    checkout.call("run", "--", "echo", "ok").run().refuses(125, "the build failed");
    assertEquals(2, checkout.builds());
  }

  @Test
  void aCheckoutOfSomebodyElsesRunsWhereItIsBuilt() throws IOException {
    CallingUser owner = CallingUser.own();
    CallingUser other = new CallingUser(CallingUser.UNPRIVILEGED, false);
    Required.that(owner.isRoot(), "root, to be somebody else");
    Checkout checkout = new Checkout(owner);
    checkout.age("core/src/main/java/module-info.java");
    checkout.call(other, "run", "--", "echo", "ok").run().refuses(125, "not built");

    checkout.call("run", "--", "echo", "ok").run().prints("ok\n");
    Ran ran = checkout.call(other, "run", "--", "echo", "ok").run().prints("ok\n");
    assertEquals("", ran.err());
    assertEquals(1, checkout.builds());
    checkout.source("core/src/main/java/Changed.java");
    checkout.call(other, "run", "--", "echo", "ok").run().refuses(125, "changed since");
  }

  @EveryUser
  void aCacheThatCannotBeUsedOrMadeIsNoMatter(CallingUser user) throws IOException {
    Checkout checkout = new Checkout(user);
    checkout.age("core/src/main/java/module-info.java");
    checkout.call("--version").run().exits(0);
    Path cache = checkout.dist().resolve(checkout.caches().getFirst());
    assertTrue(Files.size(cache) > 0);
    for (String content : List.of("", "no cache")) {
      Files.writeString(cache, content);
      Ran ran = checkout.call("run", "--", "echo", "ok").run().prints("ok\n");
      assertEquals("", ran.err());
      assertEquals(content, Files.readString(cache));
    }
  }

  /**
   * What a start takes time for, without measuring time. Linking code at run time, through FFM, a
   * lambda that the cache does not have or a switch over types, takes milliseconds each.
   */
  @EveryUser
  void theSecondStartLinksNothingAndStartsNoProcess(CallingUser user) throws IOException {
    Checkout checkout = new Checkout(user);
    checkout.age("core/src/main/java/module-info.java");
    Path log = user.work().resolve("log");
    String jdk = checkout.jdk("class+init,class+load", log).toString();
    checkout.call("run", "--", "true").env("JAVA_HOME", jdk).run().exits(0);
    for (String usual : USUAL) {
      deleteAll(log);
      checkout
          .call(("run " + usual + " -- true").split(" +", -1))
          .env("JAVA_HOME", jdk)
          .run()
          .exits(0);
      assertEquals(1, Files.readAllLines(log).size(), usual);
      List<Path> logs = logs(log);
      assertEquals(1, logs.size(), usual);
      assertEquals(List.of(), slow(Files.readAllLines(logs.getFirst())), usual);
    }
  }

  private static final List<String> USUAL =
      List.of(
          "",
          "--preset host --bind /var /opt",
          "--preset host --mount /tmp",
          "--ro-bind /usr /usr --ro-bind /lib /lib --ro-bind-try /lib64 /lib64 --proc /proc --dev /d",
          "--preset host --tmpfs /e --chdir / --clearenv --setenv PATH /usr/bin:/bin --unshare-net");

  /** What was loaded from elsewhere, or made at run time, and what only does such things. */
  private static List<String> slow(List<String> log) {
    assertTrue(
        log.stream()
            .anyMatch(l -> l.contains("dev.cloister.cli.Main source: shared objects file")));
    return log.stream()
        .filter(
            line ->
                (line.contains(" source: ") && !line.contains("shared objects file"))
                    || SLOW.stream().anyMatch(type -> line.contains("Initializing '" + type)))
        .toList();
  }

  private static final List<String> SLOW =
      List.of(
          "java/lang/ProcessImpl",
          "jdk/internal/foreign/abi/",
          "java/lang/runtime/",
          "java/util/Formatter'",
          "java/util/regex/");

  private static List<Path> logs(Path log) throws IOException {
    try (Stream<Path> files = Files.list(log.resolveSibling(""))) {
      return files.filter(file -> !file.equals(log)).toList();
    }
  }

  private static void deleteAll(Path log) throws IOException {
    Files.delete(log);
    for (Path each : logs(log)) {
      Files.delete(each);
    }
  }
}
