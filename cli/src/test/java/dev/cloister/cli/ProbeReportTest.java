package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.Caller;
import dev.cloister.host.Evidence;
import dev.cloister.host.Workaround;
import dev.cloister.probe.Capability;
import dev.cloister.probe.Limit;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.SyscallProgram;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Assessment.Cause;
import dev.cloister.strategy.Assessment.Failure;
import dev.cloister.strategy.Guarantee;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is made of verdicts; ProbeIT finds real ones. */
class ProbeReportTest {
  private static final Caller CALLER = new Caller(1000, 1000, false, List.of(), true, 0, false, 0);
  private static final SyscallProgram PROGRAM =
      new SyscallProgram(
          "first",
          List.of(
              Call.of(SystemCall.CHDIR, Operand.of("/")),
              Call.of(SystemCall.UNSHARE, Operand.of(LinuxConstant.CLONE_NEWUSER))));
  private static final Failure FAILURE = new Failure(2, "unshare(CLONE_NEWUSER)", 28);
  private static final Cause LIMIT =
      new Cause("the limit is 0", List.of("/proc/limit: 0"), "raise it", List.of("limit = 1", "!"));
  private static final Assessment REFUSED = new Assessment.Unusable(Optional.of(FAILURE), LIMIT);
  private static final Assessment ABSENT = new Assessment.Unusable("it is absent", "install it");

  private static ProbeReport report(Assessment first, Assessment second) {
    Map<Capability, Assessment> capabilities = new EnumMap<>(Capability.class);
    capabilities.put(Capability.USER_NAMESPACE, REFUSED);
    capabilities.put(Capability.CHROOT, Assessment.USABLE);
    capabilities.put(Capability.BUBBLEWRAP, ABSENT);
    return new ProbeReport(
        CALLER,
        Evidence.NONE,
        List.of(
            new ProbeReport.Strategy(
                "first", first, true, Optional.of(PROGRAM), Set.of(), Set.of()),
            new ProbeReport.Strategy(
                "second",
                second,
                true,
                Optional.empty(),
                Set.of(Guarantee.NO_CAPABILITIES),
                Set.of(Guarantee.IN_PLACE))),
        capabilities,
        List.of(new Limit("user.limit", "0", new Assessment.Unusable(Optional.empty(), LIMIT))));
  }

  private static String table(Assessment first, Assessment second) {
    return ProbeTable.of(report(first, second), false, 80);
  }

  private static JsonObject json(ProbeReport report, boolean deep) {
    return new Gson().fromJson(ProbeJson.of(report, deep), JsonObject.class);
  }

  @Test
  void saysACauseOnceForAllThatHaveIt() {
    assertEquals(
        """
        Linux, uid 1000, no capabilities, no seccomp filter

        strategies
          no   first   [1] step 2: unshare(CLONE_NEWUSER): ENOSPC (No space left on
                           device)
          yes  second (default)
               cannot guarantee: in-place

          [1] because: the limit is 0
              seen in: /proc/limit: 0
              remedy:  raise it (text below)

          [2] because: it is absent
              remedy:  install it

        namespaces
          no   user, with mapped ids [1]

        mounts
          yes  chroot

        limits
          no   user.limit: 0 [1]

        tools
          no   bubblewrap (bwrap) [2]

        for [1]:
        limit = 1
        !
        """,
        table(REFUSED, Assessment.USABLE));
  }

  @Test
  void fitsTheWidth() {
    for (int width : new int[] {50, 80, 120}) {
      String table = ProbeTable.of(report(REFUSED, ABSENT), false, width);
      assertTrue(table.lines().allMatch(line -> line.length() <= width), table);
    }
  }

  @Test
  void coloursTheVerdictsAlone() {
    String table = ProbeTable.of(report(REFUSED, Assessment.USABLE), true, 80);
    assertTrue(table.contains("  \u001b[31mno\u001b[0m   first   [1]"), table);
    assertTrue(table.contains("  \u001b[32myes\u001b[0m  second (default)\n"), table);
    assertFalse(table(REFUSED, Assessment.USABLE).contains("\u001b"));
  }

  @Test
  void saysWhatAStrategyDoesDifferently() {
    Assessment fitted = new Assessment.Usable(Set.of(Workaround.OWN_PROC));
    assertTrue(table(fitted, ABSENT).contains("  yes  first (default; with own_proc)\n"));
    JsonObject first =
        json(report(fitted, ABSENT), false).getAsJsonArray("strategies").get(0).getAsJsonObject();
    assertEquals("own_proc", first.getAsJsonArray("workarounds").get(0).getAsString());
  }

  @Test
  void marksTheStepThatFailed() {
    String deep = ProbeTable.ofOne(report(REFUSED, ABSENT), false, 80);
    assertTrue(
        deep.contains(
            """
               1  chdir("/")
            >  2  unshare(CLONE_NEWUSER)
                  failed with ENOSPC (No space left on device)
            """),
        deep);
    assertTrue(deep.contains("[1] because: the limit is 0\n"), deep);
    assertTrue(deep.endsWith("for [1]:\nlimit = 1\n!\n"), deep);
  }

  @Test
  void choosesNothingWhereNothingIsUsable() {
    ProbeReport nothing = report(REFUSED, REFUSED);
    assertEquals(Optional.empty(), nothing.choice());
    assertTrue(json(nothing, false).get("choice").isJsonNull());
  }

  @Test
  void writesTheFailureTheCauseAndTheRemedyApart() {
    JsonObject json = json(report(REFUSED, Assessment.USABLE), false);
    assertEquals("second", json.get("choice").getAsString());
    JsonObject first = json.getAsJsonArray("strategies").get(0).getAsJsonObject();
    assertEquals(
        "unshare(CLONE_NEWUSER): ENOSPC (No space left on device): the limit is 0",
        first.get("reason").getAsString());
    assertEquals("the limit is 0", first.get("cause").getAsString());
    assertEquals("raise it", first.get("remedy").getAsString());
    assertEquals("/proc/limit: 0", first.getAsJsonArray("evidence").get(0).getAsString());
    JsonObject failure = first.getAsJsonObject("failure");
    assertEquals(2, failure.get("step").getAsInt());
    assertEquals("unshare(CLONE_NEWUSER)", failure.get("call").getAsString());
    assertEquals("ENOSPC", failure.get("errno").getAsString());
    JsonObject second = json.getAsJsonArray("strategies").get(1).getAsJsonObject();
    assertEquals(Set.of("name", "usable", "guarantees", "cannot_guarantee"), second.keySet());
    assertEquals("no-capabilities", second.getAsJsonArray("guarantees").get(0).getAsString());
    assertEquals("in-place", second.getAsJsonArray("cannot_guarantee").get(0).getAsString());
    JsonObject chroot = json.getAsJsonArray("capabilities").get(1).getAsJsonObject();
    assertEquals("mounts", chroot.get("group").getAsString());
    JsonObject limit = json.getAsJsonArray("limits").get(0).getAsJsonObject();
    assertEquals("the limit is 0", limit.get("reason").getAsString());
  }

  @Test
  void writesTheStepsOfOneStrategy() {
    JsonObject json = json(report(REFUSED, ABSENT), true);
    assertFalse(json.has("capabilities"));
    JsonObject second =
        json.getAsJsonArray("strategies")
            .get(0)
            .getAsJsonObject()
            .getAsJsonArray("steps")
            .get(1)
            .getAsJsonObject();
    assertEquals(2, second.get("number").getAsInt());
    assertTrue(second.get("failed").getAsBoolean());
  }
}
