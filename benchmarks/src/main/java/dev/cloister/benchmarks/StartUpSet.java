package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.Results;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** The command line's whole processes, next to the least that a JVM takes. */
final class StartUpSet implements MeasuredSet {
  static final String HELLO = "java hello world";
  static final String FIRST = "cloister run, first";

  private static final int ROUNDS = 120;

  @Override
  public String name() {
    return "start-up";
  }

  @Override
  public Results measure(Workplace workplace) throws Exception {
    Samples samples =
        workplace.samples(name(), "µs", "").comparedWith(HELLO, LauncherSet.BUBBLEWRAP);
    Starts starts =
        Starts.in(workplace)
            .add(HELLO, hello(workplace))
            .add("cloister --version", List.of(workplace.script().toString(), "--version"))
            .add(FIRST, LauncherSet.run(workplace, List.of("--no-cache")))
            .add(LauncherSet.REPEATED, LauncherSet.run(workplace, List.of()));
    if (Workplace.program("bwrap").isPresent()) {
      starts.add(LauncherSet.BUBBLEWRAP, HostPreset.bubblewrap(workplace));
    } else {
      samples.leaveOut(LauncherSet.BUBBLEWRAP, "there is no bwrap in PATH");
    }
    starts
        .run(workplace.rounds(ROUNDS))
        .forEach((subject, times) -> samples.add(subject, "", times));
    return samples.results();
  }

  /** From a directory of its own: to open this program's large jar would be slower. */
  private static List<String> hello(Workplace workplace) throws IOException {
    Path classes = workplace.newDirectory("hello");
    String file = Hello.class.getName().replace('.', '/') + ".class";
    Path copy = classes.resolve(file);
    if (!Files.exists(copy)) {
      Files.createDirectories(Objects.requireNonNull(copy.getParent()));
      try (InputStream compiled = Hello.class.getResourceAsStream("Hello.class")) {
        Files.copy(Objects.requireNonNull(compiled), copy);
      }
    }
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return List.of(java, "-cp", classes.toString(), Hello.class.getName());
  }
}
