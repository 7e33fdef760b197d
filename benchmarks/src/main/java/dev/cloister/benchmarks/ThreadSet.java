package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.Results;
import dev.cloister.sandbox.Sandbox;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** How many starts a second some threads of one JVM get done together. */
final class ThreadSet implements MeasuredSet {
  private static final List<Integer> THREADS = List.of(1, 2, 4, 8);
  private static final int ROUNDS = 15;
  private static final long NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  @Override
  public String name() {
    return "threads";
  }

  @Override
  public Results measure(Workplace workplace) throws Exception {
    Samples samples =
        workplace
            .samples(name(), "starts/s", "threads")
            .comparedWith(LibrarySet.PROCESS_BUILDER, Peers.BUBBLEWRAP);
    Nothing nothing = workplace.nothing();
    try (Sandbox pivotRoot = nothing.sandbox("pivot_root");
        Sandbox chroot = nothing.sandbox("chroot");
        ExecutorService pool = Executors.newCachedThreadPool()) {
      Map<String, Callable<Integer>> subjects = new LinkedHashMap<>();
      subjects.put("pivot_root", () -> Nothing.runIn(pivotRoot));
      subjects.put("chroot", () -> Nothing.runIn(chroot));
      subjects.put(LibrarySet.PROCESS_BUILDER, nothing::runPlainly);
      if (Workplace.program("bwrap").isPresent()) {
        subjects.put(Peers.BUBBLEWRAP, () -> Nothing.run(nothing.bubblewrap()));
      } else {
        samples.leaveOut(Peers.BUBBLEWRAP, "there is no bwrap in PATH");
      }
      measure(samples, pool, subjects, workplace.rounds(ROUNDS));
    }
    return samples.results();
  }

  private static void measure(
      Samples samples, ExecutorService pool, Map<String, Callable<Integer>> subjects, int rounds)
      throws Exception {
    record Cell(String subject, int threads) {}
    Map<Cell, List<Double>> rates = new LinkedHashMap<>();
    // The first round warms up.
    for (int round = -1; round < rounds; round++) {
      for (String subject : subjects.keySet()) {
        for (int threads : THREADS) {
          double rate = rate(pool, threads, subjects.get(subject));
          if (round >= 0) {
            rates.computeIfAbsent(new Cell(subject, threads), _ -> new ArrayList<>()).add(rate);
          }
        }
      }
    }
    rates.forEach((cell, some) -> samples.add(cell.subject(), "" + cell.threads(), some));
  }

  /** Of all threads together, per second. */
  private static double rate(ExecutorService pool, int threads, Callable<Integer> start)
      throws Exception {
    long begin = System.nanoTime();
    List<Future<Integer>> counts = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      counts.add(pool.submit(() -> startUntil(begin + NANOS, start)));
    }
    int sum = 0;
    for (Future<Integer> count : counts) {
      sum += count.get();
    }
    return sum * (double) TimeUnit.SECONDS.toNanos(1) / (System.nanoTime() - begin);
  }

  private static int startUntil(long end, Callable<Integer> start) throws Exception {
    int count = 0;
    while (System.nanoTime() - end < 0) {
      start.call();
      count++;
    }
    return count;
  }
}
