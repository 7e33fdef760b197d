package dev.cloister.benchmarks;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Measures {@link SetUpLatency} and {@link WarmLatency} in one run, and prints what is to what.
 *
 * <p>JMH measures one benchmark after the other, each in a JVM of its own, and a machine may have
 * become slower meanwhile. So all are measured several times over, what is compared is always of
 * the same round, and the median of the rounds' ratios counts.
 */
public final class Ratios {
  private static final int ROUNDS = 5;
  private static final double MEDIAN = 50;

  /** Of each round, the median of each benchmark. */
  private final List<Map<String, Double>> rounds = new ArrayList<>();

  private Ratios() {}

  static void main() throws RunnerException {
    Ratios ratios = new Ratios();
    for (int round = 0; round < ROUNDS; round++) {
      OptionsBuilder options = new OptionsBuilder();
      options.include("SetUpLatency").include("WarmLatency");
      options.jvmArgsAppend("--enable-native-access=ALL-UNNAMED");
      ratios.rounds.add(medians(new Runner(options.build()).run()));
    }
    ratios.print();
  }

  private static Map<String, Double> medians(Collection<RunResult> results) {
    Map<String, Double> medians = new HashMap<>();
    for (RunResult result : results) {
      String name = result.getParams().getBenchmark();
      String measured = name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1);
      medians.put(measured, result.getPrimaryResult().getStatistics().getPercentile(MEDIAN));
    }
    return medians;
  }

  private void print() {
    System.out.printf(
        "%nmedians of %d rounds, in microseconds: ratio (least to greatest)%n", ROUNDS);
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
    List<Double> ratios = sorted(round -> median(round, one) / median(round, other));
    System.out.printf(
        "%-32s %6.0f  to %-42s %6.0f: %.2f (%.2f to %.2f)%n",
        one,
        middle(sorted(round -> median(round, one))),
        other,
        middle(sorted(round -> median(round, other))),
        middle(ratios),
        ratios.getFirst(),
        ratios.getLast());
  }

  private static double median(Map<String, Double> round, String benchmark) {
    return round.getOrDefault(benchmark, Double.NaN);
  }

  private List<Double> sorted(ToDoubleFunction<Map<String, Double>> value) {
    return rounds.stream().mapToDouble(value).sorted().boxed().toList();
  }

  private static double middle(List<Double> sorted) {
    return sorted.get(sorted.size() / 2);
  }
}
