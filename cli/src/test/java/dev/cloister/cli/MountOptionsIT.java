package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/** Options about permissions, sizes, single mounts, links and overlays. */
final class MountOptionsIT {
  private static Call run(Setting setting, String... options) {
    return setting.run("--preset", "host").and(options);
  }

  private static String permissions(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  /** As bubblewrap: who may do nothing with what is made need not pass its parents either. */
  @EverySetting
  void parentsAreOpenToWhomTheirChildIs(Setting setting) {
    Path here = setting.user().work();
    String[][] rows = {
      {"1777", "755"},
      {"0755", "755"},
      {"0644", "755"},
      {"0750", "750"},
      {"0710", "750"},
      {"0720", "750"},
      {"0640", "750"},
      {"0700", "700"},
      {"0600", "700"},
      {"0705", "705"},
      {"0604", "705"},
      {"0000", "700"}
    };
    Call call = setting.run("--dev-bind", "/", "/");
    StringBuilder expected = new StringBuilder();
    for (String[] row : rows) {
      call.and("--perms", row[0], "--dir", here.resolve("of" + row[0]).resolve("d").toString());
      expected.append(row[1]).append(" of").append(row[0]).append('\n');
      expected
          .append(Integer.toOctalString(Integer.parseInt(row[0], 8)))
          .append(" of")
          .append(row[0])
          .append("/d\n");
    }
    call.script(
            "cd "
                + here
                + "; for d in 1777 0755 0644 0750 0710 0720 0640 0700 0600 0705 0604 0000; do"
                + " stat -c '%a %n' of$d of$d/d; done; chmod -R 0700 .")
        .run()
        .prints(expected.toString());
  }

  @EverySetting
  void permsAndSizeAreTheNextOptionsInAnyOrder(Setting setting) {
    Ran ran =
        run(setting, "--perms", "1777", "--size", "1048576", "--tmpfs", "/a")
            .and("--size", "0x100000", "--perms", "0711", "--tmpfs", "/b")
            .and("--size", "04000000", "--tmpfs", "/c", "--tmpfs", "/d", "--dir", "/e")
            .script("stat -c %a /a /b /c /d /e; df --output=size --block-size=1K /a /b /c")
            .run()
            .exits(0);
    assertEquals(List.of("1777", "711", "755", "755", "755"), ran.lines().subList(0, 5));
    assertEquals(
        List.of("1024", "1024", "1024"),
        ran.lines().subList(6, 9).stream().map(String::strip).toList());
  }

  @EverySetting
  void mountPointsAreMadeAsBubblewrapMakesThem(Setting setting) throws IOException {
    Path here = setting.user().work();
    run(setting, "--bind", here.toString(), "/h", "--bind", "/usr", "/h/d/d")
        .and("--ro-bind", "/etc/passwd", "/h/f")
        .command("true")
        .run()
        .exits(0);
    assertEquals("rwxr-xr-x", permissions(here.resolve("d")));
    assertEquals("rwxr-xr-x", permissions(here.resolve("d/d")));
    assertEquals("r--r--r--", permissions(here.resolve("f")));
  }

  @EverySetting
  void existingDirectoriesKeepTheirPermissionsUnlessChanged(Setting setting) throws IOException {
    Path here = setting.user().work();
    Path there = setting.user().give(Files.createDirectory(here.resolve("there")));
    Path changed = setting.user().give(Files.createDirectory(here.resolve("changed")));
    Files.createSymbolicLink(here.resolve("link"), Path.of("changed"));
    run(setting, "--bind", here.toString(), "/h", "--perms", "0700", "--dir", "/h/there")
        .and("--chmod", "0750", "/h/link")
        .command("true")
        .run()
        .exits(0);
    assertEquals("rwxr-xr-x", permissions(there));
    assertEquals("rwxr-x---", permissions(changed));
  }

  @EverySetting
  void chmodOfWhatIsReadOnlyOrMissingIsRefused(Setting setting) throws IOException {
    Path here = setting.user().work();
    Path file = setting.user().write(here, "file", "");
    String before = permissions(file);
    for (String path : List.of("/h/file", "/h/none")) {
      Ran ran =
          run(setting, "--ro-bind", here.toString(), "/h", "--chmod", "0777", path)
              .command("echo", "ran")
              .run()
              .exits(125);
      assertEquals("", ran.out());
      assertTrue(ran.err().contains(path), ran::toString);
    }
    assertEquals(before, permissions(file));
  }

  @EverySetting
  void remountRoIsForOneMount(Setting setting) {
    Path here = setting.user().work();
    run(setting, "--bind", here.toString(), "/h", "--tmpfs", "/h/t", "--remount-ro", "/h")
        .and("--remount-ro", "/")
        .script("touch /h/t/x && ! touch /h/x && ! touch /x && echo ok")
        .run()
        .prints("ok\n");
    assertFalse(Files.exists(here.resolve("x")));
    Ran ran =
        run(setting, "--bind", here.toString(), "/h", "--remount-ro", "/h/t")
            .command("echo", "ran")
            .run()
            .exits(125);
    assertTrue(ran.err().contains("/h/t"), ran::toString);
    if (!setting.isBwrap()) {
      assertTrue(ran.err().contains("is not a mount point"), ran::toString);
    }
  }

  @EverySetting
  void symlinkTakesTheSameLinkForGood(Setting setting) throws IOException {
    Path here = setting.user().work();
    String[] makes = {"--ro-bind", "/", "/", "--bind", here.toString(), here.toString()};
    String link = here.resolve("link").toString();
    for (int i = 0; i < 2; i++) {
      setting.run(makes).and("--symlink", "/dev/null", link).command("true").run().exits(0);
      assertEquals(Path.of("/dev/null"), Files.readSymbolicLink(Path.of(link)));
    }
    Ran ran =
        setting.run(makes).and("--symlink", "/dev/full", link).command("echo").run().exits(125);
    assertTrue(ran.err().contains("Can't make symlink"), ran::toString);
    if (!setting.isBwrap()) {
      ran.refuses(125, "Can't make symlink at " + link + ": existing destination is /dev/null");
    }
    assertEquals(Path.of("/dev/null"), Files.readSymbolicLink(Path.of(link)));
  }

  @EverySetting
  void mqueueShowsTheSandboxesQueues(Setting setting) {
    run(setting, "--unshare-ipc", "--mqueue", "/q")
        .script("ls -A /q; touch /q/new; ls /q")
        .run()
        .prints("new\n");
    if (!setting.user().isRoot() && !setting.isBwrap()) {
      Ran ran = run(setting, "--mqueue", "/q").command("echo", "ran").run().exits(125);
      assertTrue(ran.err().contains("--unshare-ipc"), ran::toString);
    }
  }

  // Overlays, which the bubblewrap of most distributions does not know.

  /** {@code lower1} and {@code lower2}, and whatever a test makes besides. */
  private static Path layers(CallingUser user) {
    Path here = user.work();
    user.write(here.resolve("lower1"), "a", "1");
    user.write(here.resolve("lower1"), "b", "2");
    user.write(here.resolve("lower2"), "b", "3");
    for (String name : List.of("upper", "work")) {
      user.write(here.resolve(name), "x", "");
    }
    try {
      Files.delete(here.resolve("work/x"));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return here;
  }

  @EveryNativeSetting
  void overlayKeepsChangesInItsUpperDirectory(Setting setting) throws IOException {
    Path here = layers(setting.user());
    Call call =
        run(setting, "--overlay-src", "lower1", "--overlay-src", "lower2")
            .and("--overlay", "upper", "work", "/tmp/x/y/z")
            .in(here);
    call.script("cd /tmp/x/y/z; cat a b; printf 5 >b; cat b").run().prints("135");
    assertEquals("5", Files.readString(here.resolve("upper/b")));
    assertEquals("3", Files.readString(here.resolve("lower2/b")));
  }

  @EveryNativeSetting
  void tmpOverlaysForgetAndAreApart(Setting setting) throws IOException {
    Path here = layers(setting.user());
    run(setting, "--overlay-src", "lower1", "--tmp-overlay", "/x")
        .and("--overlay-src", "lower2", "--tmp-overlay", "/y")
        .in(here)
        .script("cat /x/b; printf 4 >/x/b; cat /x/b /y/b; rm /x/a; ls /x")
        .run()
        .prints("243b\n");
    assertEquals("2", Files.readString(here.resolve("lower1/b")));
    assertTrue(Files.exists(here.resolve("lower1/a")));
  }

  @EveryNativeSetting
  void roOverlayCannotBeChanged(Setting setting) throws IOException {
    Path here = layers(setting.user());
    run(setting, "--overlay-src", "lower1", "--overlay-src", "lower2", "--ro-overlay", "/x")
        .in(here)
        .script("cd /x; cat a b; for f in a b c; do echo 4 >$f && echo changed; done; ls")
        .run()
        .prints("13a\nb\n");
    assertEquals("3", Files.readString(here.resolve("lower2/b")));
  }

  /** Neither the host's places of the layers nor those of the changes can be seen or reached. */
  @EveryNativeSetting
  void overlaysSayNothingOfTheHost(Setting setting) {
    Path here = layers(setting.user());
    Ran ran =
        run(setting, "--overlay-src", "lower1", "--overlay", "upper", "work", "/x")
            .and("--overlay-src", "lower1", "--tmp-overlay", "/y")
            .in(here)
            .script("cat /proc/self/mountinfo; ls -l /proc/self/fd/ | grep -c -e /work -e lower")
            .run();
    assertFalse(ran.out().contains(here.getFileName().toString()), ran::toString);
    assertEquals("0", ran.lines().getLast(), ran::toString);
  }

  /** What a launcher is kept in would be executed outside of the sandbox later. */
  @EveryNativeSetting
  void overlaysDoNotShowTheLaunchersWritable(Setting setting) {
    Path temporary = setting.user().temporary();
    Path work = setting.user().work();
    String launchers = "/x/cloister-" + setting.user().uid();
    run(setting, "--overlay-src", work.toString())
        .and("--overlay", temporary.toString(), setting.user().work().toString(), "/x")
        .script("echo evil > " + launchers + "/evil; ls " + launchers)
        .run()
        .prints("evil\n");
    assertFalse(Files.exists(setting.user().launcherDirectory().resolve("evil")));
  }

  /** What hides the launchers goes under the overlay, and not into what it keeps. */
  @EveryNativeSetting
  void overlaysOverTheLaunchersKeepNothingOfThem(Setting setting) throws IOException {
    Path here = layers(setting.user());
    for (String place : List.of(setting.user().temporary().toString(), "/tmp")) {
      setting
          .run("--preset", "none", "--bind", "/", "/")
          .and("--overlay-src", "lower1", "--overlay", "upper", "work", place)
          .in(here)
          .command("true")
          .run()
          .prints("");
      String[] kept = here.resolve("upper").toFile().list();
      assertEquals(List.of("x"), List.of(kept), place);
    }
  }

  /** Whoever planted the link would find them where it leads. */
  @EveryNativeSetting
  void aLinkOnTheWayDoesNotShowTheLaunchersWritable(Setting setting) throws IOException {
    CallingUser user = setting.user();
    Path here = user.work();
    Files.createSymbolicLink(here.resolve("link"), Path.of("/real"));
    String launchers = "/real/cloister-" + user.uid();
    run(setting, "--tmpfs", "/real", "--bind", here.toString(), "/h")
        .and("--bind", user.temporary().toString(), "/h/link", "--tmpfs", "/h")
        .script("echo evil > " + launchers + "/evil; ls " + launchers)
        .run()
        .prints("evil\n");
    assertFalse(Files.exists(user.launcherDirectory().resolve("evil")));
  }

  @EverySetting
  void anOlderBubblewrapIsToldWhatItLacks(Setting setting) {
    if (setting.isBwrap() && !Required.program("bwrap").isEmpty()) {
      Path here = layers(setting.user());
      Ran ran =
          run(setting, "--overlay-src", "lower1", "--tmp-overlay", "/x")
              .in(here)
              .command("cat", "/x/a")
              .run();
      if (ran.status() != 0) {
        ran.refuses(125, "--strategy bwrap", "no option --overlay-src");
      }
    }
  }
}
