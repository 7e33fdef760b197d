package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** What an attacker would find in a sandbox, or leave of it; {@link AttackIT} has the attacks. */
final class EscapeIT {
  private static final int PATIENCE_SECONDS = 60;

  // What a sandbox starts with.

  @EverySetting
  void nothingIsInherited(Setting setting) {
    String inside =
        "ls /proc/self/fd | wc -l; grep -E '^(NoNewPrivs|Cap(Inh|Prm|Eff|Amb)|Seccomp):' /proc/self/status";
    Ran ran =
        setting
            .user()
            .call("sh", "-c", "exec 3</ 4</usr 9</dev/null 5>&1; exec \"$0\" \"$@\"")
            .and(Installation.SCRIPT.toString())
            .and(setting.words("run", "--", "sh", "-c", inside))
            .run()
            .exits(0);
    // 0, 1, 2 and the one that ls reads the directory with.
    assertEquals("4", ran.lines().getFirst());
    ran.assertLine("NoNewPrivs:\t1");
    for (String set : new String[] {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
      ran.assertLine(set + ":\t0000000000000000");
    }
  }

  @EverySetting
  void supplementaryGroupsOfRootAreDropped(Setting setting) {
    Required.that(CallingUser.own().isRoot(), "root, who can have groups");
    if (!setting.user().isRoot()) {
      // Who may not set groups keeps them, and can give them no name.
      return;
    }
    String[] words = {"setpriv", "--groups", "4,5,6", "--"};
    assertEquals("0 4 5 6\n", setting.user().call(words).and("id", "-G").run().out());
    Call call = setting.user().call(words).and(Installation.SCRIPT.toString());
    call.and(setting.words("run", "--", "id", "-G")).run().prints("0\n");
    Call other = setting.user().call(words).and(Installation.SCRIPT.toString());
    other
        .and(setting.words("run", "--uid", "7", "--gid", "8", "--", "id", "-G"))
        .run()
        .prints("8\n");
  }

  /** Who could write to another sandbox's launcher before it starts would be in its place. */
  @EverySetting
  void launchersAreHiddenWhereTheyCouldBeWritten(Setting setting) throws IOException {
    Path launchers = setting.user().launcherDirectory();
    setting.run("--", "true").run().exits(0);
    assertTrue(Files.exists(launchers.resolve("verdicts")), "there is something to hide");
    setting.run("--dev-bind", "/", "/").command("ls", "-A", launchers.toString()).run().prints("");
    setting
        .run("--preset", "host", "--bind", launchers.toString(), "/x")
        .command("ls", "-A", "/x")
        .run()
        .prints("");
  }

  /** A directory that others may only pass through is no obstacle. */
  @EverySetting
  void directoriesThatCannotBeReadCanBePassed(Setting setting) throws IOException {
    Path host = setting.user().work();
    Path passage = setting.user().give(Files.createDirectory(host.resolve("passage")));
    setting.user().give(Files.createDirectory(passage.resolve("end")));
    if (CallingUser.own().isRoot()) {
      Files.setAttribute(passage, "unix:uid", 2);
    }
    Files.setPosixFilePermissions(passage, PosixFilePermissions.fromString("rwx--x--x"));
    setting
        .run("--preset", "host", "--bind", host.toString(), "/x", "--tmpfs", "/x/passage/end/")
        .script("touch /x/passage/end/file && echo passed")
        .run()
        .prints("passed\n");
  }

  // What is left behind.

  @EverySetting
  void noProcessIsLeft(Setting setting) throws Exception {
    Path here = setting.user().work();
    String marker = "marker-" + here.getFileName();
    setting.run("--setenv", "MARKER", marker, "--", "true").run().exits(0);
    setting.run("--setenv", "MARKER", marker, "--chdir", "/nope", "--", "true").run().exits(125);
    assertEquals(List.of(), processesWith(marker));
    // The control: one that is there would be found.
    Path nowhere = Path.of("/dev/null");
    Process there =
        setting.user().call("sleep", "1000").env("MARKER", marker).start(nowhere, nowhere);
    try {
      // Between fork and execve(2) it has no environment to be found by.
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
      while (processesWith(marker).isEmpty()) {
        assertTrue(System.nanoTime() < end, "a process that is there is not found");
        Thread.sleep(10);
      }
    } finally {
      there.destroy();
    }
  }

  private static List<String> processesWith(String marker) throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<ProcessHandle> all = ProcessHandle.allProcesses()) {
      for (ProcessHandle process : all.toList()) {
        for (String file : new String[] {"environ", "cmdline"}) {
          try {
            String text =
                Files.readString(
                    Path.of("/proc", Long.toString(process.pid()), file),
                    StandardCharsets.ISO_8859_1);
            if (text.contains(marker)) {
              found.add(text.replace('\0', ' '));
            }
          } catch (IOException e) {
            // It has ended, or is somebody else's.
          }
        }
      }
    }
    return found;
  }
}
