package dev.cloister.cli;

import dev.cloister.spec.OsString;
import java.util.List;

/** The command line's entry. */
public final class Main {
  /** Cloister could not do what it was asked; as env(1), chroot(1) and timeout(1) have it. */
  private static final int FAILED = 125;

  private static final List<Subcommand> SUBCOMMANDS =
      List.of(
          new RunCommand(),
          new BwrapCommand(),
          new EnvCommand(),
          new ProbeCommand(),
          new BenchCommand(),
          new ExplainCommand(),
          new EmitCommand(),
          new CacheCommand());

  private Main() {}

  /**
   * Runs the subcommand that {@code arguments} name and exits with its status. Not by {@code
   * System.exit}, which looks through every jar for a logger that may want to know of it: 15 ms.
   * There is nothing to flush and no shutdown hook.
   */
  public static void main(String[] arguments) {
    Runtime.getRuntime().halt(run(arguments));
  }

  private static int run(String[] arguments) {
    String name = arguments.length == 0 ? "" : arguments[0];
    try {
      return switch (name) {
        case "--help", "help" -> {
          Output.print(help());
          yield 0;
        }
        case "--version" -> {
          Output.print("cloister " + Version.current() + "\n");
          yield 0;
        }
        case LookupMaking.NAME ->
            LookupMaking.run(Invocation.current(List.of(arguments)).arguments());
        case "" -> throw new CliException("no command given (try --help)");
        default -> {
          Subcommand subcommand = find(name);
          HeadStart.begin();
          yield subcommand.run(Invocation.current(List.of(arguments)));
        }
      };
    } catch (CliException e) {
      String prefix = SUBCOMMANDS.stream().anyMatch(s -> s.name().equals(name)) ? name + ": " : "";
      Messages.print(prefix + e.getMessage());
      return FAILED;
    } catch (OutOfMemoryError e) {
      // What `explain --elf` is given may ask for any amount.
      Messages.print("the options need more memory than there is for what they make");
      return FAILED;
    }
  }

  private static Subcommand find(String name) throws CliException {
    for (Subcommand subcommand : SUBCOMMANDS) {
      if (subcommand.name().equals(name)) {
        return subcommand;
      }
    }
    throw new CliException(
        "unknown command " + Messages.value(OsString.of(name)) + " (try --help)");
  }

  private static String help() {
    StringBuilder text = new StringBuilder("usage: cloister COMMAND ...\n\n");
    for (Subcommand subcommand : SUBCOMMANDS) {
      text.append("  %-10s %s%n".formatted(subcommand.name(), subcommand.summary()));
    }
    text.append("\n  --help     this text; `cloister COMMAND --help` for a command's\n");
    text.append("  --version  which version this is\n");
    return text.toString();
  }
}
