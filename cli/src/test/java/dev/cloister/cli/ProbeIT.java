package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code cloister probe} on this host, and where something is taken away from it. */
final class ProbeIT {
  private static final String PROBE = Installation.SCRIPT + " probe";

  @EveryUser
  void findsEveryStrategyAndCapabilityOfAnOrdinaryHost(CallingUser user) {
    JsonObject report = json(user.cloister("probe", "--json").run().exits(0));

    assertEquals(1, report.get("schema").getAsInt());
    assertEquals("pivot_root", report.get("choice").getAsString());
    assertEquals(List.of("pivot_root", "chroot", "bwrap", "landlock"), names(report, "strategies"));
    assertEquals(List.of(), unusable(report, "strategies"));
    assertTrue(names(report, "capabilities").contains("read_only"), report::toString);
    assertEquals(List.of(), unusable(report, "capabilities"));
  }

  @EveryUser
  void printsATableWithoutColoursForAPipe(CallingUser user) {
    Ran ran = user.cloister("probe").run().exits(0);

    ran.assertLine("  yes  pivot_root (default)");
    assertTrue(ran.out().contains("  yes  read-only, sub-mounts too"), ran::toString);
    assertTrue(ran.lines().getFirst().contains(", uid " + user.uid() + ","), ran::toString);
    assertTrue(ran.lines().stream().allMatch(line -> line.length() <= 80), ran::toString);
    assertFalse(ran.out().contains("\u001b"), ran::toString);
  }

  @EveryUser
  void writesJsonThatAStrictReaderTakes(CallingUser user) {
    String check = PROBE + " --json | " + Required.program("python3") + " -m json.tool";
    user.shell(check).run().exits(0).assertLine("    \"schema\": 1,");
  }

  @EveryUser
  void triesAnewWhatIsRememberedAndRemembersIt(CallingUser user) throws IOException {
    user.cloister("probe").run().exits(0);
    Path verdicts = user.launcherDirectory().resolve("verdicts");
    String remembered = Files.readString(verdicts);
    String spoilt = remembered.replace("\npivot_root\t\n", "\npivot_root\tno reason\tno remedy\n");
    assertNotEquals(remembered, spoilt);
    Files.writeString(verdicts, spoilt);

    JsonObject report = json(user.cloister("probe", "--json").run().exits(0));

    assertEquals("pivot_root", report.get("choice").getAsString());
    assertEquals(remembered, Files.readString(verdicts));
  }

  @EveryUser
  void leavesNothingBehind(CallingUser user) {
    String mounts = user.shell("cat /proc/self/mountinfo").run().exits(0).out();
    user.cloister("probe").run().exits(0);

    assertEquals(mounts, user.shell("cat /proc/self/mountinfo").run().exits(0).out());
    assertEquals(List.of(), user.launchers());
    // Only those from this directory: others on this machine may run launchers too.
    String place = user.launcherDirectory().toString();
    Ran processes = user.shell("ps -ww -o args= -u " + user.uid()).run().exits(0);
    assertEquals(List.of(), processes.lines().stream().filter(l -> l.contains(place)).toList());
  }

  @EveryUser
  void refusesWhatItDoesNotKnow(CallingUser user) {
    user.cloister("probe", "--jason").run().refuses(125, "--jason");
    user.cloister("probe", "ls").run().refuses(125, "ls");
    user.cloister("probe", "--strategy").run().refuses(125, "--strategy", "NAME");
    user.cloister("probe", "--strategy", "pivotroot")
        .run()
        .refuses(125, "--strategy", "pivotroot", "pivot_root, chroot, bwrap, landlock");
    assertTrue(user.cloister("probe", "--help").run().exits(0).out().contains("--json"));
  }

