package dev.cloister.strategies;

import dev.cloister.host.Workaround;
import dev.cloister.strategies.chroot.Chroot;
import org.junit.jupiter.api.Nested;

/** The whole contract, with the ways that are taken on hosts that lack something. */
class ChrootWorkaroundsTest {
  @Nested
  class OutOfAChroot extends StrategyContract {
    OutOfAChroot() {
      super(new Chroot(), Workaround.LEAVE_CHROOT);
    }
  }

  @Nested
  class WithoutUserNamespaceAndProc extends StrategyContract {
    WithoutUserNamespaceAndProc() {
      super(
          new Chroot(),
          Workaround.NO_USER_NAMESPACE,
          Workaround.LANDLOCK_DOMAIN,
          Workaround.OWN_PROC);
    }
  }
}
