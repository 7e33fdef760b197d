package dev.cloister.cli;

import dev.cloister.fixture.Required;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The real command line on hosts that lack something: it takes the strongest strategy that works
 * there, says of the others why they do not and what helps, and a command then runs with all that
 * is promised, or is refused with that.
 */
@ExtendWith(HostLabTable.class)
final class HostLabIT {
  static Stream<HostRow> rows() {
    return HostLab.rows();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rows")
  void choosesAndAdvises(HostRow row) {
    Required.that(!row.host().needsRoot() || CallingUser.own().isRoot(), "root, to make this host");
    row.check(probe(row));
  }

  private static Verdicts probe(HostRow row) {
    try {
      return row.probe().print(row.host().name(), row.user().toString());
    } catch (AssertionError e) {
      HostLabTable.addFailure(row.host().name(), row.user().toString());
      throw e;
    }
  }

  /** Without one there is nothing to start, so there is nothing to report either. */
  @EveryUser
  void saysWhereALauncherCouldBe(CallingUser user) {
    Required.that(CallingUser.own().isRoot(), "root, to make this host");
    SimulatedHost host = HostLab.withoutWritableDirectory();
    String[] words = {"launcher", "writable", "/tmp", "/dev/shm", "/var/tmp"};
    host.cloister(user, "run").command("/bin/echo", "ran").run().refuses(125, words);
    host.cloister(user, "probe").run().refuses(125, words);
  }
}
