package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

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
          user.call(Required.tool(shell), CLOISTER, "run", "--", "/usr/bin/env")
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
    String python = Required.tool("python3");
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
  void startsFromADirectoryThatWasRemoved(CallingUser user) {
    String remove = "mkdir gone && cd gone && rmdir $PWD && ";
    user.shell(remove + CLOISTER + " run -- echo ok").in(user.work()).run().prints("ok\n");
    Ran ran =
        user.shell(remove + CLOISTER + " run --bind etc /x -- true")
            .in(user.work())
            .run()
            .exits(125);
    assertTrue(ran.err().contains("cloister: run: --bind etc: relative to"), ran::toString);
  }

  @EveryUser
  void isNotMovedByALockedDirectoryForLaunchers(CallingUser user) throws IOException {
    Path planted = user.work();
    user.shell("ln -s / cloister-" + user.uid()).in(planted).run().exits(0);

    user.cloister("run", "--", "echo", "ok").env("TMPDIR", planted.toString()).run().prints("ok\n");
    assertTrue(Files.isSymbolicLink(planted.resolve("cloister-" + user.uid())));
    assertFalse(Files.exists(Path.of("/verdicts")));
  }
}
