package dev.cloister.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Times whole processes from outside, in turn, by a small C program: what starts a process from a
 * JVM is slower than what is to be measured. Used by one thread.
 */
final class Starts {
  private final Path timer;
  private final Map<String, List<String>> commands = new LinkedHashMap<>();

  private Starts(Path timer) {
    this.timer = timer;
  }

  static Starts in(Workplace workplace) throws IOException, InterruptedException {
    return new Starts(workplace.compileC("starts"));
  }

  Starts add(String name, List<String> command) {
    commands.put(name, List.copyOf(command));
    return this;
  }

  /** The times of each command, in microseconds. */
  Map<String, List<Double>> run(int times) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of(timer.toString(), "-a", "" + times));
    commands.forEach(
        (name, command) -> {
          words.add(name);
          words.addAll(command);
          words.add(",");
        });
    List<String> lines = Workplace.run(words).lines().toList();
    Map<String, List<Double>> all = new LinkedHashMap<>();
    for (String name : commands.keySet()) {
      all.put(name, Stream.of(lines.get(all.size()).split(" ")).map(Double::valueOf).toList());
    }
    return all;
  }
}
