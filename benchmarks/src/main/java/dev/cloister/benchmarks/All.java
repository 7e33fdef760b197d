package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.Environment;
import dev.cloister.benchmarks.report.LeftOut;
import dev.cloister.benchmarks.report.Results;
import dev.cloister.benchmarks.report.ResultsJson;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** Measures all sets, or those that are named, and writes a file of each. */
public final class All {
  private static final List<MeasuredSet> SETS =
      List.of(
          new LibrarySet(),
          new PrewarmedSet(),
          new HeapSet(),
          new ThreadSet(),
          new OptionSet(),
          new BindSet(),
          new LauncherSet(),
          new StartUpSet(),
          new PhaseSet(),
          new MemorySet());

  private All() {}

  /**
   * {@code HOME SHARE DIRECTORY [SET...]}.
   *
   * @param arguments Cloister's own directory, the share of samples to take (1 for all), where the
   *     files go, and which sets; all if none
   */
  public static void main(String[] arguments) throws Exception {
    Path directory = Files.createDirectories(Path.of(arguments[2]));
    Set<String> names = Set.copyOf(Arrays.asList(arguments).subList(3, arguments.length));
    double share = Double.parseDouble(arguments[1]);
    try (Workplace workplace = Workplace.make(Path.of(arguments[0]), share)) {
      warnIfLoaded(workplace.environment());
      for (MeasuredSet set : SETS) {
        if (names.isEmpty() || names.contains(set.name())) {
          measure(set, workplace, directory);
        }
      }
    }
  }

  private static void measure(MeasuredSet set, Workplace workplace, Path directory)
      throws Exception {
    Instant begin = Instant.now();
    Results results = set.measure(workplace);
    Files.writeString(ResultsJson.file(directory, set.name()), ResultsJson.write(results));
    System.err.printf(
        "%s: %.0f s%n", set.name(), Duration.between(begin, Instant.now()).toMillis() / 1e3);
    for (LeftOut one : results.leftOut()) {
      System.err.printf("  left out: %s: %s%n", one.subject(), one.reason());
    }
  }

  private static void warnIfLoaded(Environment environment) {
    System.err.println(environment.line());
    if (environment.isLoaded()) {
      System.err.println("warning: this machine is busy; these figures will not be comparable");
    }
  }
}
