package dev.cloister.cli;

import dev.cloister.launch.StaleCgroups;
import java.util.List;
import java.util.Optional;

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
    Sandboxing sandboxing = Sandboxing.prepare(invocation);
    Optional<Caching> caching =
        isCacheable(parsed)
            ? Caching.of(invocation, parsed.command(), sandboxing)
            : Optional.empty();
    RunRequest request = RunRequest.of(parsed, invocation, sandboxing.host().caller());
    Sandboxing.Planned planned = sandboxing.plan(request);
    StaleCgroups.removeFor(request.spec().limits(), sandboxing.host());
    List<String> lines =
        request.verbose() ? planned.choice().report() : planned.choice().warnings();
    for (String line : lines) {
      Messages.print(line);
    }
    if (caching.isPresent()) {
      // A launcher from the cache says nothing before it starts.
      caching =
          lines.isEmpty() || Caching.training()
              ? caching.get().with(request, planned, invocation)
              : Optional.empty();
    }
    return LauncherStart.start(
        planned.program(), request.command(), invocation, sandboxing.directory(), caching);
  }

  private static boolean isCacheable(ParsedOptions<RunOption> parsed) {
    boolean cacheable = true;
    for (ParsedOptions.Use<RunOption> use : parsed.options()) {
      cacheable &= use.option().cacheable();
    }
    return cacheable || Caching.training();
  }
}
