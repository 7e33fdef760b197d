package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.cloister.fixture.Required;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code cloister bench}: that all is measured and named, never how long it took. */
final class BenchIT {
  private static final List<String> ALL =
      List.of("no sandbox", "pivot_root", "chroot", "bwrap", "landlock", "bubblewrap");

  private static final String WARNING = "bench: warning: ";

  private static JsonObject json(Ran ran) {
    return new Gson().fromJson(ran.out(), JsonObject.class);
  }

  private static List<JsonObject> subjects(JsonObject report, boolean measured) {
    List<JsonObject> subjects = new ArrayList<>();
    for (JsonElement element : report.getAsJsonArray("subjects")) {
      if (element.getAsJsonObject().get("measured").getAsBoolean() == measured) {
        subjects.add(element.getAsJsonObject());
      }
    }
    return subjects;
  }

  private static List<String> names(List<JsonObject> subjects) {
    return subjects.stream().map(subject -> subject.get("name").getAsString()).toList();
  }

  private static void assertPlausible(JsonObject subject, int samples) {
    assertEquals(samples, subject.get("samples").getAsInt(), subject::toString);
    long min = subject.get("min_ns").getAsLong();
    long median = subject.get("median_ns").getAsLong();
    long p95 = subject.get("p95_ns").getAsLong();
    assertTrue(0 < min && min <= median && median <= p95, subject::toString);
    assertTrue(subject.get("of_plain").getAsDouble() > 0, subject::toString);
  }

  @EveryUser
  void measuresAllThatWorksOnAnOrdinaryHost(CallingUser user) {
    JsonObject report = json(user.cloister("bench", "--json", "--samples", "20").run().exits(0));

    assertEquals(1, report.get("schema").getAsInt());
    assertEquals(List.of(), subjects(report, false));
    assertEquals(ALL, names(subjects(report, true)));
    subjects(report, true).forEach(subject -> assertPlausible(subject, 20));
    assertEquals(1, subjects(report, true).getFirst().get("of_plain").getAsDouble());
    assertTrue(report.get("sample").getAsString().contains("start to exit"), report::toString);
    assertEquals(
        List.of("/usr", "/etc", "/dev", "/proc", "/sys"),
        report.getAsJsonArray("binds").asList().stream().map(JsonElement::getAsString).toList());
  }

  @EveryUser
  void saysWhereItMeasured(CallingUser user) {
    JsonObject environment =
        json(user.cloister("bench", "--samples", "1", "--json").run().exits(0))
            .getAsJsonObject("environment");

    assertEquals(user.uid(), environment.get("uid").getAsLong());
    assertTrue(environment.get("kernel").getAsString().startsWith("Linux "));
    assertTrue(environment.get("jdk").getAsString().startsWith(Runtime.version().toString()));
    assertTrue(environment.get("bwrap").getAsString().startsWith("bubblewrap "));
    assertTrue(environment.get("cpus").getAsInt() > 0);
    assertTrue(environment.get("load_average").getAsDouble() >= 0);
    assertTrue(environment.has("cpu"));
  }

  @EveryUser
  void printsATableAndNoProgressForAPipe(CallingUser user) {
    Ran ran = user.cloister("bench", "--samples", "3").run().exits(0);

    assertTrue(ran.out().contains("\n3 of each, in turn; times in µs"), ran::toString);
    for (String name : ALL) {
      String row = "  %-10s( +[0-9]+){3} +[0-9]+[.][0-9]{2}  .*".formatted(name);
      assertEquals(1, ran.lines().stream().filter(it -> it.matches(row)).count(), ran::toString);
    }
    assertTrue(ran.lines().stream().allMatch(line -> line.length() <= 80), ran::toString);
    assertFalse(ran.out().contains("left out"), ran::toString);
    assertTrue(ran.err().isEmpty() || ran.err().startsWith("cloister: " + WARNING), ran::toString);
    assertFalse(ran.err().contains("measuring"), ran::toString);
  }

  /** Only this one takes its usual time. */
  @Test
  void measuresForSomeSecondsIfItIsNotTold() {
    JsonObject report = json(CallingUser.own().cloister("bench", "--json").run().exits(0));

    List<JsonObject> measured = subjects(report, true);
    assertEquals(ALL, names(measured));
    int samples = measured.getFirst().get("samples").getAsInt();
    assertTrue(samples > 0, report::toString);
    measured.forEach(subject -> assertPlausible(subject, samples));
  }

