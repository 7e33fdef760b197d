package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import dev.cloister.probe.Capability;
import dev.cloister.strategy.Assessment;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is made of verdicts; ProbeIT finds real ones. */
class ProbeReportTest {
  private static final Assessment REFUSED =
      new Assessment.Unusable("mount(\"/a\"): EPERM", "ask \"root\"");

  private static ProbeReport report(Assessment first, Assessment second) {
    Map<String, Assessment> strategies = new LinkedHashMap<>();
    strategies.put("first", first);
    strategies.put("second", second);
    Map<Capability, Assessment> capabilities = new EnumMap<>(Capability.class);
    capabilities.put(Capability.CHROOT, Assessment.USABLE);
    capabilities.put(Capability.BUBBLEWRAP, REFUSED);
    return new ProbeReport(strategies, capabilities);
  }

  @Test
  void marksTheFirstUsableStrategyAndGroupsTheRest() {
    assertEquals(
        """
        strategies
          no     first
                 because: mount("/a"): EPERM
                 remedy:  ask "root"
          yes    second (default)

        namespaces

        mounts
          yes    chroot

        processes

        tools
          no     sandboxes by bubblewrap (bwrap)
                 because: mount("/a"): EPERM
                 remedy:  ask "root"
        """,
        report(REFUSED, Assessment.USABLE).table(false));
  }

  @Test
  void coloursTheVerdictsAlone() {
    String table = report(REFUSED, Assessment.USABLE).table(true);
    assertTrue(table.contains("  \u001b[31mno\u001b[0m     first\n"), table);
    assertTrue(table.contains("  \u001b[32myes\u001b[0m    second (default)\n"), table);
  }

  @Test
  void choosesNothingWhereNothingIsUsable() {
    ProbeReport nothing = report(REFUSED, REFUSED);
    assertEquals(Optional.empty(), nothing.choice());
    assertTrue(new Gson().fromJson(nothing.json(), JsonObject.class).get("choice").isJsonNull());
  }

  @Test
  void writesReasonAndRemedyOnlyOfWhatIsUnusable() {
    JsonObject json =
        new Gson().fromJson(report(REFUSED, Assessment.USABLE).json(), JsonObject.class);
    assertEquals("second", json.get("choice").getAsString());
    JsonObject first = json.getAsJsonArray("strategies").get(0).getAsJsonObject();
    assertEquals("mount(\"/a\"): EPERM", first.get("reason").getAsString());
    assertEquals("ask \"root\"", first.get("remedy").getAsString());
    JsonObject second = json.getAsJsonArray("strategies").get(1).getAsJsonObject();
    assertEquals(Set.of("name", "usable"), second.keySet());
    JsonObject chroot = json.getAsJsonArray("capabilities").get(0).getAsJsonObject();
    assertEquals("mounts", chroot.get("group").getAsString());
  }
}
