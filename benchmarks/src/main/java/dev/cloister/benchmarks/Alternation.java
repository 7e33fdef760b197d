package dev.cloister.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Times several actions in this JVM in turn, so that whatever changes on the machine meanwhile
 * changes it for all. Each turn has an order of its own, the same in each run of this program, so
 * that no action always finds what the same other one has left in the caches. Used by one thread.
 */
final class Alternation {
  private static final double NANOS_PER_MICRO = 1000;

  private final Map<String, Timed> actions = new LinkedHashMap<>();
  private final Random random = new Random(1);

  /** Something to time. */
  @FunctionalInterface
  interface Action {
    void run() throws Exception;
  }

  /** Samples in microseconds. */
  private record Timed(Action before, Action action, int each, List<Double> samples) {
    void sample(boolean kept) throws Exception {
      before.run();
      long start = System.nanoTime();
      action.run();
      long end = System.nanoTime();
      if (kept) {
        samples.add((end - start) / NANOS_PER_MICRO);
      }
    }
  }

  Alternation add(String name, Action action) {
    return add(name, () -> {}, 1, action);
  }

  /**
   * Adds an action.
   *
   * @param before what is done before each time, and not timed
   * @param each in every how many turns; what takes much longer than the others would disturb them
   */
  Alternation add(String name, Action before, int each, Action action) {
    actions.put(name, new Timed(before, action, each, new ArrayList<>()));
    return this;
  }

  /**
   * Takes turns.
   *
   * @param warmUp how many turns are not kept before those that are
   */
  void run(int warmUp, int turns) throws Exception {
    for (int turn = -warmUp; turn < turns; turn++) {
      List<Timed> order = new ArrayList<>(actions.values());
      Collections.shuffle(order, random);
      for (Timed timed : order) {
        if (turn % timed.each() == 0) {
          timed.sample(turn >= 0);
        }
      }
    }
  }

  /** Hands over what was measured, in the order in which actions were added. */
  void addTo(Samples samples, String variant) {
    actions.forEach((name, timed) -> samples.add(name, variant, timed.samples()));
  }
}
