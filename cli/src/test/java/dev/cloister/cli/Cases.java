package dev.cloister.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Random cases that a property must hold for, the same in every build. With another seed, and more
 * of them:
 *
 * <pre>mvn ... -Dcloister.seed=12345 -Dcloister.cases=20</pre>
 */
final class Cases {
  private static final long SEED = Long.getLong("cloister.seed", 1);

  /** How many times as many as in every build. */
  private static final int TIMES = Integer.getInteger("cloister.cases", 1);

  /** Where each module leaves its numbers, for a summary. */
  private static final Path COUNTS = Path.of("target/counts/fuzz").toAbsolutePath();

  /** A failure is made smaller with no more tries than these. */
  private static final int MAX_TRIES = 300;

  private Cases() {}

  /** What must hold for each case; an error of any kind says that it does not. */
  @FunctionalInterface
  interface Property<T> {
    void holds(T input) throws Exception;
  }

  /**
   * Holds {@code property} against {@code number} cases.
   *
   * @param name of the count, in the summary
   * @param smaller what may still fail if a case does; tried in order
   */
  static <T> void check(
      String name,
      int number,
      Function<Random, T> generator,
      Function<T, List<T>> smaller,
      Property<T> property)
      throws IOException {
    for (int i = 0; i < number * TIMES; i++) {
      T input = generator.apply(random(name, i));
      try {
        property.holds(input);
      } catch (Exception | AssertionError e) {
        throw failure(name, i, smallest(input, smaller, property), property, e);
      }
    }
    count(name, number * TIMES);
  }

  /** The numbers of one case depend on no other case. */
  static Random random(String name, int index) {
    return new Random(SEED * 1_000_003 + name.hashCode() * 31L + index);
  }

  static int times(int number) {
    return number * TIMES;
  }

  private static <T> T smallest(T failing, Function<T, List<T>> smaller, Property<T> property) {
    T best = failing;
    List<T> candidates = new ArrayList<>(smaller.apply(best));
    for (int tries = 0; tries < MAX_TRIES && !candidates.isEmpty(); tries++) {
      T candidate = candidates.removeFirst();
      if (fails(candidate, property)) {
        best = candidate;
        candidates = new ArrayList<>(smaller.apply(best));
      }
    }
    return best;
  }

  private static <T> boolean fails(T input, Property<T> property) {
    try {
      property.holds(input);
      return false;
    } catch (Exception | AssertionError e) {
      return true;
    }
  }

  private static <T> AssertionError failure(
      String name, int index, T input, Property<T> property, Throwable first) {
    Throwable cause = first;
    try {
      property.holds(input);
    } catch (Exception | AssertionError e) {
      cause = e;
    }
    return new AssertionError(
        "%s, case %d of -Dcloister.seed=%d: %s%n%s".formatted(name, index, SEED, input, cause),
        cause);
  }

  /** The list without each of its elements in turn. */
  static <T> List<List<T>> withoutOne(List<T> list) {
    List<List<T>> shorter = new ArrayList<>();
    for (int i = list.size() - 1; i >= 0; i--) {
      List<T> copy = new ArrayList<>(list);
      copy.remove(i);
      shorter.add(copy);
    }
    return shorter;
  }

  static <T> T pick(Random random, List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  @SafeVarargs
  static <T> T pick(Random random, T... choices) {
    return choices[random.nextInt(choices.length)];
  }

  /** Says how many cases there were. */
  static synchronized void count(String name, int number) throws IOException {
    TreeMap<String, Integer> counts = new TreeMap<>();
    if (Files.exists(COUNTS)) {
      for (String line : Files.readAllLines(COUNTS, StandardCharsets.UTF_8)) {
        int equals = line.indexOf('=');
        counts.put(line.substring(0, equals), Integer.valueOf(line.substring(equals + 1)));
      }
    }
    counts.put(name, number);
    List<String> lines = new ArrayList<>();
    counts.forEach((key, value) -> lines.add(key + "=" + value));
    Files.createDirectories(COUNTS.getParent());
    Files.write(COUNTS, lines);
  }
}
