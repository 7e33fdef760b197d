package dev.cloister.cli;

import dev.cloister.cli.BenchReport.Measured;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.OptionalInt;

/** {@code cloister bench}. */
final class BenchCommand implements Subcommand {
  private static final int MOST_SAMPLES = 1_000_000;

  @Override
  public String name() {
    return "bench";
  }

  @Override
  public String summary() {
    return "measure how long sandboxes take to start here";
  }

  @Override
  public String help() {
    return """
        usage: cloister bench [--json] [--samples COUNT]

        Starts a program that does nothing, again and again and in turn: without a sandbox, in one of each
        strategy that works here, through the library, and in one of bubblewrap's, if that is installed.
        Prints the shortest time from start to exit, the median and the 95th percentile, and what was left
        out and why. Takes about ten seconds.

        """
        + CliOption.helpText(List.of(BenchOption.values()))
        + """

        Variables: COLUMNS, the width of the table.
        """;
  }

  @Override
  public int run(Invocation invocation) throws CliException {
    ParsedOptions<BenchOption> parsed =
        ParsedOptions.parse(invocation.arguments(), 1, BenchOption::find);
    if (parsed.help()) {
      Output.print(help());
      return 0;
    }
    if (parsed.command() < invocation.arguments().size()) {
      throw new CliException("takes no command: " + invocation.arguments().get(parsed.command()));
    }
    boolean json = false;
    OptionalInt samples = OptionalInt.empty();
    for (ParsedOptions.Use<BenchOption> use : parsed.options()) {
      switch (use.option()) {
        case JSON -> json = true;
        case SAMPLES -> samples = OptionalInt.of(count(use.values().getFirst()));
      }
    }
    BenchReport report = measure(Sandboxing.prepare(invocation), samples);
    Output.print(json ? BenchJson.of(report) : BenchTable.of(report, Terminal.width(invocation)));
    return 0;
  }

  private static int count(OsString value) throws CliException {
    String text = value.toString();
    // No sign, and no digits of other scripts.
    int count = Digits.only(text, 7) ? Integer.parseInt(text) : 0;
    if (count < 1 || count > MOST_SAMPLES) {
      throw new CliException(
          "--samples %s: not a number from 1 to %d".formatted(Messages.value(value), MOST_SAMPLES));
    }
    return count;
  }

  private static BenchReport measure(Sandboxing sandboxing, OptionalInt samples)
      throws CliException {
    long begin = System.nanoTime();
    // Before anything here adds to the load.
    BenchEnvironment environment = BenchEnvironment.collect(sandboxing.host());
    if (environment.loaded()) {
      Messages.print(
          "bench: warning: this machine is busy (%s on %s): times will be longer and scatter"
              .formatted(environment.loadText(), environment.cpuCount()));
    }
    try (BenchStand stand = BenchStand.build(sandboxing);
        ProgressBar bar = progressBar()) {
      BenchRun.warmUp(stand.subjects());
      BenchPace pace =
          samples.isPresent()
              ? BenchPace.of(samples.getAsInt())
              : BenchPace.usual(System.nanoTime() - begin);
      List<Measured> measured = BenchRun.measure(stand.subjects(), pace, bar);
      return new BenchReport(environment, stand.binds(), measured, stand.leftOut());
    } catch (IOException | UncheckedIOException e) {
      throw new CliException("cannot measure: " + e.getMessage());
    } catch (InterruptedException e) {
      throw new CliException("cannot measure: interrupted");
    }
  }

  /** On standard error, so that the table can go to a file meanwhile. */
  private static ProgressBar progressBar() {
    return new ProgressBar(Terminal.is(Terminal.ERROR) ? Messages::write : _ -> {}, "measuring");
  }
}
