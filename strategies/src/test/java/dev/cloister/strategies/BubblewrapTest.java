package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.Run.Ended;
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

  /** Its inner launcher is a memory file. The sysctl is the pid namespace's. */
  @EachUser
  void namesTheSysctlThatForbidsMemoryFiles(User user) throws Exception {
    Required.that(User.isRoot(), "to be root, to set a sysctl");
    SandboxSpec spec = hostPrograms(user).build();
    Ended ended = sandbox(user, spec, "echo happened").through(MemoryFiles.FORBIDDEN).end();
    assertEquals(125, ended.status(), ended.toString());
    assertEquals("", ended.output());
    assertTrue(ended.error().contains("vm.memfd_noexec"), ended.error());
  }

  /** bubblewrap says what failed, in its own words, and Cloister what that means. */
  @Override
  boolean isFailure(String message) {
    return message.matches("bwrap: .*\ncloister: bwrap: /.*/bwrap could not set the sandbox up\n");
  }
}