  @EveryUser
  void blamesAnotherLimitOnlyForWhatItStops(CallingUser user) {
    JsonObject report =
        json(
            unprivilegedInside(
                    user, "echo 0 > /proc/sys/user/max_net_namespaces", PROBE + " --json")
                .run());

    String reason = verdict(report, "net_namespace").get("reason").getAsString();
    assertTrue(reason.endsWith("user.max_net_namespaces is 0"), reason);
    String other = verdict(report, "uts_namespace").get("reason").getAsString();
    assertTrue(other.contains("lacks CAP_SETFCAP"), other);
  }

  @EveryUser
  void showsTheStepThatFailed(CallingUser user) {
    String limit = "echo 0 > /proc/sys/user/max_user_namespaces";
    Ran ran = unprivilegedInside(user, limit, PROBE + " --strategy chroot").run().exits(1);

    int failed = ran.lines().indexOf("      failed with ENOSPC (No space left on device)");
    assertTrue(ran.lines().get(failed - 1).startsWith("> "), ran::toString);
    assertTrue(ran.lines().get(failed - 1).contains("unshare(CLONE_NEWUSER"), ran::toString);
    assertTrue(ran.out().contains("because: user.max_user_namespaces is 0"), ran::toString);
    JsonObject chroot =
        json(unprivilegedInside(user, limit, PROBE + " --strategy chroot --json").run().exits(1))
            .getAsJsonArray("strategies")
            .get(0)
            .getAsJsonObject();
    int step = chroot.getAsJsonObject("failure").get("step").getAsInt();
    JsonObject shown = chroot.getAsJsonArray("steps").get(step - 1).getAsJsonObject();
    assertTrue(shown.get("failed").getAsBoolean(), chroot::toString);
    assertEquals(
        chroot.getAsJsonObject("failure").get("call"), shown.get("call"), chroot::toString);
  }

  @EveryUser
  void showsTheStepsOfAStrategyThatWorks(CallingUser user) {
    Ran ran = user.cloister("probe", "--strategy", "pivot_root").run().exits(0);

    ran.assertLine("  yes  pivot_root");
    assertTrue(ran.out().contains("pivot_root(\".\", \".\")"), ran::toString);
    assertFalse(ran.out().contains("failed"), ran::toString);
  }

  @EveryUser
  void readsLimitsToTheirLastDigit(CallingUser user) {
    Ran ran =
        unprivilegedInside(user, "echo 4321 > /proc/sys/user/max_ipc_namespaces", PROBE + " --json")
            .run();

    JsonObject sysctls = json(ran).getAsJsonObject("host").getAsJsonObject("sysctls");
    assertEquals("4321", sysctls.get("user.max_ipc_namespaces").getAsString());
  }

  /** With as many as are said to be enough, what needs the highest number works. */
  @EveryUser
  void tellsWhetherEnoughFilesCanBeOpen(CallingUser user) {
    for (int files : List.of(40, 65, 66)) {
      // The limit that counts is that of who calls, so the shell must stay.
      String script = "ulimit -S -n " + files + "; " + PROBE + " --json; exit $?";
      List<String> unusable = unusable(json(user.shell(script).run()), "limits");
      assertEquals(files < 66, unusable.contains("open files"), () -> files + ": " + unusable);
    }
    user.shell(
            "ulimit -S -n 66; exec " + Installation.SCRIPT + " run --strategy landlock -- echo ok")
        .run()
        .prints("ok\n");
  }

  /** A filter that refuses network namespaces and nothing else. */
  private static Confinement noNetworks() {
    return new Confinement().refuse("unshare", "EPERM", 0, "0x40000000");
  }

  /** {@code cloister probe --json} behind a filter. */
  private static JsonObject filtered(CallingUser user, Confinement filter) {
    Ran ran =
        user.call(filter.words().toArray(String[]::new))
            .and(Installation.SCRIPT.toString(), "probe", "--json")
            .run();
    assertTrue(ran.status() <= 1, ran::toString);
    return json(ran);
  }

