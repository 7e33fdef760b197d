package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import dev.cloister.strategy.Guarantee;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What is claimed holds against an attack, and what is not claimed is open to the same attack. What
 * every sandbox guarantees is attacked by {@link AttackIT}; docs/guarantees.md says where.
 */
final class GuaranteeIT {
  /** Its own words, not the code's: what a sandbox that asks for nothing special guarantees. */
  private static boolean holds(Setting setting, Guarantee guarantee) {
    boolean root = setting.user().isRoot();
    return switch (guarantee) {
      case OLD_ROOT_UNREACHABLE,
          NO_CAPABILITIES,
          NO_NEW_PRIVILEGES,
          GROUPS_DROPPED,
          NO_INHERITED_DESCRIPTORS,
          READ_ONLY_RECURSIVE ->
          true;
      case OLD_ROOT_UNMOUNTED -> !setting.strategy().equals("chroot");
      case OWN_USER_NAMESPACE -> root || !setting.isBwrap();
      case UNPRIVILEGED_USER -> !root;
      case NO_MOUNT_PROPAGATION, NO_SYMLINK_RACES, IN_PLACE -> !setting.isBwrap();
      case NETWORK_ISOLATION, IPC_ISOLATION, PID_ISOLATION -> false;
    };
  }

  private static String words(Set<Guarantee> guarantees) {
    return guarantees.stream().map(Guarantee::word).collect(Collectors.joining(", "));
  }

  // The choice.

  @EverySetting
  void onlyWhatHoldsCanBeRequired(Setting setting) throws IOException {
    setting.run("--", "true").run().exits(0);
    Path here = setting.user().work();
    for (Guarantee guarantee : Guarantee.values()) {
      Call call = setting.run("--require", guarantee.word(), "--mount", here.toString());
      Ran ran = call.command("touch", here.resolve("ran").toString()).run();
      if (holds(setting, guarantee)) {
        ran.exits(0);
      } else {
        ran.refuses(125, "--strategy " + setting.strategy(), "--require", guarantee.word());
      }
      assertEquals(holds(setting, guarantee), Files.deleteIfExists(here.resolve("ran")));
    }
  }

  @EverySetting
  void whatHoldsAndWhatDoesNotIsListed(Setting setting) {
    Set<Guarantee> given = EnumSet.noneOf(Guarantee.class);
    for (Guarantee guarantee : Guarantee.values()) {
      if (holds(setting, guarantee)) {
        given.add(guarantee);
      }
    }
    Ran explained = setting.user().cloister(setting.words("explain", "--", "true")).run().exits(0);
    explained.assertLine("guaranteed: " + words(given));
    explained.assertLine("not guaranteed: " + words(EnumSet.complementOf(EnumSet.copyOf(given))));
    Ran ran = setting.run("--verbose", "--", "true").run().exits(0);
    for (String line : explained.lines().subList(0, 3)) {
      assertTrue(ran.err().contains("cloister: " + line + "\n"), ran::toString);
    }
  }

  /** No option but another strategy can add what is listed there. */
  @EverySetting
  void probeListsWhatIsOutOfReach(Setting setting) {
    Set<Guarantee> never = EnumSet.noneOf(Guarantee.class);
    for (Guarantee guarantee : Guarantee.values()) {
      boolean optional =
          guarantee == Guarantee.UNPRIVILEGED_USER
              || guarantee == Guarantee.NETWORK_ISOLATION
              || guarantee == Guarantee.IPC_ISOLATION
              || guarantee == Guarantee.PID_ISOLATION;
      if (!optional && !holds(setting, guarantee)) {
        never.add(guarantee);
      }
    }
    Ran ran = setting.user().cloister("probe", "--strategy", setting.strategy()).run().exits(0);
    String flat = ran.out().replaceAll("\\s+", " ");
    String line = never.isEmpty() ? "cannot guarantee" : "cannot guarantee: " + words(never) + " ";
    assertEquals(!never.isEmpty(), flat.contains(line), ran::toString);
  }

  @EverySetting
  void optionsAddGuarantees(Setting setting) {
    setting.run("--require", "network-isolation", "--unshare-net", "--", "true").run().exits(0);
    setting.run("--require", "ipc-isolation", "--unshare-ipc", "--", "true").run().exits(0);
    setting.run("--require", "unprivileged-user", "--uid", "7", "--", "true").run().exits(0);
    Ran ran = setting.run("--require", "network-isolation", "--", "true").run();
    ran.refuses(125, "add --unshare-net");
  }

  @EveryUser
  void anotherStrategyIsTakenForARequirement(CallingUser user) {
    Ran ran =
        user.cloister("run", "--verbose", "--require", "old-root-unmounted")
            .and("--require", "in-place", "--", "true")
            .run()
            .exits(0);
    assertTrue(
        ran.err()
            .startsWith(
                "cloister: strategy pivot_root: it is the preferred one, and works here with what"
                    + " is required\n"),
        ran::toString);
    Ran chroot =
        user.cloister("run", "--strategy", "chroot", "--require", "old-root-unmounted")
            .command("true")
            .run();
    chroot.refuses(125, "--strategy chroot", "use --strategy pivot_root or bwrap");
  }

