package dev.cloister.strategies;

import dev.cloister.strategies.pivotroot.PivotRoot;

class PivotRootTest extends StrategyContract {
  PivotRootTest() {
    super(new PivotRoot());
  }
}
