package dev.cloister.cli;

import dev.cloister.program.Listing;
import dev.cloister.spec.OsString;
import java.util.List;
import java.util.Optional;

/** {@code cloister explain}. */
final class ExplainCommand implements Subcommand {
  private static final String ELF = "--elf";
  private static final String BWRAP = "--bwrap";

  @Override
  public String name() {
    return "explain";
  }

  @Override
  public String summary() {
    return "say what run would do, without doing it";
  }

  @Override
  public String help() {
    return """
        usage: cloister explain [OPTION...] [--] COMMAND [ARG...]
               cloister explain --bwrap [OPTION...] [--] COMMAND [ARG...]
               cloister explain --elf FILE

        Says which strategy `cloister run` with the same options would use, why, what that guarantees
        and what not, and the system calls it would make, numbered as in its error messages. Nothing is
        run but what `cloister probe` runs to learn what works here.

        With --bwrap, says the same of `cloister bwrap`, whose options and defaults are bubblewrap's.

        With --elf, says what a launcher does that `cloister emit` made, after making it again and
        comparing the two: nobody who had a hand in FILE need be trusted.

        """
        + RunOption.helpText();
  }

  @Override
  public int run(Invocation invocation) throws CliException {
    List<OsString> arguments = invocation.arguments();
    if (arguments.size() > 1 && arguments.get(1).equals(OsString.of(ELF))) {
      if (arguments.size() != 3) {
        throw new CliException(ELF + " needs FILE and nothing else");
      }
      Output.print(String.join("\n", LauncherAudit.of(arguments.get(2), invocation)) + "\n");
      return 0;
    }
    Dialect dialect =
        arguments.size() > 1 && arguments.get(1).equals(OsString.of(BWRAP))
            ? Dialect.BUBBLEWRAP
            : Dialect.CLOISTER;
    ParsedOptions<RunOption> parsed = options(invocation, dialect);
    if (parsed.help()) {
      Output.print(help());
      return 0;
    }
    Sandboxing sandboxing = Sandboxing.prepare(invocation);
    RunRequest request = RunRequest.of(parsed, invocation, sandboxing.host().caller(), dialect);
    Sandboxing.Planned planned = sandboxing.plan(request);
    StringBuilder text = new StringBuilder();
    planned.choice().report().forEach(line -> text.append(line).append('\n'));
    OsString command = invocation.arguments().get(request.command());
    OsString launcher = OsString.of(sandboxing.directory().path().resolve("launcher-..."));
    Listing.ofLauncher(planned.program().removing(launcher), command)
        .forEach(line -> text.append(line).append('\n'));
    Output.print(text.toString());
    return 0;
  }

  private static ParsedOptions<RunOption> options(Invocation invocation, Dialect dialect)
      throws CliException {
    if (dialect == Dialect.CLOISTER) {
      ParsedOptions<RunOption> parsed =
          ParsedOptions.parse(invocation.arguments(), 1, RunOption::find);
      return new OptionFiles<>(invocation, dialect, RunOption::find, Optional.empty())
          .expand(parsed);
    }
    ParsedOptions<CliOption> parsed =
        ParsedOptions.parse(invocation.arguments(), 2, BwrapOption::find);
    return BwrapCommand.shared(
        new OptionFiles<>(invocation, dialect, BwrapOption::find, Optional.empty()).expand(parsed));
  }
}
