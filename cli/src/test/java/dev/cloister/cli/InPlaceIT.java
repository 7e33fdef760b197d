package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.fixture.Required;
import java.util.ArrayList;
import java.util.List;

/** Without the script, Java itself becomes the launcher. */
final class InPlaceIT {
  private static List<String> java(Setting setting, String... arguments) {
    List<String> words =
        new ArrayList<>(
            List.of(
                System.getProperty("java.home") + "/bin/java",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                Installation.classPath(),
                "dev.cloister.cli.Main"));
    words.addAll(List.of(setting.words("run", arguments)));
    return words;
  }

  @EverySetting
  void becomesTheCommand(Setting setting) {
    String script = "id -u; ls /proc/self/fd | wc -l; echo \"$1\"; exit 42";
    Ran ran =
        setting
            .user()
            .call(
                java(setting, "--", "sh", "-c", script, "sh", "an argument").toArray(String[]::new))
            .run()
            .exits(42);
    assertEquals(List.of(Long.toString(setting.user().uid()), "4", "an argument"), ran.lines());
  }

  /** With bwrap the process that was Java waits. */
  @EverySetting
  void keepsTheProcessId(Setting setting) {
    List<String> words = java(setting, "--", "sh", "-c", "echo $$");
    words.addAll(0, List.of("sh", "-c", "echo $$; exec \"$0\" \"$@\""));
    Ran ran = setting.user().call(words.toArray(String[]::new)).run().exits(0);
    assertEquals(!setting.isBwrap(), ran.lines().get(0).equals(ran.lines().get(1)), ran::toString);
  }

  /** A shell would give the other ids up at once; Java keeps them, and Cloister refuses. */
  @EverySetting
  void refusesToRunSetUserId(Setting setting) {
    Required.that(CallingUser.own().isRoot(), "root, who can have two ids");
    for (String id : new String[] {"--ruid", "--rgid"}) {
      CallingUser.own()
          .call("setpriv", id, "2", "--clear-groups", "--")
          .and(java(setting, "--", "true").toArray(String[]::new))
          .env("TMPDIR", CallingUser.own().temporary().toString())
          .run()
          .refuses(125, "set-user-ID");
    }
  }

  /** A failure is told as the script tells it. */
  @EveryUser
  void refusesAsTheScriptDoes(CallingUser user) {
    Setting setting = new Setting(user, "pivot_root");
    user.call(java(setting, "--mount", "/does/not/exist", "--", "true").toArray(String[]::new))
        .run()
        .refuses(125, "--mount", "/does/not/exist");
    user.call(java(setting, "--", "nosuchcmd").toArray(String[]::new))
        .run()
        .refuses(127, "nosuchcmd");
  }

  /**
   * Where memory files may not be executed (sysctl vm.memfd_noexec, which each pid namespace has
   * for itself) a file is used instead. bwrap can only be given the inner launcher in a memory
   * file: it is refused, with that cause.
   */
  @EverySetting
  void worksWithoutExecutableMemoryFiles(Setting setting) {
    Required.that(CallingUser.own().isRoot(), "root, who can set a sysctl");
    List<String> words =
        new ArrayList<>(
            List.of(
                "unshare",
                "--pid",
                "--fork",
                "--mount-proc",
                "sh",
                "-c",
                "echo 2 >/proc/sys/vm/memfd_noexec && exec \"$0\" \"$@\""));
    words.addAll(setting.user().become());
    words.addAll(java(setting, "--", "id", "-u"));
    Ran ran =
        CallingUser.own()
            .call(words.toArray(String[]::new))
            .env("HOME", setting.user().home().toString())
            .env("TMPDIR", setting.user().temporary().toString())
            .run();
    if (setting.isBwrap()) {
      ran.refuses(125, "--strategy bwrap", "memfd");
    } else {
      ran.prints(setting.user().uid() + "\n");
    }
    assertEquals(List.of(), setting.user().launchers());
  }
}
