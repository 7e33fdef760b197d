package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.ChildProcess;
import dev.cloister.ffm.ExitStatus;
import dev.cloister.host.Preset;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.chroot.Chroot;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.StrategySelector.NoStrategyException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A program that needs something to be certain. */
class RequiredGuaranteesTest {
  private static SandboxSpec spec() throws Exception {
    return SandboxSpec.builder().mounts(Preset.HOST.mounts(true)).build();
  }

  @Test
  void passOverAStrategyThatDoesNotGiveThem() throws Exception {
    List<IsolationStrategy> chrootFirst = new ArrayList<>(List.of(new Chroot()));
    chrootFirst.addAll(Strategies.ALL);
    try (Sandbox sandbox =
        Sandbox.compile(spec(), chrootFirst, Set.of(Guarantee.OLD_ROOT_UNMOUNTED))) {
      assertEquals("pivot_root", sandbox.choice().strategy().name());
      assertEquals("chroot", sandbox.choice().rejections().getFirst().strategy().name());
      assertTrue(sandbox.choice().guarantees().contains(Guarantee.OLD_ROOT_UNMOUNTED));
      assertTrue(sandbox.choice().notGuaranteed().contains(Guarantee.NETWORK_ISOLATION));
      try (ChildProcess process = sandbox.start("true")) {
        assertEquals(new ExitStatus.Exited(0), process.waitFor());
      }
    }
  }

  @Test
  void areRefusedWithEveryCauseInTheMessage() {
    NoStrategyException e =
        assertThrows(
            NoStrategyException.class,
            () -> Sandbox.compile(spec(), Strategies.ALL, Set.of(Guarantee.NETWORK_ISOLATION)));
    assertEquals(Strategies.ALL.size(), e.rejections().size());
    for (IsolationStrategy strategy : Strategies.ALL) {
      String why =
          strategy.hasOwnView()
              ? "\n  %s: does not guarantee network-isolation, as --require asks\n    remedy: add --unshare-net"
                  .formatted(strategy.name())
              : "\n  %s: Landlock cannot make ".formatted(strategy.name());
      assertTrue(e.toString().contains(why), e::toString);
    }
  }
}