  /** All are named with what would help, and nothing is run. */
  @EveryUser
  void whatNoStrategyGuaranteesIsRefusedForEach(CallingUser user) {
    Path here = user.work();
    Ran ran =
        user.cloister("run", "--require", "in-place", "--unshare-pid", "--mount", here.toString())
            .command("touch", here.resolve("ran").toString())
            .run()
            .exits(125);
    assertFalse(Files.exists(here.resolve("ran")));
    String each =
        "  %s: does not guarantee in-place, as --require asks\n"
            + "    remedy: leave out what somebody must wait for: --unshare-pid,"
            + " --die-with-parent, --new-session, --timeout, --memory, --pids, --cpu, --pidns,"
            + " --json-status-fd, --lock-file and --sync-fd\n";
    assertEquals(
        "cloister: run: no strategy can make this sandbox here\n"
            + each.formatted("pivot_root")
            + each.formatted("chroot")
            + each.formatted("bwrap"),
        ran.err().substring(0, ran.err().indexOf("  landlock: ")));
  }

  // old-root-unreachable

  /**
   * A command in the caller's own user namespace may trace the caller's other processes that have
   * no capabilities either, unless Landlock keeps it from that. Without, nothing is claimed.
   */
  @EverySetting
  void withoutAUserNamespaceTheOldRootIsReachableUnlessLandlockForbids(Setting setting) {
    goOutWithoutUserNamespace(setting, new Confinement()).prints("0\n125\n");
    goOutWithoutUserNamespace(setting, new Confinement().refuse(LANDLOCK, "ENOSYS"))
        .prints("secret\n125\n125\n");
  }

  private static final String LANDLOCK = "landlock_create_ruleset";

  private static Ran goOutWithoutUserNamespace(Setting setting, Confinement confinement) {
    Path secret = setting.user().write(setting.user().work(), "secret", "secret\n");
    String script =
        """
        echo 0 >/proc/sys/user/max_user_namespaces
        setpriv --bounding-set -all --inh-caps -all sleep 1000 & outside=$!
        until grep -q 'CapPrm:.0*$' /proc/$outside/status; do sleep 0.02; done
        "$@" --setenv PATH /usr/bin:/bin -- cat /proc/$outside/root/%s
        kill $outside
        "$@" --require old-root-unreachable -- true; echo $?
        "$@" --require own-user-namespace -- true; echo $?
        """
            .formatted(secret);
    return setting
        .user()
        .call("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh")
        .and(confinement.words().toArray(String[]::new))
        .and(Installation.SCRIPT.toString(), "run", "--strategy", setting.strategy())
        .run();
  }

  // old-root-unmounted

  /** Someone with all rights over the sandbox's mounts takes the new root away. */
  @EverySetting
  void onlyAChrootLeavesTheOldRootBelow(Setting setting) throws Exception {
    Required.that(CallingUser.own().isRoot(), "root, who may enter the namespace");
    Path here = setting.user().work();
    Path secret = setting.user().write(here, "secret", "secret\n");
    Path nowhere = Path.of("/dev/null");
    Process sandbox =
        setting
            .run("--preset", "host", "--bind", here.toString(), "/x")
            .script("echo $$ >/x/new && mv /x/new /x/pid && sleep 1000")
            .start(nowhere, nowhere);
    try {
      Path pid = here.resolve("pid");
      while (!Files.exists(pid) && sandbox.isAlive()) {
        Thread.sleep(10);
      }
      String[] enter = {"nsenter", "--mount", "--target", Files.readString(pid).strip(), "--"};
      Call take = CallingUser.own().call(enter).and("umount", "--lazy", "/");
      take.in(Path.of("/")).run();
      Ran look = CallingUser.own().call(enter).and("cat", secret.toString()).in(Path.of("/")).run();
      boolean unmounted = holds(setting, Guarantee.OLD_ROOT_UNMOUNTED);
      assertEquals(unmounted ? "" : "secret\n", look.out(), look::toString);
    } finally {
      sandbox.descendants().forEach(ProcessHandle::destroy);
      sandbox.destroy();
      sandbox.waitFor();
    }
  }

  // own-user-namespace

  @EverySetting
  void theUserNamespaceOwnsNothing(Setting setting) {
    Path script = Installation.resource("owner.py");
    for (String namespace : new String[] {"mnt", "net"}) {
      setting
          .run("--preset", "host", "--unshare-net", "--ro-bind", script.toString(), "/owner.py")
          .command(Required.program("python3"), "/owner.py", namespace)
          .run()
          .prints(holds(setting, Guarantee.OWN_USER_NAMESPACE) ? "above\n" : "own\n");
    }
  }

  // unprivileged-user

