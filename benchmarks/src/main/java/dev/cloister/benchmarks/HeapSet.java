package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.Results;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Whether a start takes longer where the JVM's heap is larger: two JVMs, in turn. */
final class HeapSet implements MeasuredSet {
  /** What is touched and in use, in MiB. */
  private static final List<Integer> HEAPS = List.of(64, 4096);

  private static final int MARGIN_MIB = 1024;
  private static final int KIB_PER_MIB = 1024;
  private static final int ROUNDS = 60;
  private static final int WARM_UP = 10;
  private static final Pattern AVAILABLE =
      Pattern.compile("^MemAvailable:\\s*(\\d+) kB$", Pattern.MULTILINE);

  @Override
  public String name() {
    return "heap";
  }

  @Override
  public Results measure(Workplace workplace) throws Exception {
    Samples samples =
        workplace.samples(name(), "µs", "MiB of heap").comparedWith(LibrarySet.PROCESS_BUILDER);
    List<Side> sides = new ArrayList<>();
    try {
      long available = availableMiB();
      for (int heap : HEAPS) {
        if (available > heap + MARGIN_MIB) {
          sides.add(Side.start(heap));
        } else {
          samples.leaveOut(heap + " MiB of heap", "there are " + available + " MiB available");
        }
      }
      measure(sides, workplace.rounds(ROUNDS));
      sides.forEach(side -> side.addTo(samples));
    } finally {
      for (Side side : sides) {
        side.end();
      }
    }
    return samples.results();
  }

  private static void measure(List<Side> sides, int rounds) throws IOException {
    for (int round = -WARM_UP; round < rounds; round++) {
      for (Side side : sides) {
        side.take(round >= 0);
      }
    }
  }

  private static long availableMiB() throws IOException {
    Matcher matcher = AVAILABLE.matcher(Files.readString(Path.of("/proc/meminfo")));
    return matcher.find() ? Long.parseLong(matcher.group(1)) / KIB_PER_MIB : 0;
  }

  /** A JVM that runs {@link HeapSide}. */
  private record Side(
      int heap,
      Process process,
      BufferedReader answers,
      Writer questions,
      Map<String, List<Double>> samples) {
    static Side start(int heap) throws IOException {
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xms" + heap + "m",
                  "-Xmx" + heap + "m",
                  "-XX:+AlwaysPreTouch",
                  "--enable-native-access=ALL-UNNAMED",
                  "-cp",
                  System.getProperty("java.class.path"),
                  HeapSide.class.getName())
              .redirectError(Redirect.INHERIT)
              .start();
      return new Side(
          heap,
          process,
          process.inputReader(StandardCharsets.UTF_8),
          process.outputWriter(StandardCharsets.UTF_8),
          new LinkedHashMap<>());
    }

    /** Has it measure each of its subjects a number of times. */
    void take(boolean kept) throws IOException {
      questions.write("\n");
      questions.flush();
      for (String subject : HeapSide.SUBJECTS) {
        String line = answers.readLine();
        if (line == null) {
          throw new IOException("the JVM with " + heap + " MiB of heap ended");
        }
        if (kept) {
          samples
              .computeIfAbsent(subject, _ -> new ArrayList<>())
              .addAll(Stream.of(line.split(" ")).map(Double::valueOf).toList());
        }
      }
    }

    /** It removes its files and ends when it is asked no more. */
    void end() throws IOException, InterruptedException {
      questions.close();
      process.waitFor();
    }

    void addTo(Samples all) {
      samples.forEach((subject, times) -> all.add(subject, "" + heap, times));
    }
  }
}
