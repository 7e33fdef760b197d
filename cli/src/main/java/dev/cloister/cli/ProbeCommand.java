package dev.cloister.cli;

import java.io.UncheckedIOException;
import java.util.List;

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
        usage: cloister probe [--json]

        Tries every strategy with a small sandbox and every capability by itself, and says what works,
        why the rest does not, and what helps. Ends with 0 if a strategy works, otherwise with 1.

        """
        + CliOption.helpText(List.of(ProbeOption.values()));
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
    ProbeReport report = collect(invocation);
    Output.print(
        parsed.options().isEmpty() ? report.table(wantsColour(invocation)) : report.json());
    return report.choice().isPresent() ? 0 : NOTHING_USABLE;
  }

  private static ProbeReport collect(Invocation invocation) throws CliException {
    try {
      return ProbeReport.collect(Sandboxing.prepare(invocation));
    } catch (UncheckedIOException e) {
      throw new CliException("cannot try what works here: " + e.getMessage());
    }
  }

  /**
   * Only a person at a terminal wants colours, and not everyone does: NO_COLOR counts unless it is
   * empty (https://no-color.org).
   */
  private static boolean wantsColour(Invocation invocation) {
    boolean unwanted =
        invocation.variable("NO_COLOR").filter(value -> !value.isEmpty()).isPresent();
    return Output.isTerminal() && !unwanted;
  }
}
