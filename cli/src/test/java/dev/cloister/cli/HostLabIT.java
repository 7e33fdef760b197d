package dev.cloister.cli;

import com.google.gson.JsonObject;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The real command line on hosts that lack something: it takes the strongest strategy that works
 * there, says of the others why they do not and what helps, and a command then runs with all that
 * is promised, or is refused with that.
 */
final class HostLabIT {
  private static final HostLabTable TABLE = new HostLabTable();

  static Stream<HostRow> rows() {
    return HostLab.rows();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rows")
  void choosesAndAdvises(HostRow row) {
    Required.that(!row.host().needsRoot() || CallingUser.own().isRoot(), "root, to make this host");
    JsonObject report;
    try {
      report = row.probe();
    } catch (AssertionError e) {
      TABLE.add(row, "NO REPORT");
      throw e;
    }
    TABLE.add(row, report);
    row.check(report);
  }

  @AfterAll
  static void printTable() {
    System.out.println(TABLE);
  }
}
