package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxBuilder;
import dev.cloister.sandbox.SandboxException;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.StrategySelector.NoStrategyException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A program that needs something to be certain. */
class RequiredGuaranteesTest {
  @Test
  void passOverAStrategyThatDoesNotGiveThem() throws Exception {
    try (Sandbox chosen = Sandbox.builder().preset("host").require("old-root-unmounted").build()) {
      assertEquals("pivot_root", chosen.strategy());
    }
    SandboxBuilder chroot =
        Sandbox.builder().preset("host").strategy("chroot").require("old-root-unmounted");
    SandboxException e = assertThrows(SandboxException.class, chroot::build);
    String why = "chroot: does not guarantee old-root-unmounted";
    assertTrue(e.getMessage().contains(why), e::getMessage);
  }

  @Test
  void areReportedToWhoAskedForThem() throws Exception {
    try (Sandbox sandbox =
        Sandbox.builder().preset("host").unshareNet().require("network-isolation").build()) {
      List<String> report = sandbox.report();
      assertTrue(report.getFirst().startsWith("strategy pivot_root: "), report::toString);
      assertTrue(report.get(1).contains("network-isolation"), report::toString);
      assertEquals(0, sandbox.command("true").start().waitFor());
    }
  }

  @Test
  void areRefusedWithEveryCauseInTheMessage() {
    SandboxBuilder builder = Sandbox.builder().preset("host").require("network-isolation");
    SandboxException e = assertThrows(SandboxException.class, builder::build);
    assertEquals(SandboxException.Phase.BUILD, e.phase());
    for (IsolationStrategy strategy : Strategies.ALL) {
      String why =
          strategy.hasOwnView()
              ? "\n  %s: does not guarantee network-isolation, as --require asks\n    remedy: add --unshare-net"
                  .formatted(strategy.name())
              : "\n  %s: Landlock cannot make ".formatted(strategy.name());
      assertTrue(e.toString().contains(why), e::toString);
    }
    NoStrategyException cause = assertInstanceOf(NoStrategyException.class, e.getCause());
    assertEquals(Strategies.ALL.size(), cause.rejections().size());
  }

  @Test
  void existOrAreRefusedAtOnce() {
    assertThrows(IllegalArgumentException.class, () -> Sandbox.builder().require("nothing"));
  }
}