  @EveryUser
  void provesThatAFilterRefuses(CallingUser user) {
    JsonObject report = filtered(user, new Confinement().refuse("unshare", "EPERM"));
    JsonObject verdict = verdict(report, "net_namespace");
    assertTrue(verdict.get("cause").getAsString().contains("seccomp filter"), verdict::toString);
    String evidence = verdict.getAsJsonArray("evidence").toString();
    assertTrue(evidence.contains("/proc/self/status: Seccomp: 2"), evidence);
    assertTrue(evidence.contains("unshare(0) is refused, which the kernel would not"), evidence);
  }

  /** This one lets the harmless call pass, so it is only likely. */
  @EveryUser
  void suspectsAFilterThatLooksAtFlags(CallingUser user) {
    JsonObject report = filtered(user, noNetworks());
    JsonObject verdict = verdict(report, "net_namespace");
    assertTrue(verdict.get("cause").getAsString().contains("seccomp filter"), verdict::toString);
    assertFalse(verdict.getAsJsonArray("evidence").toString().contains("unshare(0)"));
    assertEquals(List.of("net_namespace"), unusable(report, "capabilities"));
  }

  @Test
  void blamesTheChrootAndNotAFilterThatIsThereToo() {
    Required.that(CallingUser.own().isRoot(), "root, to make a chroot");
    // A directory that is no mount point, with what the probe needs mounted below it.
    String script =
        "d=$(mktemp -d) && mount -t tmpfs none $d && mkdir $d/r && cd $d/r"
            + " && for x in /*; do [ -L $x ] && cp -P $x . ; done;"
            + " for x in bin sbin lib lib64 usr etc opt proc dev sys tmp var root home; do"
            + " [ -d /$x ] && ! [ -L /$x ] && mkdir -p $x && mount --rbind /$x $x; done;"
            + " exec chroot --userspec=65534:65534 --groups= . \"$@\"";
    Ran ran =
        CallingUser.own()
            .call("unshare", "-m", "sh", "-c", script, "sh")
            .and(noNetworks().words().toArray(String[]::new))
            .and(Installation.SCRIPT.toString(), "probe", "--json")
            .env("TMPDIR", new CallingUser(65534, false).temporary().toString())
            .run()
            .exits(1);

    JsonObject verdict = verdict(json(ran), "user_namespace");
    assertTrue(verdict.get("cause").getAsString().contains("in a chroot, and"), ran::toString);
    assertEquals(
        "/proc/self/mountinfo: no mount at /",
        verdict.getAsJsonArray("evidence").get(0).getAsString());
    String remedy = verdict.get("remedy").getAsString();
    assertTrue(remedy.startsWith("start Cloister outside the chroot"), remedy);
  }

  /** A script as root of an own user namespace that has lost its capabilities. */
  private static Call unprivilegedInside(CallingUser user, String before, String script) {
    String drop = "exec setpriv --bounding-set -all --inh-caps -all ";
    return user.call(
        "unshare", "--user", "--map-root-user", "sh", "-c", before + "; " + drop + script);
  }

  private static JsonObject json(Ran ran) {
    return new Gson().fromJson(ran.out(), JsonObject.class);
  }

  private static List<String> names(JsonObject report, String array) {
    List<String> names = new ArrayList<>();
    for (JsonElement element : report.getAsJsonArray(array)) {
      names.add(element.getAsJsonObject().get("name").getAsString());
    }
    return names;
  }

  private static List<String> unusable(JsonObject report, String array) {
    List<String> names = new ArrayList<>();
    for (JsonElement element : report.getAsJsonArray(array)) {
      if (!element.getAsJsonObject().get("usable").getAsBoolean()) {
        names.add(element.getAsJsonObject().get("name").getAsString());
      }
    }
    return names;
  }

  private static JsonObject verdict(JsonObject report, String capability) {
    for (JsonElement element : report.getAsJsonArray("capabilities")) {
      if (element.getAsJsonObject().get("name").getAsString().equals(capability)) {
        return element.getAsJsonObject();
      }
    }
    throw new AssertionError("no capability " + capability + " in " + report);
  }
}
