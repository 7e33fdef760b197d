package dev.cloister.cli;

import dev.cloister.machine.Speaker;
import java.util.List;

/** {@code cloister run}. */
final class RunCommand implements Subcommand {
  @Override
  public String name() {
    return "run";
  }

  @Override
  public String summary() {
    return "run a command in a sandbox";
  }

  @Override
  public String help() {
    return """
        usage: cloister run [OPTION...] [--] COMMAND [ARG...]

        Runs COMMAND in a sandbox, in place of this process. Options are applied in their order.
        Without any mount option but --mount, the sandbox starts from --preset host: the host's
        programs read-only, its devices, /proc and /sys, an empty /tmp, and nothing of any user.

        """
        + RunOption.helpText()
        + """

        Exit status: 125 if the sandbox could not be made, 126 if COMMAND cannot be executed, 127 if
        it is not found, otherwise COMMAND's own.
        """;
  }

  @Override
  public int run(Invocation invocation) throws CliException {
    ParsedOptions<RunOption> parsed =
        ParsedOptions.parse(invocation.arguments(), 1, RunOption::find);
    if (parsed.help()) {
      Output.print(help());
      return 0;
    }
    SandboxStart start = new SandboxStart(invocation, Dialect.CLOISTER, parsed);
    ParsedOptions<RunOption> all = start.withFiles(parsed, RunOption::find);
    return start.start(all, List.of(), Speaker.CLOISTER, Speaker.CLOISTER);
  }
}
