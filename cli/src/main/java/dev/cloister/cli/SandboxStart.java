package dev.cloister.cli;

import dev.cloister.launch.StaleCgroups;
import dev.cloister.machine.Speaker;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The way from a command line to its sandbox, in whatever dialect that is. */
final class SandboxStart {
  private final Invocation invocation;
  private final Dialect dialect;
  private final Sandboxing sandboxing;
  private Optional<Caching> caching;

  /**
   * Looks at the host.
   *
   * @param parsed as it stands on the command line
   */
  SandboxStart(Invocation invocation, Dialect dialect, ParsedOptions<? extends CliOption> parsed)
      throws CliException {
    this.invocation = invocation;
    this.dialect = dialect;
    this.sandboxing = Sandboxing.prepare(invocation);
    this.caching =
        isCacheable(parsed)
            ? Caching.of(invocation, parsed.command(), sandboxing)
            : Optional.empty();
  }

  /** The same options, and those that stand in the files which they name. */
  <O extends CliOption> ParsedOptions<O> withFiles(
      ParsedOptions<O> parsed, Function<String, Optional<O>> find) throws CliException {
    ParsedOptions<O> all = new OptionFiles<>(invocation, dialect, find, caching).expand(parsed);
    if (!isCacheable(all)) {
      caching = Optional.empty();
    }
    return all;
  }

  /**
   * Makes the sandbox.
   *
   * @param remarks what to say about the options
   * @param remarking in whose name
   * @param speaker in whose name the launcher speaks
   */
  int start(
      ParsedOptions<RunOption> parsed, List<String> remarks, Speaker remarking, Speaker speaker)
      throws CliException {
    RunRequest request = RunRequest.of(parsed, invocation, sandboxing.host().caller(), dialect);
    Sandboxing.Planned planned = sandboxing.plan(request);
    StaleCgroups.removeFor(request.spec().limits(), sandboxing.host());
    List<String> lines =
        request.verbose() ? planned.choice().report() : planned.choice().warnings();
    print(remarks, remarking);
    print(lines, remarking);
    if (caching.isPresent()) {
      // A launcher from the cache says nothing before it starts.
      caching =
          (lines.isEmpty() && remarks.isEmpty()) || Caching.training()
              ? caching.get().with(request, planned, invocation)
              : Optional.empty();
    }
    return LauncherStart.start(
        planned.program(), request.command(), speaker, invocation, sandboxing.directory(), caching);
  }

  private static void print(List<String> lines, Speaker speaker) {
    for (String line : lines) {
      Messages.print(speaker, line);
    }
  }

  private static boolean isCacheable(ParsedOptions<? extends CliOption> parsed) {
    boolean cacheable = true;
    for (ParsedOptions.Use<? extends CliOption> use : parsed.options()) {
      cacheable &= use.option().cacheable();
    }
    return cacheable || Caching.training();
  }
}
