package dev.cloister.cli;

import dev.cloister.machine.Speaker;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * {@code cloister bwrap}, and what a link named {@code bwrap} to Cloister does: bubblewrap's
 * options with what they mean there, its messages and its exit status (bwrap(1)).
 */
final class BwrapCommand implements Subcommand {
  static final String NAME = "bwrap";

  /** Which bubblewrap's options these are. */
  static final String VERSION = "0.11.1";

  /** Set by the script to how it was called. */
  private static final String CALLED = "cloister.called";

  /** As syslog(3) numbers them. */
  private static final int ERROR = 3;

  private static final int WARNING = 4;

  /** Those that may be repeated, but of which bubblewrap warns that only the last counts. */
  private static final Set<String> ONLY_LAST =
      Set.of(
          "--chdir",
          "--uid",
          "--gid",
          "--hostname",
          "--seccomp",
          "--sync-fd",
          "--block-fd",
          "--userns-block-fd",
          "--info-fd",
          "--json-status-fd",
          "--userns",
          "--userns2",
          "--pidns");

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String summary() {
    return "run a command as bubblewrap does, by its options";
  }

  @Override
  public String help() {
    return "usage: "
        + System.getProperty(CALLED, "cloister bwrap")
        + """
         [OPTIONS...] [--] COMMAND [ARGS...]

        Runs COMMAND in a sandbox, as bubblewrap does: its options, its defaults, its exit status.
        docs/bubblewrap.md says what is different. `cloister run` has more options.

        """
        + BwrapOption.helpText()
        + """

        Exit status: 1 if the sandbox could not be made or COMMAND cannot be executed, otherwise
        COMMAND's own.
        """;
  }

  /** One call: it speaks with or without a level from where that was asked for. */
  static final class Call {
    private boolean withLevel;

    /** An option by its name, asked for in the order of the options. */
    Optional<CliOption> find(String word) {
      Optional<CliOption> found = BwrapOption.find(word);
      withLevel |= found.isPresent() && found.get() == BwrapOption.LEVEL_PREFIX;
      return found;
    }

    Speaker speaker(int level) {
      return withLevel ? Speaker.BUBBLEWRAP.withLevel(level) : Speaker.BUBBLEWRAP;
    }
  }

  @Override
  public int run(Invocation invocation) {
    Call call = new Call();
    try {
      return run(invocation, call);
    } catch (CliException e) {
      Messages.print(call.speaker(ERROR), e.inBubblewrapsWords());
      return Speaker.BUBBLEWRAP.setUpFailed();
    }
  }

  private int run(Invocation invocation, Call call) throws CliException {
    ParsedOptions<CliOption> parsed = ParsedOptions.parse(invocation.arguments(), 1, call::find);
    if (parsed.help()) {
      Output.print(help());
      return 0;
    }
    SandboxStart start = new SandboxStart(invocation, Dialect.BUBBLEWRAP, parsed);
    ParsedOptions<CliOption> all = start.withFiles(parsed, call::find);
    if (all.help()) {
      Output.print(help());
      return 0;
    }
    if (uses(all, BwrapOption.VERSION)) {
      Output.print("bubblewrap " + VERSION + "\n");
      return 0;
    }
    if (all.command() >= invocation.arguments().size()) {
      Messages.write(help());
      return Speaker.BUBBLEWRAP.setUpFailed();
    }
    return start.start(shared(all), remarks(all), call.speaker(WARNING), call.speaker(ERROR));
  }

  private static boolean uses(ParsedOptions<CliOption> parsed, BwrapOption option) {
    for (ParsedOptions.Use<CliOption> use : parsed.options()) {
      if (use.option() == option) {
        return true;
      }
    }
    return false;
  }

  /** Those that {@code run} has, too. */
  static ParsedOptions<RunOption> shared(ParsedOptions<CliOption> parsed) throws CliException {
    List<ParsedOptions.Use<RunOption>> uses = new ArrayList<>();
    for (ParsedOptions.Use<CliOption> use : parsed.options()) {
      if (use.option() instanceof RunOption option) {
        uses.add(new ParsedOptions.Use<>(option, use.values(), use.origin()));
      } else if (use.option() == BwrapOption.EXEC_LABEL || use.option() == BwrapOption.FILE_LABEL) {
        throw new CliException(
            "%s %s: Cloister sets no labels of SELinux"
                .formatted(use.option().word(), Messages.value(use.values().getFirst())));
      }
    }
    return new ParsedOptions<>(uses, parsed.command(), parsed.help());
  }

  private static List<String> remarks(ParsedOptions<CliOption> parsed) {
    List<String> remarks = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (ParsedOptions.Use<CliOption> use : parsed.options()) {
      String word = use.option().word();
      if (!seen.add(word) && ONLY_LAST.contains(word)) {
        remarks.add("Only the last " + word + " option will take effect");
      }
    }
    return remarks;
  }
}
