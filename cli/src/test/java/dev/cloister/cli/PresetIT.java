package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;

/** The mounts a sandbox can start from. */
final class PresetIT {
  /** What the host preset shows of this host. */
  private static List<String> expectedRoot() throws IOException {
    TreeSet<String> names = new TreeSet<>(List.of("usr", "etc", "dev", "proc", "sys", "tmp"));
    if (Files.exists(Path.of("/nix"))) {
      names.add("nix");
    }
    try (Stream<Path> root = Files.list(Path.of("/"))) {
      root.filter(Files::isDirectory)
          .map(path -> path.getFileName().toString())
          .filter(name -> name.matches("bin|sbin|lib|lib32|lib64|libx32"))
          .forEach(names::add);
    }
    return new ArrayList<>(names);
  }

  /** Some file of each place through which a root could change the host. */
  private static final String ROOT_ONLY =
      "/proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/irq/default_smp_affinity"
          + " /sys/kernel/uevent_helper /sys/kernel/uevent_seqnum /sys/fs/cgroup/cgroup.procs"
          + " /sys/fs/cgroup/*/cgroup.procs /sys/power/state /dev/kmsg /dev/mem /dev/kvm"
          + " /dev/sda /dev/vda /dev/loop0 /dev/loop-control";

  /** Prints those that can be opened for writing, which changes nothing. */
  private static final String PRINT_WRITABLE =
      "for file in "
          + ROOT_ONLY
          + "; do [ -e $file ] && (exec 3>>$file) 2>/dev/null && echo $file; done;"
          + " true";

  @EverySetting
  void hostShowsProgramsReadOnlyAndNothingOfUsers(Setting setting) throws IOException {
    Ran ran =
        setting
            .run()
            .script(
                "ls /; for d in /usr /etc /bin /lib /nix; do [ ! -e $d ] || touch $d/x 2>&1; done;"
                    + " ls -A /tmp; stat -c %a /tmp; echo a >/tmp/a && cat /tmp/a")
            .run()
            .exits(0);
    List<String> expected = expectedRoot();
    int count = expected.size();
    assertEquals(expected, ran.lines().subList(0, count).stream().sorted().toList());
    long refusals = ran.lines().stream().filter(l -> l.endsWith("Read-only file system")).count();
    assertEquals(Files.exists(Path.of("/nix")) ? 5 : 4, refusals, ran::toString);
    assertEquals(
        List.of("1777", "a"), ran.lines().subList(ran.lines().size() - 2, ran.lines().size()));
  }

  @EverySetting
  void hostShowsTopLevelLinksAsTheyAre(Setting setting) throws IOException {
    Path bin = Path.of("/bin");
    Required.that(Files.isSymbolicLink(bin), "a merged /usr");
    setting.run("--", "readlink", "/bin").run().prints(Files.readSymbolicLink(bin) + "\n");
  }

  /** Mounts beside {@code --mount} mean that somebody knows what they want. */
  @EverySetting
  void hostIsTheDefaultOnlyWithoutOtherMounts(Setting setting) {
    Path here = setting.user().work();
    setting.run("--mount", here.toString(), "--", "true").run().exits(0);
    setting.run("--tmpfs", "/x", "--", "true").run().refuses(127, "true");
    setting.run("--preset", "none", "--", "true").run().refuses(127, "true");
    setting.run("--preset", "host", "--tmpfs", "/x", "--", "true").run().exits(0);
  }

  @EverySetting
  void hostIsHardenedForAKernelRoot(Setting setting) {
    Required.that(CallingUser.own().isRoot(), "root, who could do it outside");
    Ran outside = CallingUser.own().shell(PRINT_WRITABLE).run().exits(0);
    outside.assertLine("/proc/sys/kernel/core_pattern");
    setting.run().script(PRINT_WRITABLE).run().prints(harmless(setting));
    setting.run("--map-root-user").script(PRINT_WRITABLE).run().prints(harmless(setting));
  }

  /** What this user could open on the host, too; of root's, nothing. */
  private static String harmless(Setting setting) {
    return setting.user().isRoot() ? "" : setting.user().shell(PRINT_WRITABLE).run().out();
  }

