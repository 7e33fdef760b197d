package dev.cloister.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.ffm.ExitStatus.Exited;
import dev.cloister.ffm.ExitStatus.Killed;
import org.junit.jupiter.api.Test;

class ExitStatusTest {
  private static void is(ExitStatus status, int number, int waitStatus) {
    assertEquals(status, ExitStatus.decode(waitStatus));
    assertEquals(number, status.number());
  }

  @Test
  void isReadAsWaitGivesIt() {
    is(new Exited(0), 0, 0);
    is(new Exited(3), 3, 0x0300);
    is(new Exited(255), 255, 0xff00);
    is(new Killed(9, false), 137, 9);
    is(new Killed(11, true), 139, 0x8b);
  }
}
