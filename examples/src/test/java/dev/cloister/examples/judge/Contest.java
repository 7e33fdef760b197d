package dev.cloister.examples.judge;

import dev.cloister.ffm.ExitStatus;
import dev.cloister.sandbox.Result;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Submissions for one judge, which is a JVM of its own, as some user. */
final class Contest {
  /** Enough for the slowest machine, where time is not the matter. */
  private static final Duration LONG = Duration.ofSeconds(30);

  private static final Duration SHORT = Duration.ofSeconds(1);

  private static final int OUTPUT = 1 << 16;

  private final List<String> entries = new ArrayList<>();

  private Contest() {}

  /** One without submissions. */
  static Contest empty() {
    return new Contest();
  }

  /** Adds a submission. */
  Contest enter(Path source, Path input, Path expected) {
    entries.addAll(List.of(source.toString(), input.toString(), expected.toString()));
    return this;
  }

  /** Starts to judge them, in their order. */
  Process startAs(User user) throws IOException {
    List<String> command = new ArrayList<>(user.become());
    command.add(HostPrograms.JDK.resolve("bin/java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Contest.class.getName());
    command.addAll(entries);
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  /** Prints a line for each, and the reason, indented. */
  static void main(String[] entries) throws IOException, InterruptedException {
    for (int i = 0; i < entries.length; i += 3) {
      Path source = Path.of(entries[i]);
      Submission submission =
          Submission.of(source, Path.of(entries[i + 1]), Path.of(entries[i + 2]));
      Judgement judgement = judge(source).judge(submission);
      System.out.printf(
          "%-12s %-13s %s%n%s",
          source.getFileName(),
          judgement.verdict(),
          judgement.run().map(Contest::describe).orElse("no program"),
          judgement.reason().indent(2));
    }
  }

  private static Judge judge(Path source) {
    boolean isEndless = source.toString().matches(".*/([Tt]imeout|forkbomb)\\..*");
    return Judge.builder().timeLimit(isEndless ? SHORT : LONG).outputLimit(OUTPUT).build();
  }

  private static String describe(Result result) {
    return switch (result.status()) {
      case ExitStatus.Exited exited -> "status " + exited.code();
      case ExitStatus.Killed killed -> "signal " + killed.signal();
    };
  }
}
