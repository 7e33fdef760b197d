package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.Results;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Whole processes that need no JVM: the preset {@code host} and one more directory. */
final class LauncherSet implements MeasuredSet {
  static final String BUBBLEWRAP = "bubblewrap, the same mounts";
  static final String STATIC_C = "static C program, the same calls";
  static final String REPEATED = "cloister run, repeated";

  private static final int ROUNDS = 500;

  @Override
  public String name() {
    return "launcher";
  }

  @Override
  public Results measure(Workplace workplace) throws Exception {
    Samples samples = workplace.samples(name(), "µs", "").comparedWith(BUBBLEWRAP, STATIC_C);
    Path launcher = workplace.directory().resolve("launcher");
    String script = workplace.script().toString();
    Workplace.run(
        words(List.of(script, "emit", "-o", launcher.toString()), HostPreset.options(workplace)));
    Starts starts =
        Starts.in(workplace)
            .add("emitted launcher", words(List.of(launcher.toString()), HostPreset.command()))
            .add(STATIC_C, staticC(workplace))
            .add(REPEATED, run(workplace, List.of()))
            .add("no sandbox", List.of(workplace.nothing().path().toString(), ""));
    if (Workplace.program("bwrap").isPresent()) {
      starts.add(BUBBLEWRAP, HostPreset.bubblewrap(workplace));
    } else {
      samples.leaveOut(BUBBLEWRAP, "there is no bwrap in PATH");
    }
    starts
        .run(workplace.rounds(ROUNDS))
        .forEach((subject, times) -> samples.add(subject, "", times));
    return samples.results();
  }

  private static List<String> staticC(Workplace workplace) throws Exception {
    String program = workplace.compileC("sandbox").toString();
    return words(
        List.of(program, workplace.nothing().directory().toString()), HostPreset.command());
  }

  /** {@code cloister run} of the command that does nothing. */
  static List<String> run(Workplace workplace, List<String> options) {
    List<String> words = new ArrayList<>(List.of(workplace.script().toString(), "run"));
    words.addAll(options);
    words.addAll(HostPreset.options(workplace));
    words.add("--");
    words.addAll(HostPreset.command());
    return words;
  }

  private static List<String> words(List<String> some, List<String> more) {
    List<String> words = new ArrayList<>(some);
    words.addAll(more);
    return words;
  }
}
