package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.cli.InitramfsIT.EveryGuestUser;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;

/**
 * Limits by cgroups, on a kernel that has the controllers: as root in the root cgroup, and as a
 * user to whom a cgroup is delegated. Its root cannot be pivoted, so the strategy is chroot; the
 * others are called in a sandbox that it makes.
 */
final class CgroupIT {
  private static final String RUN = Guest.SCRIPT + " run ";

  /** The hierarchy without nsdelegate, which would hide a mistake. */
  private static final String PREPARATION =
      """
      if [ "$caller" = 0 ]; then
        mount -t cgroup2 cgroup2 /sys/fs/cgroup
      else
        until [ -e /delegated ]; do sleep 1; done
        # This shell itself, and so the calls it makes.
        echo 0 >/sys/fs/cgroup/delegated/shell/cgroup.procs
      fi
      """;

  /** The last thing root does. */
  private static final String DELEGATE =
      "cd /sys/fs/cgroup && mkdir -p delegated/shell"
          + " && echo +memory +pids +cpu >delegated/cgroup.subtree_control"
          + " && chown 65534 delegated delegated/cgroup.procs delegated/cgroup.subtree_control"
          + " && touch /delegated";

  /** The cgroups of sandboxes that there are, which the shell must not read in place of a name. */
  private static final String LEFT =
      "find /sys/fs/cgroup -name \"cloister-*\" | sed s/-[0-9]*$//; ";

  /** Where the limits are, seen from the command. */
  private static final String OUTER =
      "d=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup | grep sandbox)/..; ";

  private static final String ALLOCATE = "python3 -c \"x = bytearray(200 << 20); print(len(x))\"";

  /** More processes at a time than there may be. */
  private static final String FORK =
      "i=0; while [ $i -lt 20 ]; do sleep 300 & i=$((i + 1)); done; echo all";

  private static Guest guest;

  private static String script(String text) {
    assertTrue(text.indexOf('\'') < 0, text);
    return "sh -c '" + text + "'";
  }

  private static String quoted(String text) {
    // Twice: for the shell that is the call, and for the one in it.
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("$", "\\$") + "\"";
  }

  private static String run(String options, String inside) {
    return RUN + options + " -- sh -c " + quoted(inside) + "; ";
  }

  private static List<Guest.Call> calls(long uid) {
    List<Guest.Call> calls = new ArrayList<>();
    String alive = "kill -0 $0 && echo alive; ";
    calls.add(
        new Guest.Call(
            "memory",
            uid,
            script(run("--memory 64M", ALLOCATE + "; echo survived") + "echo $?; " + alive + LEFT)
                + " $outside_"
                + uid));
    calls.add(new Guest.Call("memory-control", uid, script(run("--pids 100", ALLOCATE))));
    calls.add(new Guest.Call("pids", uid, script(run("--pids 10", FORK) + "echo $?; " + LEFT)));
    calls.add(new Guest.Call("pids-control", uid, script(run("--pids 100", FORK) + LEFT)));
    calls.add(
        new Guest.Call(
            "files",
            uid,
            script(
                run(
                    "--memory 64M --pids 10 --cpu 0.5",
                    OUTER
                        + "cd $d; cat memory.max memory.oom.group memory.swap.max pids.max cpu.max;"
                        + " cat pids.current"))));
    calls.add(
        new Guest.Call(
            "lift",
            uid,
            script(
                run(
                    "--preset host --memory 64M --bind /sys /x --dir /x --dev-bind / /y",
                    OUTER
                        + "for s in /sys /x /y/sys; do e=$s${d#/sys};"
                        + " [ -e $e/memory.max ] && echo seen;"
                        + " (echo max >$e/memory.max) 2>/dev/null && echo lifted;"
                        + " (echo 0 >$e/../cgroup.procs) 2>/dev/null && echo left; done;"
                        + ALLOCATE))));
    calls.add(
        new Guest.Call(
            "namespace", uid, script(run("--pids 10 --unshare-cgroup", "cat /proc/self/cgroup"))));
    calls.add(
        new Guest.Call(
            "init", uid, script(run("--unshare-pid --memory 64M", ALLOCATE) + "echo $?; " + LEFT)));
    calls.add(
        new Guest.Call(
            "failure",
            uid,
            script(
                RUN
                    + "--pids 10 --chdir /nowhere -- true; echo $?; "
                    + RUN
                    + "--pids 10 -- nonexistent; echo $?; "
                    + LEFT)));
    calls.add(
        new Guest.Call(
            "killed",
            uid,
            script(
                RUN
                    + "--pids 10 -- sleep 300 & "
                    + "until find /sys/fs/cgroup -name cgroup.procs | grep sandbox/ | xargs cat"
                    + " | grep -q .; do sleep 1; done;"
                    + " kill -9 $!; wait $!; echo $?; "
                    + LEFT
                    + RUN
                    + "--pids 9 -- true; echo $?; "
                    + LEFT)));
    calls.add(
        new Guest.Call(
            "raise", uid, script(run("--rlimit nofile=5000:6000", "ulimit -n; ulimit -Hn"))));
    if (uid == 0) {
      calls.add(
          new Guest.Call(
              "enabled", uid, script("cat /sys/fs/cgroup/cgroup.subtree_control; " + DELEGATE)));
    } else {
      for (String strategy : List.of("pivot_root", "bwrap")) {
        calls.add(new Guest.Call("nested-" + strategy, uid, script(nested(strategy))));
      }
      calls.add(
          new Guest.Call(
              "undelegated",
              uid,
              script("chmod a-w /sys/fs/cgroup/delegated; " + RUN + "--memory 64M -- true")));
    }
    return calls;
  }

