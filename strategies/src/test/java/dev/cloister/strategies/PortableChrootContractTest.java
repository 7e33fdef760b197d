package dev.cloister.strategies;

import dev.cloister.strategies.chroot.Chroot;

/** The same where the root is never pivoted. */
class PortableChrootContractTest extends StrategyContract {
  PortableChrootContractTest() {
    super(new ForAnyone(new Chroot()));
  }
}
