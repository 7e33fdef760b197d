package dev.cloister.cli;

import dev.cloister.program.Listing;
import dev.cloister.spec.OsString;

/** {@code cloister explain}. */
final class ExplainCommand implements Subcommand {
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

        Says which strategy `cloister run` with the same options would use, why, what that guarantees
        and what not, and the system calls it would make, numbered as in its error messages. Nothing is
        run but what `cloister probe` runs to learn what works here.

        """
        + RunOption.helpText();
  }

  @Override
  public int run(Invocation invocation) throws CliException {
    ParsedOptions<RunOption> parsed =
        ParsedOptions.parse(invocation.arguments(), 1, RunOption::find);
    if (parsed.help()) {
      Output.print(help());
      return 0;
    }
    Sandboxing sandboxing = Sandboxing.prepare(invocation);
    RunRequest request = RunRequest.of(parsed, invocation, sandboxing.host().caller());
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
}
