package dev.cloister.strategies;

/** What every strategy promises, of programs for whoever runs them. */
class PortableContractTest extends StrategyContract {
  PortableContractTest() {
    super(new ForAnyone(Strategies.PORTABLE));
  }
}