  @EveryUser
  void namesWhatIsMissing(CallingUser user) {
    Path empty = user.work();
    Call call = user.cloister("bench", "--json", "--samples", "3").env("PATH", empty.toString());
    JsonObject report = json(call.run().exits(0));

    assertEquals(
        List.of("no sandbox", "pivot_root", "chroot", "landlock"), names(subjects(report, true)));
    assertEquals(List.of("bwrap", "bubblewrap"), names(subjects(report, false)));
    for (JsonObject missing : subjects(report, false)) {
      String reason = missing.get("reason").getAsString();
      assertTrue(reason.startsWith("there is no executable bwrap in PATH"), reason);
      assertFalse(missing.has("median_ns"), missing::toString);
    }
    assertTrue(report.getAsJsonObject("environment").get("bwrap").isJsonNull(), report::toString);

    Ran table = user.cloister("bench", "--samples", "3").env("PATH", empty.toString()).run();
    table.exits(0).assertLine("  bubblewrap there is no executable bwrap in PATH");
  }

  /** A peer that is there and does not work gives its own reason. */
  @EveryUser
  void namesWhatDoesNotWork(CallingUser user) {
    String script =
        "echo 0 > /proc/sys/user/max_user_namespaces;"
            + " exec setpriv --bounding-set -all --inh-caps -all "
            + Installation.SCRIPT
            + " bench --json --samples 3";
    JsonObject report =
        json(user.call("unshare", "--user", "--map-root-user", "sh", "-c", script).run().exits(0));

    assertTrue(names(subjects(report, true)).contains("no sandbox"), report::toString);
    List<JsonObject> leftOut = subjects(report, false);
    assertTrue(names(leftOut).containsAll(List.of("pivot_root", "chroot", "bubblewrap")));
    String reason = leftOut.getFirst().get("reason").getAsString();
    assertTrue(reason.contains("user.max_user_namespaces is 0"), reason);
    String peer = leftOut.getLast().get("reason").getAsString();
    assertTrue(peer.startsWith("it ended with status 1: bwrap: "), peer);
  }

  /** The command with a load that somebody else made up. */
  private static Ran loaded(CallingUser user, String load) {
    Path file = user.write(user.work(), "loadavg", load + " 0.00 0.00 1/100 4711\n");
    String script =
        "mount --bind %s /proc/loadavg && exec %s bench --samples 1 --json"
            .formatted(file, Installation.SCRIPT);
    return user.call("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script)
        .run()
        .exits(0);
  }

  @EveryUser
  void warnsIfTheMachineHasOtherWork(CallingUser user) {
    Ran ran = loaded(user, "5000.25");
    assertEquals(1, ran.err().lines().count(), ran::toString);
    assertTrue(ran.err().startsWith("cloister: " + WARNING), ran::toString);
    assertTrue(ran.err().contains("load average 5000.25 on "), ran::toString);
    assertTrue(json(ran).getAsJsonObject("environment").get("loaded").getAsBoolean());

    Ran calm = loaded(user, "0.10");
    assertEquals("", calm.err(), calm::toString);
    assertFalse(json(calm).getAsJsonObject("environment").get("loaded").getAsBoolean());
  }

  /** On a terminal that plays this dialogue. */
  private static Call onTerminal(CallingUser user, String... steps) {
    return user.call(Required.program("python3"), Installation.resource("terminal.py").toString())
        .and(steps)
        .and("--", Installation.SCRIPT.toString(), "bench", "--samples", "60");
  }

  @EveryUser
  void showsItsProgressOnATerminal(CallingUser user) {
    Ran ran = onTerminal(user, "expect measuring [#", "expect ] 100 %").run().exits(0);

    ran.assertLine("ended with 0");
    int removed = ran.out().lastIndexOf("\r" + " ".repeat(10));
    assertTrue(removed > ran.out().lastIndexOf("measuring"), ran::toString);
    assertTrue(ran.out().indexOf("60 of each") > removed, ran::toString);
  }

  /** {@link Call} sees to it that nothing is left where launchers lie. */
  @EveryUser
  void endsByCtrlCWithoutAnotherWord(CallingUser user) {
    Ran ran = onTerminal(user, "expect measuring [#", "send \\x03").run().exits(0);

    ran.assertLine("ended with 130");
    assertFalse(ran.out().contains("of each"), ran::toString);
    assertFalse(ran.out().contains("cannot measure"), ran::toString);
  }

  @EveryUser
  void refusesWhatItDoesNotKnow(CallingUser user) {
    user.cloister("bench", "--jason").run().refuses(125, "bench", "--jason");
    user.cloister("bench", "ls").run().refuses(125, "bench", "ls");
    user.cloister("bench", "--samples").run().refuses(125, "--samples", "COUNT");
    for (String count : List.of("0", "1000001", "9".repeat(30), "\u0663")) {
      user.cloister("bench", "--samples", count)
          .run()
          .refuses(125, "bench", "--samples " + count + ":", "1 to 1000000");
    }
    user.cloister("bench", "--samples", "").run().refuses(125, "--samples '':");
    assertTrue(user.cloister("bench", "--help").run().exits(0).out().contains("--samples COUNT"));
  }
}
