package dev.cloister.cli;

import dev.cloister.machine.Speaker;
import dev.cloister.program.Instruction;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.EnvironmentRules;
import dev.cloister.spec.OsString;
import java.util.List;
import java.util.Optional;

/** {@code cloister env}. */
final class EnvCommand implements Subcommand {
  @Override
  public String name() {
    return "env";
  }

  @Override
  public String summary() {
    return "run a command in an empty environment, without a sandbox";
  }

  @Override
  public String help() {
    return """
        usage: cloister env [--keep VAR]... [--] COMMAND [ARG...]

        Runs COMMAND, found through the caller's PATH, with no variables but the kept ones.

        """
        + CliOption.helpText(List.of(EnvOption.values()));
  }

  @Override
  public int run(Invocation invocation) throws CliException {
    ParsedOptions<EnvOption> parsed =
        ParsedOptions.parse(invocation.arguments(), 1, EnvOption::find);
    if (parsed.help()) {
      Output.print(help());
      return 0;
    }
    if (parsed.command() >= invocation.arguments().size()) {
      throw new CliException("no command given (try --help)");
    }
    EnvironmentRules rules = EnvironmentRules.INHERIT.clear();
    for (ParsedOptions.Use<EnvOption> use : parsed.options()) {
      rules = keep(rules, use, invocation);
    }
    SyscallProgram program =
        new SyscallProgram(
            name(),
            List.of(
                new Instruction.FilterEnvironment(rules),
                new Instruction.ExecuteCommand(Instruction.SearchPath.CALLER)));
    Sandboxing sandboxing = Sandboxing.prepare(invocation);
    Optional<Caching> caching = Caching.of(invocation, parsed.command(), sandboxing);
    if (caching.isPresent()) {
      for (ParsedOptions.Use<EnvOption> use : parsed.options()) {
        caching.get().host().conditions().set(use.values().getFirst());
      }
    }
    return LauncherStart.start(
        program, parsed.command(), Speaker.CLOISTER, invocation, sandboxing.directory(), caching);
  }

  private static EnvironmentRules keep(
      EnvironmentRules rules, ParsedOptions.Use<EnvOption> use, Invocation invocation)
      throws CliException {
    OsString name = use.values().getFirst();
    if (name.isEmpty() || name.indexOf('=') >= 0) {
      throw new CliException("--keep '%s': not the name of a variable".formatted(name));
    }
    if (invocation.variable(name).isEmpty()) {
      throw new CliException("--keep " + name + ": this variable is not set");
    }
    return rules.keep(name);
  }
}
