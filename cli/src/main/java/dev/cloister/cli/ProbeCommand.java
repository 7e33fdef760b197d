package dev.cloister.cli;

/** {@code cloister probe}. */
final class ProbeCommand implements Subcommand {
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
    return "usage: cloister probe [--json]\n";
  }

  @Override
  public int run(Invocation invocation) throws CliException {
    throw new CliException("not here yet");
  }
}
