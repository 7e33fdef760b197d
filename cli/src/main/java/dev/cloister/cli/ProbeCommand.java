package dev.cloister.cli;

import dev.cloister.spec.OsString;
import dev.cloister.strategies.Strategies;
import dev.cloister.strategy.IsolationStrategy;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;

/** {@code cloister probe}. */
final class ProbeCommand implements Subcommand {
  private static final int NOTHING_USABLE = 1;

  @Override
  public String name() {
    return "probe";
  }

  @Override
  public String summary() {
    return "say what works on this host, and why the rest does not";
  }

  @Override
  public String help() {
    return """
        usage: cloister probe [--json] [--strategy NAME]

        Tries every strategy with a small sandbox and every capability by itself, and says what works,
        why the rest does not, and what helps. Ends with 0 if there is a strategy for a sandbox that asks
        for nothing special, or the one named works, otherwise with 1.

        """
        + CliOption.helpText(List.of(ProbeOption.values()))
        + """

        Variables: COLUMNS, the width of the table; NO_COLOR, if not empty: no colours.
        """;
  }

  @Override
  public int run(Invocation invocation) throws CliException {
    ParsedOptions<ProbeOption> parsed =
        ParsedOptions.parse(invocation.arguments(), 1, ProbeOption::find);
    if (parsed.help()) {
      Output.print(help());
      return 0;
    }
    if (parsed.command() < invocation.arguments().size()) {
      throw new CliException("takes no command: " + invocation.arguments().get(parsed.command()));
    }
    boolean json = false;
    Optional<IsolationStrategy> strategy = Optional.empty();
    for (ParsedOptions.Use<ProbeOption> use : parsed.options()) {
      switch (use.option()) {
        case JSON -> json = true;
        case STRATEGY -> strategy = Optional.of(find(use.values().getFirst()));
      }
    }
    ProbeReport report = collect(invocation, strategy);
    Output.print(
        json ? ProbeJson.of(report, strategy.isPresent()) : table(report, strategy, invocation));
    return report.choice().isPresent() ? 0 : NOTHING_USABLE;
  }

  private static IsolationStrategy find(OsString name) throws CliException {
    return Strategies.find(name.toString())
        .orElseThrow(
            () ->
                new CliException(
                    "--strategy %s: not one of %s"
                        .formatted(Messages.value(name), Strategies.names())));
  }

  private static ProbeReport collect(Invocation invocation, Optional<IsolationStrategy> strategy)
      throws CliException {
    Sandboxing sandboxing = Sandboxing.prepare(invocation);
    try {
      return strategy.isPresent()
          ? ProbeReport.collect(sandboxing, strategy.get())
          : ProbeReport.collect(sandboxing);
    } catch (UncheckedIOException e) {
      throw new CliException("cannot try what works here: " + e.getMessage());
    }
  }

  private static String table(
      ProbeReport report, Optional<IsolationStrategy> strategy, Invocation invocation) {
    boolean colour = wantsColour(invocation);
    int width = Terminal.width(invocation);
    return strategy.isPresent()
        ? ProbeTable.ofOne(report, colour, width)
        : ProbeTable.of(report, colour, width);
  }

  /**
   * Only a person at a terminal wants colours, and not everyone does: NO_COLOR counts unless it is
   * empty (https://no-color.org).
   */
  private static boolean wantsColour(Invocation invocation) {
    boolean unwanted =
        invocation.variable("NO_COLOR").filter(value -> !value.isEmpty()).isPresent();
    return Terminal.is(Terminal.OUTPUT) && !unwanted;
  }
}
