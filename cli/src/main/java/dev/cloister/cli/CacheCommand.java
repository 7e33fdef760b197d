package dev.cloister.cli;

import dev.cloister.host.Caller;
import dev.cloister.launch.LauncherCache;
import dev.cloister.spec.OsString;
import java.io.IOException;

/** {@code cloister cache}. */
final class CacheCommand implements Subcommand {
  @Override
  public String name() {
    return "cache";
  }

  @Override
  public String summary() {
    return "remove the launchers that run, env and bwrap keep";
  }

  @Override
  public String help() {
    return """
        usage: cloister cache clear

        Removes the launchers that `run`, `env` and `bwrap` keep for calls with the same options. They
        are in /tmp/cloister-UID/cache; `run --no-cache` neither uses nor keeps one.
        """;
  }

  @Override
  public int run(Invocation invocation) throws CliException {
    int count = invocation.arguments().size();
    OsString word = count < 2 ? OsString.of("") : invocation.arguments().get(1);
    if (word.equals(OsString.of("--help"))) {
      Output.print(help());
      return 0;
    }
    if (count != 2 || !word.equals(OsString.of("clear"))) {
      throw new CliException(
          (count < 2 ? "no word given" : Messages.value(invocation.arguments().get(count - 1)))
              + ": the one thing to do is clear (try --help)");
    }
    try {
      LauncherCache.clear(Caller.current().uid());
      return 0;
    } catch (IOException e) {
      throw new CliException("clear: cannot remove what is kept: " + e);
    }
  }
}
