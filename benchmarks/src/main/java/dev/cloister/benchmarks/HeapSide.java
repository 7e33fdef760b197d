package dev.cloister.benchmarks;

import dev.cloister.sandbox.Sandbox;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.StringJoiner;

/**
 * A JVM whose heap is as large as its flags say. For each line of its input, it starts each of its
 * subjects some times, and answers with a line of times for each, in microseconds.
 */
final class HeapSide {
  static final List<String> SUBJECTS =
      List.of("pivot_root", LibrarySet.PROCESS_BUILDER, LibrarySet.SPAWN);

  private static final int TIMES = 20;
  private static final double NANOS_PER_MICRO = 1000;

  private HeapSide() {}

  static void main() throws Exception {
    try (Nothing nothing = Nothing.make();
        Sandbox sandbox = nothing.sandbox("pivot_root")) {
      BufferedReader questions =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      while (questions.readLine() != null) {
        System.out.println(times(() -> Nothing.runIn(sandbox)));
        System.out.println(times(nothing::runPlainly));
        System.out.println(times(nothing::spawn));
      }
    }
  }

  private static String times(Alternation.Action action) throws Exception {
    StringJoiner times = new StringJoiner(" ");
    for (int i = 0; i < TIMES; i++) {
      long start = System.nanoTime();
      action.run();
      times.add(Double.toString((System.nanoTime() - start) / NANOS_PER_MICRO));
    }
    return times.toString();
  }
}