  /** With a hierarchy of its own, whose root is the cgroup that the command is in. */
  private static String nested(String strategy) {
    String mounting =
        "mount -t cgroup2 c /tmp && ls /tmp | grep -c memory.max;"
            + " echo max >/tmp/memory.max; "
            + ALLOCATE;
    String options = "--strategy " + strategy + " --memory 64M ";
    return RUN
        + "--preset host "
        + Guest.SHOWN
        + "-- sh -c "
        + quoted(
            RUN
                + options
                + "-- sh -c "
                + quoted(ALLOCATE)
                + "; echo $?; "
                + RUN
                + options
                + "-- unshare -UrmC sh -c "
                + quoted(mounting)
                + "; echo $?; "
                + LEFT);
  }

  @BeforeAll
  static void boot() throws Exception {
    List<Guest.Call> calls = new ArrayList<>(calls(0));
    calls.addAll(calls(CallingUser.UNPRIVILEGED));
    guest = Guest.boot(PREPARATION, calls);
  }

  @EveryGuestUser
  void memoryEndsAllOfTheSandboxAndNothingElse(long uid) {
    guest.ran("memory-control", uid).prints("209715200\n");
    guest.ran("memory", uid).prints("137\nalive\n");
  }

  @EveryGuestUser
  void pidsStopForks(long uid) {
    guest.ran("pids-control", uid).prints("all\n");
    Ran ran = guest.ran("pids", uid);
    assertEquals("2\n", ran.out(), ran::toString);
    assertTrue(ran.err().contains("fork"), ran::toString);
  }

  @EveryGuestUser
  void limitsAreThoseAskedFor(long uid) {
    List<String> lines = guest.ran("files", uid).exits(0).lines();
    assertEquals(
        List.of("67108864", "1", "0", "10", "50000 100000"), lines.subList(0, 5), lines::toString);
  }

  @EveryGuestUser
  void noCommandLiftsItsOwn(long uid) {
    Ran ran = guest.ran("lift", uid);
    assertEquals("seen\nseen\nseen\n", ran.out(), ran::toString);
    ran.exits(137);
  }

  @EveryGuestUser
  void aCgroupNamespaceStartsAtTheSandbox(long uid) {
    guest.ran("namespace", uid).prints("0::/\n");
  }

  @EveryGuestUser
  void limitAnInitToo(long uid) {
    guest.ran("init", uid).prints("137\n");
  }

  @EveryGuestUser
  void nothingIsLeftOfAFailure(long uid) {
    guest.ran("failure", uid).prints("125\n127\n");
  }

  @EveryGuestUser
  void whatAKilledLauncherLeavesIsRemovedByTheNext(long uid) {
    guest
        .ran("killed", uid)
        .prints("137\n/sys/fs/cgroup/%scloister\n0\n".formatted(uid == 0 ? "" : "delegated/"));
  }

  @EveryGuestUser
  void onlyPrivilegeRaisesAHardLimit(long uid) {
    Ran ran = guest.ran("raise", uid);
    if (uid == 0) {
      ran.prints("5000\n6000\n");
    } else {
      ran.refuses(125, "prlimit64(0, RLIMIT_NOFILE", "EPERM");
      assertTrue(ran.err().contains("hint: --rlimit nofile"), ran::toString);
    }
  }

  @org.junit.jupiter.api.Test
  void rootEnablesWhatIsMissing() {
    List<String> lines = guest.ran("enabled", 0).exits(0).lines();
    assertEquals(List.of("cpu memory pids"), lines);
  }

  /** Nor by the files that a hierarchy has which it mounts itself. */
  @org.junit.jupiter.params.ParameterizedTest
  @org.junit.jupiter.params.provider.ValueSource(strings = {"pivot_root", "bwrap"})
  void otherStrategiesLimitToo(String strategy) {
    Ran ran = guest.ran("nested-" + strategy, CallingUser.UNPRIVILEGED);
    assertEquals("137\n0\n137\n", ran.out(), ran::toString);
  }

  @org.junit.jupiter.api.Test
  void withoutDelegationItIsRefused() {
    guest
        .ran("undelegated", CallingUser.UNPRIVILEGED)
        .refuses(125, "--memory: /sys/fs/cgroup/delegated may not be written to by this user");
  }
}
