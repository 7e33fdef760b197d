package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.cloister.fixture.Required;
import dev.cloister.host.KernelFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What a command can do with the capabilities that it was given, and what it cannot. */
final class CapabilitiesIT {
  private static final int ATTACKS = 28;
  private static final Path SCRIPT = Installation.resource("capable.py");
  private static final Path NOWHERE = Path.of("/dev/null");

  /** Those no control opens: the kernel never moves a root, and nobody enters where they are. */
  private static final Set<String> ALWAYS_CLOSED =
      Set.of(
          "move the root",
          "user namespace above",
          "user namespace of the mounts",
          "user namespace of another");

  /** Those that need a right on the host that only root has. */
  private static final Set<String> ONLY_FOR_ROOT =
      Set.of(
          "device",
          "mount namespace of another",
          "new procfs",
          "new sysfs",
          "the host's name",
          "unmount the root");

  // Which there are.

  private static String status(String set) {
    return "sed -n 's/^%s:\t0*//p' /proc/self/status".formatted(set);
  }

  /** Whoever the command is, and in every set that counts. */
  @EverySetting
  void areThoseThatWereAskedFor(Setting setting) {
    String all = "for set in CapInh CapPrm CapEff CapAmb; do grep $set /proc/self/status; done";
    for (String[] identity : new String[][] {{}, {"--uid", "0"}, {"--uid", "7", "--gid", "8"}}) {
      setting
          .run(identity)
          .and("--cap-add", "CAP_NET_ADMIN", "--cap-add", "bpf")
          .script(all)
          .run()
          .prints(
              List.of("CapInh", "CapPrm", "CapEff", "CapAmb").stream()
                  .map(set -> set + ":\t0000008000001000\n")
                  .collect(Collectors.joining()));
    }
  }

  @EverySetting
  void areAddedAndTakenBackInOrder(Setting setting) {
    String[][] cases = {
      {"1000", "--cap-add", "Cap_Net_Admin"},
      {"", "--cap-drop", "ALL"},
      {"", "--cap-add", "CAP_CHOWN", "--cap-drop", "chown"},
      {"1", "--cap-drop", "CAP_CHOWN", "--cap-add", "CHOWN"},
      {"2000", "--cap-add", "ALL", "--cap-drop", "all", "--cap-add", "NET_RAW"}
    };
    for (String[] each : cases) {
      String[] options = List.of(each).subList(1, each.length).toArray(String[]::new);
      setting.run(options).script(status("CapPrm")).run().prints(each[0] + "\n");
    }
  }

  @EverySetting
  void canBeAllThatTheKernelHas(Setting setting) {
    int last =
        Integer.parseInt(KernelFile.read(Path.of("/proc/sys/kernel/cap_last_cap")).orElseThrow());
    long all = (2L << last) - 1;
    setting.run("--cap-add", "ALL").script(status("CapPrm")).run().prints("%x\n".formatted(all));
    setting
        .run("--cap-add", "ALL", "--cap-drop", "CAP_CHOWN", "--cap-drop", "CAP_FSETID")
        .script(status("CapPrm"))
        .run()
        .prints("%x\n".formatted(all & ~(1L << 0) & ~(1L << 4)));
  }

  /** Not even root of the user namespace, who may fill the inheritable ones, gets more. */
  @EverySetting
  void areNotMultipliedByExecuting(Setting setting) {
    Call call = setting.run("--preset", "host", "--uid", "0", "--cap-add", "CAP_SETPCAP");
    call.and("--ro-bind", SCRIPT.toString(), "/capable.py")
        .command(Required.program("python3"), "/capable.py", "gain")
        .run()
        .prints("CapPrm:\t0000000000000100\n");
    // The control: without no_new_privs they are.
    List<String> control = new ArrayList<>();
    if (!setting.user().isRoot()) {
      control.addAll(List.of("unshare", "--user", "--map-root-user"));
    }
    control.addAll(List.of(Required.program("python3"), SCRIPT.toString(), "gain"));
    Ran ran = setting.user().call(control.toArray(String[]::new)).run().exits(0);
    assertFalse(ran.out().contains("0000000000000100"), ran::toString);
  }

  // What they are good for.

