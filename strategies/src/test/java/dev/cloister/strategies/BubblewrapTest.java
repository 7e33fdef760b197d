package dev.cloister.strategies;

import dev.cloister.strategies.bwrap.Bubblewrap;

class BubblewrapTest extends StrategyContract {
  BubblewrapTest() {
    super(new Bubblewrap());
  }

  /** Refused: bubblewrap before 0.12.0 would follow it out of the sandbox. */
  @Override
  boolean canFollowAbsoluteLinks() {
    return false;
  }

  /** bubblewrap says what failed, in its own words, and Cloister what that means. */
  @Override
  boolean isFailure(String message) {
    return message.matches("bwrap: .*\ncloister: bwrap: /.*/bwrap could not set the sandbox up\n");
  }
}
