package dev.cloister.benchmarks.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Where a launcher's time goes: a table of the set "phases", whose measurements are of ever longer
 * beginnings of one launcher, each named by its last instruction.
 */
final class Phases {
  /** Differences between medians of different programs would be noise for the most part. */
  private static final int QUIET = 10;

  private static final int PERCENT = 100;

  private final Results results;
  private final double all;
  private final Map<String, Sum> byCall = new LinkedHashMap<>();

  private enum Phase {
    PROCESS("a process that executes the command"),
    NAMESPACES("namespaces and ids"),
    MOUNTS("mounts"),
    ROOT("the root"),
    PRIVILEGES("privileges"),
    /** Signals, descriptors, file modes, environment, working directory. */
    PROMISES("what the command is promised");

    private final String text;

    Phase(String text) {
      this.text = text;
    }

    /** Of an instruction, by its name. */
    static Phase of(String call) {
      return switch (call) {
        case "(a process)", "(ExecuteCommand)" -> PROCESS;
        case "unshare", "openat", "write", "close", "setgroups" -> NAMESPACES;
        case "mount", "open_tree", "move_mount", "mount_setattr", "mkdirat", "chdir" -> MOUNTS;
        case "pivot_root", "chroot", "fchdir", "umount2" -> ROOT;
        case "prctl", "capset" -> PRIVILEGES;
        default -> PROMISES;
      };
    }
  }

  private record Sum(int count, double micros) {
    static final Sum NOTHING = new Sum(0, 0);

    Sum plus(Sum more) {
      return new Sum(count + more.count(), micros + more.micros());
    }
  }

  private Phases(Results results) {
    this.results = results;
    double before = 0;
    for (Measurement one : results.measurements()) {
      double until = one.quantiles().at(QUIET);
      byCall.merge(one.subject(), new Sum(1, until - before), Sum::plus);
      before = until;
    }
    this.all = before;
  }

  /** The first row is the head. */
  static List<List<String>> table(Results results) {
    return new Phases(results).rows();
  }

  private List<List<String>> rows() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("", "how often", "together, " + results.unit(), "of all"));
    Sum needed = Sum.NOTHING;
    for (Phase phase : Phase.values()) {
      Sum sum = add(phase, rows);
      needed = phase == Phase.PROMISES ? needed : needed.plus(sum);
    }
    rows.add(row("**all but the last of these**", needed));
    rows.add(row("**all**", new Sum(results.measurements().size(), all)));
    return rows;
  }

  /** The sum of a phase, and below it each kind of call. */
  private Sum add(Phase phase, List<List<String>> rows) {
    Sum sum = Sum.NOTHING;
    List<List<String>> calls = new ArrayList<>();
    for (Map.Entry<String, Sum> call : byCall.entrySet()) {
      if (Phase.of(call.getKey()) == phase) {
        sum = sum.plus(call.getValue());
        calls.add(row("`" + call.getKey() + "`", call.getValue()));
      }
    }
    rows.add(row("**" + phase.text + "**", sum));
    rows.addAll(calls);
    return sum;
  }

  private List<String> row(String name, Sum sum) {
    String share = String.format(Locale.ROOT, "%.0f %%", sum.micros() / all * PERCENT);
    return List.of(name, "" + sum.count(), Tables.number(sum.micros()), share);
  }
}
