package dev.cloister.cli;

import dev.cloister.cli.BenchSubject.Kind;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What was measured on a host.
 *
 * @param binds the directories of the host's that each sandbox shows
 * @param measured in the order of the table; one of them without a sandbox
 * @param leftOut what is not here or does not work
 */
record BenchReport(
    BenchEnvironment environment,
    List<Path> binds,
    List<Measured> measured,
    List<LeftOut> leftOut) {
  BenchReport {
    binds = List.copyOf(binds);
    measured = List.copyOf(measured);
    leftOut = List.copyOf(leftOut);
  }

  /** A subject with its samples. */
  record Measured(String name, Kind kind, Samples samples) {}

  /**
   * A subject without any.
   *
   * @param reason for a person
   */
  record LeftOut(String name, Kind kind, String reason) {}

  /** What a sample is, in sentences for a person. */
  String sampleText() {
    return "A sample is the time from start to exit of a static program that does nothing, as this"
        + " Java program sees it; its standard streams are pipes. Without a sandbox and in"
        + " bubblewrap's it is started by ProcessBuilder, in a strategy's by Cloister's library. Each"
        + " sandbox binds that program"
        + binds.stream().map(path -> ", " + path).collect(Collectors.joining())
        + ".";
  }

  /** A median in relation to that without a sandbox. */
  double ofPlain(Measured subject) {
    return (double) subject.samples().median() / plain().samples().median();
  }

  private Measured plain() {
    return measured.stream().filter(it -> it.kind() == Kind.PLAIN).findFirst().orElseThrow();
  }
}
