package dev.cloister.cli;

import dev.cloister.cli.BenchReport.Measured;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleConsumer;

/**
 * Takes samples in rounds, one of each subject, so that all meet the same moods of the machine. The
 * order within a round is drawn anew: the kernel takes a sandbox apart after its end, which burdens
 * whoever comes next.
 */
final class BenchRun {
  /** Until the code that starts processes is compiled and all files are in memory. */
  private static final int WARM_UP_ROUNDS = 100;

  private static final long WARM_UP_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final long SEED = 25;

  private static final int ABOUT_TO_END_MILLIS = 1000;

  private final List<BenchSubject> order;
  private final Map<BenchSubject, List<Long>> samples = new LinkedHashMap<>();
  private final Random random = new Random(SEED);

  private BenchRun(List<BenchSubject> subjects) {
    this.order = new ArrayList<>(subjects);
    subjects.forEach(subject -> samples.put(subject, new ArrayList<>()));
  }

  /**
   * Measures these subjects.
   *
   * @param progress told after each round how much is done, up to 1
   * @throws IOException if a start fails: none did before
   */
  static List<Measured> measure(
      List<BenchSubject> subjects, BenchPace pace, DoubleConsumer progress)
      throws IOException, InterruptedException {
    BenchRun run = new BenchRun(subjects);
    long begin = System.nanoTime();
    double done = 0;
    for (int rounds = 1; done < 1; rounds++) {
      run.round();
      done = pace.done(rounds, System.nanoTime() - begin);
      progress.accept(Math.min(1, done));
    }
    return run.measured();
  }

  /** Takes some samples that nobody learns. */
  static void warmUp(List<BenchSubject> subjects) throws IOException, InterruptedException {
    BenchRun forgotten = new BenchRun(subjects);
    long begin = System.nanoTime();
    for (int i = 0; i < WARM_UP_ROUNDS && System.nanoTime() - begin < WARM_UP_NANOS; i++) {
      forgotten.round();
    }
  }

  private void round() throws IOException, InterruptedException {
    Collections.shuffle(order, random);
    for (BenchSubject subject : order) {
      long nanos = sample(subject);
      samples.computeIfAbsent(subject, _ -> new ArrayList<>()).add(nanos);
    }
  }

  private static long sample(BenchSubject subject) throws IOException, InterruptedException {
    try {
      return subject.sample();
    } catch (IOException e) {
      // A terminal's Ctrl-C ends both, and who pressed it wants to hear no more.
      Thread.sleep(ABOUT_TO_END_MILLIS);
      throw e;
    }
  }

  private List<Measured> measured() {
    List<Measured> all = new ArrayList<>();
    samples.forEach(
        (subject, nanos) ->
            all.add(new Measured(subject.name(), subject.kind(), new Samples(nanos))));
    return all;
  }
}
