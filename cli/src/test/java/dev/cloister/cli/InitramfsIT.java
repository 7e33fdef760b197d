package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A host whose root is its initramfs, as in a rescue system or a diskless machine: rootfs cannot be
 * pivoted (pivot_root(2)). A real kernel is booted for it, an older one than most: what works here
 * does not need the newest.
 */
@ExtendWith(HostLabTable.class)
final class InitramfsIT {
  /** Both are there whoever runs the tests. */
  @ParameterizedTest(name = "uid {0}")
  @ValueSource(longs = {0, CallingUser.UNPRIVILEGED})
  @Retention(RetentionPolicy.RUNTIME)
  @interface EveryGuestUser {}

  private static final List<Long> USERS = List.of(0L, CallingUser.UNPRIVILEGED);

  private static Guest guest;

  /** Looks at what options of all kinds have made. */
  private static final String OPTIONS =
      "hostname; id -u; id -g; grep -q \" /b tmpfs \" /a/proc/self/mounts && echo tmpfs;"
          + " cd /d && pwd -P; head -c 4 /e/g >/a/dev/null && echo device;"
          + " touch /usr/x 2>/a/dev/null || touch /e/g 2>/a/dev/null || echo read-only;"
          + " grep -c : /a/proc/net/dev; ls /e /";

  private static List<Guest.Call> calls(long uid) {
    String script = Guest.SCRIPT;
    String attack = "python3 %s/attacks.py $outside_%d /home/%d/secret %s/read-only %s/id";
    String inside = attack.formatted("/here", uid, uid, "/here", "/here");
    String outside = attack.replace("%s", "/home/" + uid).formatted(uid, uid);
    String withDescriptor = "sh -c 'exec 7</; \"$0\" \"$@\"; exit $?' ";
    List<Guest.Call> calls = new ArrayList<>();
    calls.add(new Guest.Call("probe", uid, script + " probe --json"));
    calls.add(
        new Guest.Call(
            "run",
            uid,
            script
                + " run --preset host -- sh -c"
                + " 'id -u; grep -E \"^(CapEff|NoNewPrivs):\" /proc/self/status'"));
    calls.add(
        new Guest.Call(
            "view", uid, script + " run --ro-bind /usr /usr -- /usr/bin/ls -A / /.. /usr/../.."));
    calls.add(
        new Guest.Call(
            "options",
            uid,
            script
                + " run --ro-bind /usr /usr --symlink usr/bin /bin --dev /a/dev --proc /a/proc"
                + " --tmpfs /b --dir /c --symlink c /d --bind /home/%d/tmp /e/f".formatted(uid)
                + " --ro-bind /etc/passwd /e/g --bind-try /nothing /h --uid 7 --gid 8"
                + " --hostname guest --unshare-net -- sh -c '"
                + OPTIONS
                + "'"));
    calls.add(
        new Guest.Call(
            "nested",
            uid,
            script
                + " run --preset host "
                + Guest.SHOWN
                + "--uid 5 -- "
                + script
                + " run --strategy pivot_root --preset host -- sh -c 'id -u; [ -e "
                + script
                + " ] || echo hidden'"));
    calls.add(
        new Guest.Call("named", uid, script + " run --strategy pivot_root -- /usr/bin/echo ran"));
    calls.add(
        new Guest.Call(
            "attacks",
            uid,
            withDescriptor
                + script
                + " run --preset host --ro-bind /home/%d /here -- ".formatted(uid)
                + inside));
    calls.add(new Guest.Call("control", uid, withDescriptor + outside));
    return calls;
  }

  @BeforeAll
  static void boot() throws Exception {
    guest = Guest.boot(USERS.stream().flatMap(uid -> calls(uid).stream()).toList());
  }

  @EveryGuestUser
  void choosesChrootBecauseTheRootCannotBePivoted(long uid) {
    Verdicts verdicts =
        Verdicts.of(guest.ran("probe", uid))
            .print("initramfs", uid == 0 ? "root" : "uid " + uid)
            .chooses("chroot", "pivot_root", "bwrap", "landlock")
            .lacks("pivot_root", "bubblewrap");

    verdicts
        .strategy("pivot_root")
        .refusedBecause("pivot_root(\".\", \".\"): EINVAL", "initramfs")
        .remedy("--strategy chroot", "switch_root");
    verdicts
        .strategy("bwrap")
        .refusedBecause("bwrap: pivot_root: Invalid argument", "initramfs")
        .remedy("--strategy chroot", "switch_root");
    // Its Landlock is of ABI 2.
    verdicts.strategy("landlock").refusedBecause("EINVAL", "truncated").remedy("Linux 6.2");
  }

  @EveryGuestUser
  void runsWithoutCapabilities(long uid) {
    guest.ran("run", uid).prints("%d\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n".formatted(uid));
  }

  /** This kernel cannot attach mounts to what is not attached itself. */
  @EveryGuestUser
  void makesWhatOptionsAskFor(long uid) {
    guest
        .ran("options", uid)
        .prints(
            """
            guest
            7
            8
            tmpfs
            /c
            device
            read-only
            1
            /:
            a
            b
            bin
            c
            d
            e
            usr

            /e:
            f
            g
            """);
  }

  /** Where Cloister's own root can be pivoted again. */
  @EveryGuestUser
  void nests(long uid) {
    guest.ran("nested", uid).prints("5\nhidden\n");
  }

  /** Not even as what is above the root. */
  @EveryGuestUser
  void showsNothingThatWasNotAskedFor(long uid) {
    guest.ran("view", uid).prints("/:\nusr\n\n/..:\nusr\n\n/usr/../..:\nusr\n");
  }

  @EveryGuestUser
  void refusesWhatNeedsAPivotedRoot(long uid) {
    guest.ran("named", uid).refuses(125, "--strategy pivot_root", "EINVAL", "initramfs");
  }

  @EveryGuestUser
  void everyWayOutIsClosed(long uid) {
    assertEquals(Set.of(), open(guest.ran("attacks", uid)));
    // The control: some are open to a plain process.
    Ran control = guest.ran("control", uid);
    Set<String> expected =
        new TreeSet<>(
            Set.of(
                "the secret's own path",
                "root of the parent",
                "root of any process",
                "working directory",
                "descriptors"));
    if (uid == 0) {
      expected.addAll(
          Set.of("chroot and climb", "own mount namespace", "mount", "root of process 1"));
    } else {
      expected.add("set-user-ID");
    }
    expected.removeAll(open(control));
    assertEquals(Set.of(), expected, control::toString);
  }

  private static Set<String> open(Ran ran) {
    ran.exits(0);
    assertTrue(ran.lines().size() >= 20, ran::toString);
    return ran.lines().stream()
        .filter(line -> line.endsWith(": open"))
        .map(line -> line.substring(0, line.length() - ": open".length()))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
