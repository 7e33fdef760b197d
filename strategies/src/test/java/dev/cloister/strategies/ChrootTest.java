package dev.cloister.strategies;

import dev.cloister.strategies.chroot.Chroot;

class ChrootTest extends StrategyContract {
  ChrootTest() {
    super(new Chroot());
  }
}
