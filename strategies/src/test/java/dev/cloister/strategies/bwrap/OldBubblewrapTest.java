package dev.cloister.strategies.bwrap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.host.Bwrap;
import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Assessment;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A bubblewrap that lacks options is good for sandboxes that need none of them. */
class OldBubblewrapTest {
  /** Some of those of version 0.4. */
  private static final Set<String> OLD =
      Set.of(
          "--dev",
          "--die-with-parent",
          "--dir",
          "--help",
          "--proc",
          "--ro-bind",
          "--ro-bind-data",
          "--tmpfs");

  private static Assessment assess(Set<String> options, MountOperation... mounts) {
    SandboxSpec.Builder spec = SandboxSpec.builder();
    for (MountOperation mount : mounts) {
      spec.mount(mount);
    }
    Caller caller = new Caller(1000, 1000, false, List.of(), true, 0, false, 0);
    Bwrap bwrap = new Bwrap(OsString.of("/opt/bwrap"), () -> options);
    HostReport host = new HostReport(caller, List.of(), Optional.of(bwrap), _ -> Optional.empty());
    return new Bubblewrap().assess(spec.build(), host);
  }

  private static final MountOperation PROC = new MountOperation.Proc(Destination.of("/proc"));
  private static final MountOperation DEV = new MountOperation.Devices(Destination.of("/dev"));

  @Test
  void canDoWhatNeedsNoneOfThem() {
    assertEquals(Assessment.USABLE, assess(OLD, PROC));
  }

  @Test
  void isRefusedWithTheOptionThatIsMissing() {
    Assessment.Unusable unusable =
        assertInstanceOf(Assessment.Unusable.class, assess(OLD, PROC, DEV));
    assertTrue(unusable.reason().contains("/opt/bwrap has no option --chmod"), unusable::reason);
    assertTrue(unusable.remedy().contains("newer bubblewrap"), unusable::remedy);
  }

  /** The inner launcher needs some as well. */
  @Test
  void isRefusedIfItCannotStartTheInnerLauncher() {
    Assessment.Unusable unusable = assertInstanceOf(Assessment.Unusable.class, assess(OLD));
    assertTrue(unusable.reason().contains("--perms"), unusable::reason);
  }

  /** Which its trial will show. */
  @Test
  void isNotJudgedIfItSaysNothing() {
    assertEquals(Assessment.USABLE, assess(Set.of(), PROC, DEV));
  }
}
