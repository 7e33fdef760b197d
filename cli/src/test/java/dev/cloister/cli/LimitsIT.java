package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** Limits of each process, and what is said where there can be none by a cgroup. */
final class LimitsIT {
  private static final String LIMITS = "ulimit -n; ulimit -Hn; ulimit -f; ulimit -c; ulimit -Hc";

  @EverySetting
  void limitEachProcess(Setting setting) {
    setting
        .run("--rlimit", "nofile=50", "--rlimit", "NOFILE=40:50", "--rlimit", "RLIMIT_FSIZE=1M")
        .and("--rlimit", "core=0")
        .script(LIMITS)
        .run()
        .prints("40\n50\n2048\n0\n0\n");
  }

  @EverySetting
  void limitTheCommandOfAnInit(Setting setting) {
    setting
        .run("--unshare-pid", "--rlimit", "nofile=40", "--rlimit", "nproc=20")
        .script("ulimit -n; echo $PPID")
        .run()
        .prints("40\n1\n");
  }

  /** Without any option they are the caller's. */
  @EverySetting
  void areTheCallersOtherwise(Setting setting) {
    String all = "cat /proc/self/limits";
    assertEquals(
        setting.user().shell(all).run().exits(0).out(), setting.run().script(all).run().out());
  }

  /** What would break the launcher, if it were set while that still works. */
  @EverySetting
  void bindTheCommandAlone(Setting setting) {
    for (String limit : List.of("nofile=0", "nproc=0", "memlock=0", "data=0", "as=0", "stack=0")) {
      Ran ran = setting.run("--rlimit", limit).command("nonexistent").run();
      ran.refuses(127, "nonexistent: command not found");
    }
    // Here standard error is a file, to which nothing can be written then.
    setting.run("--rlimit", "fsize=0").command("nonexistent").run().exits(127);
  }

  @EverySetting
  void keepTheCommandFromWhatItMayNot(Setting setting) throws IOException {
    Path work = setting.user().work();
    Ran ran =
        setting
            .run("--preset", "host", "--bind", work.toString(), "/w", "--rlimit", "fsize=1K")
            .script("trap '' XFSZ; head -c 5000 /dev/zero >/w/file")
            .run();
    assertTrue(ran.status() != 0, ran::toString);
    assertEquals(1024, Files.size(work.resolve("file")));
    // SIGXCPU at the soft limit, SIGKILL at the hard one, which is the same here.
    Ran spun = setting.run("--rlimit", "cpu=1").script("while :; do :; done").run();
    assertTrue(Set.of(128 + 24, 128 + 9).contains(spun.status()), spun::toString);
  }

  /** With the privilege it can: in CgroupIT, as the tests' root may lack it. */
  @EverySetting
  void noHardLimitIsRaised(Setting setting) {
    Ran ran =
        setting
            .user()
            .call("prlimit", "--nofile=100:200", Installation.SCRIPT.toString())
            .and(setting.words("run", "--rlimit", "nofile=201", "--", "true"))
            .run();
    if (ran.status() == 0 && setting.user().isRoot()) {
      return;
    }
    ran.refuses(125, "prlimit64(0, RLIMIT_NOFILE", "EPERM");
    assertTrue(ran.err().contains("hint: --rlimit nofile: "), ran::toString);
  }

  /** This machine may have a delegated cgroup: then they are honoured, and never left out. */
  @EverySetting
  void withoutACgroupTheyAreRefused(Setting setting) throws IOException {
    for (String controller : List.of("memory", "pids", "cpu")) {
      String value = controller.equals("memory") ? "64M" : "2";
      Ran ran =
          setting
              .run("--" + controller, value)
              .script(
                  "cat /sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/../"
                      + controller
                      + ".max")
              .run();
      if (ran.status() == 0) {
        assertFalse(ran.out().startsWith("max"), ran::toString);
      } else {
        ran.refuses(125, "--" + controller + ": ", "cgroup");
      }
    }
  }

  @EveryUser
  void namesEveryLimitThatIsRefused(CallingUser user) {
    Ran ran =
        user.cloister("run", "--cpu", "1.5", "--memory", "1G", "--pids", "3", "--", "true").run();
    if (ran.status() != 0) {
      ran.refuses(125, "--memory, --pids, --cpu: ");
    }
  }

  @EveryUser
  void refusesBadValues(CallingUser user) {
    for (List<String> words :
        List.of(
            List.of("--rlimit", "files=3"),
            List.of("--rlimit", "nofile"),
            List.of("--rlimit", "nofile=9:3"),
            List.of("--rlimit", "as=18446744073709551616"),
            List.of("--memory", "lots"),
            List.of("--memory", "0"),
            List.of("--pids", "-1"),
            List.of("--cpu", "0"))) {
      user.cloister("run")
          .and(words.toArray(String[]::new))
          .command("echo", "ran")
          .run()
          .refuses(125, String.join(" ", words) + ": ");
    }
  }
}