  /** Who gives up being root can be shown all: to another user it is closed. */
  @EverySetting
  void hostIsClosedToAnotherUserThanRoot(Setting setting) {
    Required.that(CallingUser.own().isRoot(), "root, who gives it up");
    CallingUser somebody = CallingUser.all().getLast();
    String allowed = somebody.shell(PRINT_WRITABLE).run().out();
    setting.run("--uid", "65534", "--gid", "65534").script(PRINT_WRITABLE).run().prints(allowed);
  }

  @EverySetting
  void hostHasAMinimalDevForRootAndTheHostsForOthers(Setting setting) {
    Ran ran = setting.run().script("ls /dev; echo x >/dev/null").run().exits(0);
    if (setting.user().isRoot()) {
      assertEquals(
          "core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero",
          String.join(" ", ran.lines().stream().filter(name -> !name.equals("console")).toList()));
    } else {
      assertEquals(setting.user().shell("ls /dev").run().out(), ran.out());
    }
  }

  @EverySetting
  void noneIsEmpty(Setting setting) {
    Path here = setting.user().work();
    String python = Required.program("python3");
    Ran outside = setting.user().call(python, "-c", "import os; print(os.listdir('/'))").run();
    assertTrue(outside.out().contains("'usr'"), outside::toString);
    // Nothing but what it takes to look.
    setting
        .run("--preset", "none", "--ro-bind", "/usr", "/x/usr", "--symlink", "x/usr/lib", "/lib")
        .and("--symlink", "x/usr/lib64", "/lib64", "--bind", here.toString(), "/here")
        .command("/x/usr/bin/ls", "/")
        .run()
        .prints("here\nlib\nlib64\nx\n");
  }

  /** Only a host with Nix has all that the origin shows; without it that is said. */
  @EverySetting
  void originNeedsNix(Setting setting) {
    String[] options = {
      "--preset", "origin", "--ro-bind", "/usr", "/usr", "--ro-bind", "/bin", "/bin"
    };
    String[] libraries = {"--ro-bind-try", "/lib", "/lib", "--ro-bind-try", "/lib64", "/lib64"};
    Call call =
        setting.run(options).and(libraries).script("ls -d /nix /dev/null /proc/self/. /sys/kernel");
    if (Files.exists(Path.of("/nix"))) {
      call.run().exits(0);
    } else {
      call.run().refuses(125, "--preset origin", "/nix");
    }
  }

  /** The same on a host that has a /nix, made for this purpose. */
  @EverySetting
  void originShowsNixAndTheKernelsFileSystems(Setting setting) {
    Required.that(!Files.exists(Path.of("/nix")), "a host without /nix");
    String bwrap = Required.program("bwrap");
    List<String> host =
        new ArrayList<>(
            List.of(bwrap, "--tmpfs", "/", "--dir", "/nix/store", "--dev-bind", "/dev", "/dev"));
    for (String path : List.of("/usr", "/etc", "/bin", "/lib", "/lib64", "/proc", "/sys")) {
      host.addAll(List.of("--dev-bind-try", path, path));
    }
    for (Path path : List.of(Installation.BASE, Path.of(System.getProperty("java.home")))) {
      host.addAll(List.of("--bind", path.toString(), path.toString()));
    }
    host.addAll(List.of("--", Installation.SCRIPT.toString()));
    host.addAll(List.of(setting.words("run", "--preset", "origin")));
    for (String path : List.of("/usr", "/bin", "/lib", "/lib64")) {
      host.addAll(List.of("--ro-bind-try", path, path));
    }
    host.addAll(
        List.of("--", "sh", "-c", "ls /; ls -d /nix/store /proc/self/. /sys/kernel; touch /nix/x"));
    Ran ran = setting.user().call(host.toArray(String[]::new)).run().exits(0);
    ran.assertLine("/nix/store");
    ran.assertLine("/proc/self/.");
    ran.assertLine("/sys/kernel");
    ran.assertNoLine("etc");
    ran.assertNoLine("tmp");
  }
}