  @EverySetting
  void onlyTheKernelsRootHasRootsFiles(Setting setting) throws IOException {
    Required.that(CallingUser.own().isRoot(), "root, who has a file to itself");
    Path here = setting.user().work();
    Path file = Files.writeString(here.resolve("file"), "root's\n");
    Files.setAttribute(file, "unix:uid", 0);
    Files.setAttribute(file, "unix:mode", 0600);
    for (String[] options : new String[][] {{}, {"--map-root-user"}, {"--uid", "7"}}) {
      Ran ran =
          setting
              .run("--preset", "host", "--ro-bind", here.toString(), "/x")
              .and(options)
              .command("cat", "/x/file")
              .run();
      boolean reads = setting.user().isRoot() && !List.of(options).contains("7");
      assertEquals(reads ? "root's\n" : "", ran.out(), ran::toString);
      String[] required =
          Stream.concat(Stream.of("--require", "unprivileged-user"), Stream.of(options))
              .toArray(String[]::new);
      setting.run(required).command("true").run().exits(reads ? 125 : 0);
    }
  }

  // groups-dropped

  @EverySetting
  void onlyRootDropsItsGroups(Setting setting) throws IOException {
    Required.that(CallingUser.own().isRoot(), "root, who can have groups");
    setting.run("--", "true").run().exits(0);
    Path here = setting.user().work();
    Path file = Files.writeString(here.resolve("file"), "the group's\n");
    Files.setAttribute(file, "unix:uid", 1);
    Files.setAttribute(file, "unix:gid", 5);
    Files.setAttribute(file, "unix:mode", 0040);
    boolean root = setting.user().isRoot();

    Call plain = withGroup(setting, "--preset", "host", "--ro-bind", here.toString(), "/x");
    Ran ran = plain.command("cat", "/x/file").run();
    assertEquals(root ? "" : "the group's\n", ran.out(), ran::toString);

    Ran required = withGroup(setting, "--require", "groups-dropped").command("true").run();
    required.exits(root ? 0 : 125);
  }

  /** A caller with a supplementary group. */
  private static Call withGroup(Setting setting, String... options) {
    String id = Long.toString(setting.user().uid());
    return CallingUser.own()
        .call("setpriv", "--reuid", id, "--regid", id, "--groups", "5", "--")
        .and(Installation.SCRIPT.toString())
        .and(setting.words("run", options))
        .env("HOME", setting.user().home().toString())
        .env("TMPDIR", setting.user().temporary().toString());
  }

  // no-symlink-races

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /** bubblewrap follows a link that is planted after Cloister has looked, if it follows any. */
  @EveryUser
  void aLinkPlantedJustBeforeBubblewrapLeadsWhereBubblewrapGoes(CallingUser user)
      throws IOException {
    Path victim = user.work();
    Path project = user.work();
    Path late = user.work();
    String bwrap = Required.program("bwrap");
    Path wrapper =
        user.write(
            late,
            "bwrap",
            "#!/bin/sh\nln -sfn /oldroot%s %s/out\nexec %s \"$@\"\n"
                .formatted(victim, project, bwrap));
    assertTrue(wrapper.toFile().setExecutable(true, false));

    user.call(wrapper.toString(), "--ro-bind", "/", "/", "--bind", project.toString(), "/mnt")
        .and("--dir", "/mnt/out/plain", "true")
        .run();
    boolean follows = names(victim).equals(List.of("plain"));
    Files.delete(project.resolve("out"));
    user.cloister("run", "--strategy", "bwrap", "--preset", "host")
        .and("--bind", project.toString(), "/work", "--dir", "/work/out/cloister")
        .command("true")
        .env("PATH", late + ":/usr/bin:/bin")
        .run();
    assertEquals(follows, names(victim).contains("cloister"));
  }

  // pid-isolation

  @EverySetting
  void processesOutsideCanBeSentSignalsUnlessAsked(Setting setting) throws Exception {
    Path nowhere = Path.of("/dev/null");
    Process outside = setting.user().call("sleep", "1000").start(nowhere, nowhere);
    try {
      String all = "kill %d; kill -9 -1; exit 0".formatted(outside.pid());
      Ran ran = setting.run("--unshare-pid", "--require", "pid-isolation").script(all).run();
      assertTrue(ran.status() == 0 || ran.status() == 128 + 9, ran::toString);
      assertTrue(outside.isAlive());
      setting.run("--", "kill", Long.toString(outside.pid())).run().exits(0);
      assertEquals(128 + 15, outside.waitFor());
    } finally {
      outside.destroy();
    }
  }

  // in-place

  @EverySetting
  void theCommandIsTheProcessThatWasStarted(Setting setting) {
    setting.run("--", "true").run().exits(0);
    Ran ran =
        setting
            .user()
            .call("sh", "-c", "echo $$; exec \"$0\" \"$@\"", Installation.SCRIPT.toString())
            .and(setting.words("run", "--", "sh", "-c", "echo $$"))
            .run()
            .exits(0);
    boolean same = ran.lines().get(0).equals(ran.lines().get(1));
    assertEquals(holds(setting, Guarantee.IN_PLACE), same, ran::toString);
  }
}
