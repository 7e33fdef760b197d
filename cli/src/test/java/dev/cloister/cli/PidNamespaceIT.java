package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A caller in a pid namespace that sees the {@code /proc} of another, as {@code unshare --pid} and
 * some containers leave it: the numbers it knows processes by name others there, or none. Not with
 * bwrap, which itself looks for its child there by number.
 */
final class PidNamespaceIT {
  private static final Path NOWHERE = Path.of("/dev/null");

  /** Runs a shell script in a pid namespace of its own, followed by Cloister as this user. */
  private static Call inNamespace(Setting setting, String script, String... options) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of(Required.program("unshare"), "--pid", "--fork", "sh", "-c", script, "sh"));
    words.addAll(setting.user().become());
    words.addAll(
        List.of("sh", "-c", "echo $$; exec \"$0\" \"$@\"", Installation.SCRIPT.toString()));
    words.addAll(List.of(setting.words("run", options)));
    return CallingUser.own()
        .call(words.toArray(String[]::new))
        .env("HOME", setting.user().home().toString())
        .env("TMPDIR", setting.user().temporary().toString());
  }

  @EveryNativeSetting
  void startsAsProcessOne(Setting setting) {
    Required.that(CallingUser.own().isRoot(), "root, who can make a pid namespace alone");
    inNamespace(setting, "exec \"$@\"", "--clearenv", "--keep-env", "MARK", "--", "/usr/bin/env")
        .env("MARK", "own")
        .run()
        .prints("1\nMARK=own\n");
  }

  /** The environment is the caller's, not that of the process with its number in {@code /proc}. */
  @EveryNativeSetting
  void keepsItsOwnEnvironment(Setting setting) throws IOException {
    Required.that(CallingUser.own().isRoot(), "root, who can choose a process's number");
    Process other =
        setting.user().call("sleep", "1000").env("MARK", "other's").start(NOWHERE, NOWHERE);
    try {
      long pid = other.pid();
      String script = "echo " + (pid - 1) + " >/proc/sys/kernel/ns_last_pid && \"$@\"; exit $?";
      Ran ran =
          inNamespace(setting, script, "--", "sh", "-c", "echo $MARK").env("MARK", "own").run();
      assertEquals(List.of(Long.toString(pid), "own"), ran.exits(0).lines(), ran::toString);
    } finally {
      other.destroy();
    }
  }
}