  private static Call use(Setting setting, String... options) {
    return setting
        .run("--preset", "host", "--ro-bind", SCRIPT.toString(), "/capable.py")
        .and(options)
        .command(Required.program("python3"), "/capable.py", "use");
  }

  @EverySetting
  void actOnTheNamespacesOfTheSandboxAlone(Setting setting) {
    String[] namespaces = {"--unshare-net", "--unshare-uts", "--unshare-ipc"};
    String open = "network: open\nhost name: open\n";
    String closed = "network: closed\nhost name: closed\n";
    use(setting).run().prints(closed);
    use(setting, namespaces).run().prints(closed);
    use(setting, "--cap-add", "ALL").run().prints(closed);
    for (String[] identity : new String[][] {{"--gid", "7"}, {"--uid", "0"}, {"--uid", "7"}}) {
      use(setting, identity[0], identity[1], "--unshare-net", "--unshare-uts", "--cap-add", "ALL")
          .run()
          .prints(open);
    }
    use(setting, "--unshare-net", "--unshare-uts", "--cap-add", "CAP_NET_ADMIN")
        .run()
        .prints("network: open\nhost name: closed\n");
    setting
        .run("--hostname", "inside", "--cap-add", "CAP_KILL")
        .command("cat", "/proc/sys/kernel/hostname")
        .run()
        .prints("inside\n");
  }

  /** A new procfs, of processes of its own, where the host's is not protected from root. */
  @EverySetting
  void letACommandMakeASandboxOfItsOwn(Setting setting) {
    String inner = "mount -t proc proc /proc && echo $$ /proc/[0-9]*";
    Ran ran =
        setting
            .run("--preset", "host", "--uid", "0", "--cap-add", "ALL")
            .command("unshare", "--mount", "--pid", "--fork", "sh", "-c", inner)
            .run();
    if (setting.user().isRoot()) {
      assertFalse(ran.status() == 0, ran::toString);
    } else {
      ran.prints("1 /proc/1\n");
    }
  }

  // What they are not good for.

