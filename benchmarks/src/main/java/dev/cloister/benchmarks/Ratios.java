package dev.cloister.benchmarks;

import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** Measures {@link SetUpLatency} and {@link WarmLatency} in one run, and prints what is to what. */
public final class Ratios {
  private static final double MEDIAN = 50;

  private final Map<String, Double> medians = new TreeMap<>();

  private Ratios(Collection<RunResult> results) {
    for (RunResult result : results) {
      String name = result.getParams().getBenchmark();
      String measured = name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1);
      medians.put(measured, result.getPrimaryResult().getStatistics().getPercentile(MEDIAN));
    }
  }

  static void main() throws RunnerException {
    OptionsBuilder options = new OptionsBuilder();
    options.include("SetUpLatency").include("WarmLatency");
    options.jvmArgsAppend("--enable-native-access=ALL-UNNAMED");
    new Ratios(new Runner(options.build()).run()).print();
  }

  private void print() {
    System.out.printf("%nmedians, in microseconds%n");
    compare("SetUpLatency.pivotRoot", "SetUpLatency.processBuilder");
    compare("SetUpLatency.pivotRoot", "SetUpLatency.processBuilderOfBubblewrap");
    compare("SetUpLatency.chroot", "SetUpLatency.processBuilder");
    compare("SetUpLatency.chroot", "SetUpLatency.processBuilderOfBubblewrap");
    compare("SetUpLatency.bubblewrapStrategy", "SetUpLatency.processBuilderOfBubblewrap");
    compare("SetUpLatency.pivotRoot", "SetUpLatency.posixSpawn");
    compare("WarmLatency.prewarmed", "WarmLatency.posixSpawn");
    compare("WarmLatency.prewarmed", "WarmLatency.processBuilder");
  }

  private void compare(String one, String other) {
    double first = medians.getOrDefault(one, Double.NaN);
    double second = medians.getOrDefault(other, Double.NaN);
    System.out.printf(
        "%-32s %6.0f  to %-42s %6.0f: %.2f%n", one, first, other, second, first / second);
  }
}
