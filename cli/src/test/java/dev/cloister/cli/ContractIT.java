package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What a first look at Cloister tries: the promises of the README, as they are written there. */
final class ContractIT {
  @EverySetting
  void runsAsTheCallerWithoutCapabilitiesAndWithoutHomes(Setting setting) {
    Path here = setting.user().work();
    Ran ran =
        setting
            .run(
                "--mount",
                here.toString(),
                "--",
                "sh",
                "-c",
                "id -u; grep CapEff /proc/self/status; ls /; touch " + here + "/x")
            .in(here)
            .run()
            .exits(0);

    assertEquals(Long.toString(setting.user().uid()), ran.lines().getFirst());
    ran.assertLine("CapEff:\t0000000000000000");
    ran.assertLine("usr");
    ran.assertNoLine("home");
    ran.assertNoLine("root");
    assertTrue(Files.exists(here.resolve("x")), "the file is the host's");
  }

  @EverySetting
  void becomesSomebodyElse(Setting setting) {
    Ran ran =
        setting
            .run("--uid", "65534", "--gid", "65534", "--")
            .and("sh", "-c", "id -u; id -g; grep Cap /proc/self/status")
            .run()
            .exits(0);

    assertEquals("65534", ran.lines().get(0));
    assertEquals("65534", ran.lines().get(1));
    for (String set : new String[] {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
      ran.assertLine(set + ":\t0000000000000000");
    }
  }

  @EverySetting
  void becomesRootInItsOwnNamespace(Setting setting) {
    setting.run("--map-root-user", "--", "id", "-u").run().prints("0\n");
  }

  @EverySetting
  void keepsNothingButWhatWasAskedFor(Setting setting) {
    setting
        .run("--clearenv", "--keep-env", "FOO", "--", "/usr/bin/env")
        .env("FOO", "1")
        .env("BAR", "2")
        .run()
        .prints("FOO=1\n");
  }

  @EverySetting
  void refusesToKeepWhatIsNotSet(Setting setting) {
    setting
        .run("--clearenv", "--keep-env", "NOT_SET", "--", "true")
        .run()
        .refuses(125, "--keep-env", "NOT_SET");
  }

  @EverySetting
  void runsNothingIfASourceIsMissing(Setting setting) {
    Path here = setting.user().work();
    Path ran = here.resolve("ran");
    setting
        .run("--mount", here.toString(), "--mount", "/does/not/exist", "--")
        .and("touch", ran.toString())
        .run()
        .refuses(125, "--mount", "/does/not/exist");
    assertFalse(Files.exists(ran));
  }

  @EverySetting
  void passesTheStatusOn(Setting setting) {
    setting.run("--", "sh", "-c", "exit 42").run().exits(42);
    setting.run("--", "sh", "-c", "exit 125").run().exits(125);
    setting.run("--", "nosuchcmd").run().refuses(127, "nosuchcmd");
  }

  @EverySetting
  void leavesTheMountTableAlone(Setting setting) throws IOException {
    Path here = setting.user().work();
    String before = Files.readString(Path.of("/proc/self/mountinfo"));
    setting
        .run("--preset", "host", "--mount", here.toString(), "--tmpfs", "/tmp", "--", "true")
        .run()
        .exits(0);
    assertEquals(before, Files.readString(Path.of("/proc/self/mountinfo")));
    // The sandbox itself has another one, or this would prove nothing.
    Ran inside = setting.run("--", "cat", "/proc/self/mountinfo").run().exits(0);
    assertFalse(before.equals(inside.out()), inside::toString);
  }

  @EveryUser
  void needsNoStrategyByName(CallingUser user) {
    user.cloister("run", "--", "id", "-u").run().prints(user.uid() + "\n");
  }

  @EveryUser
  void env(CallingUser user) {
    user.cloister("env", "--keep", "FOO", "--", "/usr/bin/env")
        .env("FOO", "1")
        .run()
        .prints("FOO=1\n");
    user.cloister("env", "env").run().prints("");
    user.cloister("env", "--", "sh", "-c", "exit 7").run().exits(7);
    user.cloister("env", "--keep", "NOT_SET", "--", "true").run().refuses(125, "--keep", "NOT_SET");
    user.cloister("env", "nosuchcmd").run().refuses(127, "nosuchcmd");
  }

  /** Ids are unsigned; half of them would be negative numbers. */
  @Test
  void worksForACallerWithALargeId() {
    Required.that(CallingUser.own().isRoot(), "root, who can become anybody");
    CallingUser large = new CallingUser(3_000_000_000L, false);
    large.cloister("run", "--", "id", "-u").run().prints("3000000000\n");
    large.cloister("run", "--uid", "5", "--", "id", "-u").run().prints("5\n");
    large
        .cloister("run", "--strategy", "bwrap", "--", "true")
        .run()
        .refuses(125, "--strategy bwrap", "3000000000");
  }
}