  private static Set<String> open(Ran ran) {
    ran.exits(0);
    assertEquals(ATTACKS, ran.lines().size(), ran::toString);
    return ran.lines().stream()
        .filter(line -> line.endsWith(": open"))
        .map(line -> line.substring(0, line.length() - ": open".length()))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** What attacks are aimed at: a process, a file and directories outside. */
  private record Target(CallingUser user, Process outside, Path here) implements AutoCloseable {
    static Target make(CallingUser user) throws IOException {
      Path here = user.work();
      user.write(here, "secret", "secret\n");
      user.give(Files.createDirectory(here.resolve("read-only")));
      user.write(user.give(Files.createDirectory(here.resolve("masked"))), "secret", "secret\n");
      Files.copy(SCRIPT, here.resolve("capable.py"));
      return new Target(user, user.call("sleep", "1000").start(NOWHERE, NOWHERE), here);
    }

    String path(String name) {
      return here.resolve(name).toString();
    }

    String[] attacks(String place) {
      return new String[] {
        Required.program("python3"),
        place + "/capable.py",
        "attack",
        Long.toString(outside.pid()),
        path("secret"),
        place + "/read-only",
        place + "/masked"
      };
    }

    @Override
    public void close() throws IOException {
      outside.destroy();
      assertFalse(Files.exists(here.resolve("read-only/written")));
    }
  }

  /** Not over the mounts, nor over anything outside, all of them together. */
  @EverySetting
  void reachNothingThatIsNotTheSandboxs(Setting setting) throws IOException {
    setting.run("--", "true").run().exits(0);
    try (Target target = Target.make(setting.user())) {
      for (String[] more : new String[][] {{"--cap-add", "ALL"}, {"--uid", "0", "--unshare-net"}}) {
        Ran ran =
            setting
                .run("--preset", "host", "--cap-add", "ALL")
                .and("--bind", target.here().toString(), "/here")
                .and("--ro-bind", target.path("read-only"), "/here/read-only")
                .and("--tmpfs", "/here/masked")
                .and("--require", "own-user-namespace", "--require", "old-root-unreachable")
                .and(more)
                .command(target.attacks("/here"))
                .run();
        assertEquals(Set.of(), open(ran), ran::toString);
      }
    }
  }

  /** The control: the same by who has them where the mounts belong, or needs none. */
  @EveryUser
  void reachMuchWithoutASandbox(CallingUser user) throws IOException {
    Target target = Target.make(user);
    try {
      String mounts =
          """
          mount --bind '%1$s' '%1$s' && mount -o remount,bind,ro '%1$s' &&
          mount -t tmpfs none '%2$s' && exec "$0" "$@"
          """
              .formatted(target.path("read-only"), target.path("masked"));
      List<Ran> controls = new ArrayList<>();
      for (String[] shell :
          user.isRoot()
              ? new String[][] {{"unshare", "-m", "sh", "-c", mounts}}
              : new String[][] {
                {"unshare", "-Urm", "sh", "-c", mounts}, {"sh", "-c", "exec \"$0\" \"$@\""}
              }) {
        controls.add(
            user.call(shell).and(target.attacks(target.here().toString())).in(target.here()).run());
      }
      Set<String> expected = new TreeSet<>();
      controls.getFirst().lines().forEach(line -> expected.add(attack(line)));
      expected.removeAll(ALWAYS_CLOSED);
      if (!user.isRoot()) {
        expected.removeAll(ONLY_FOR_ROOT);
      }
      for (Ran control : controls) {
        open(control).forEach(name -> expected.remove(attack(name)));
      }
      assertEquals(Set.of(), expected, controls::toString);
    } finally {
      Files.deleteIfExists(target.here().resolve("read-only/written"));
      target.close();
    }
  }

  /** The attack, however it was made. */
  private static String attack(String line) {
    return line.replaceAll(": (open|closed)$", "").replaceAll(", new mounts$", "");
  }

  /** Not even with those that pass by permissions. */
  @EverySetting
  void openNoFileThatTheCallerMayNotOpen(Setting setting) throws IOException {
    Required.that(CallingUser.own().isRoot(), "root, who has a file of another's");
    Path here = setting.user().work();
    Path file = Files.writeString(here.resolve("file"), "another's\n");
    Files.setAttribute(file, "unix:uid", 1);
    Files.setAttribute(file, "unix:gid", 1);
    Files.setAttribute(file, "unix:mode", 0600);
    for (String[] identity : new String[][] {{}, {"--uid", "0"}, {"--uid", "1"}}) {
      for (String place : List.of("/file", file.toString())) {
        Ran ran =
            setting
                .run("--preset", "host", "--cap-add", "ALL", "--ro-bind", file.toString(), place)
                .and(identity)
                .command("cat", place)
                .run();
        boolean really = setting.user().isRoot() && List.of(identity).contains("1");
        assertEquals(really ? "another's\n" : "", ran.out(), ran::toString);
      }
    }
  }

  /** Root itself has its own procfs written to by nobody, if all it can do is make namespaces. */
  @EverySetting
  void aNewProcIsNoWayToTheKernel(Setting setting) throws IOException {
    String[] attack = {Required.program("python3"), "/capable.py", "attack", "1", "/x", "/x", "/x"};
    Ran ran =
        setting
            .run("--preset", "host", "--ro-bind", SCRIPT.toString(), "/capable.py")
            .command(attack)
            .run();
    assertEquals(Set.of(), open(ran), ran::toString);
  }

  // Where they cannot be had.

  /** They would be the caller's own. */
  @EverySetting
  void areRefusedWithoutAUserNamespaceOfTheirOwn(Setting setting) {
    String script =
        """
        echo 0 >/proc/sys/user/max_user_namespaces
        "$@" --unshare-user-try -- echo made
        "$@" --cap-add CAP_CHOWN -- echo made; echo $?
        "$@" --unshare-user -- echo made; echo $?
        """;
    Ran ran =
        setting
            .user()
            .call("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh")
            .and(Installation.SCRIPT.toString(), "run", "--strategy", setting.strategy())
            .run()
            .prints("made\n125\n125\n");
    assertEquals(2, ran.err().lines().count(), ran::toString);
    for (String option : List.of("--cap-add", "--unshare-user")) {
      assertEquals(
          1,
          ran.err()
              .lines()
              .filter(line -> line.startsWith("cloister: ") && line.contains(option + " asks"))
              .count(),
          ran::toString);
    }
  }
}
