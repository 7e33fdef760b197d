package dev.cloister.cli;

import java.util.List;
import java.util.Optional;

/** The options of {@code probe}. */
enum ProbeOption implements CliOption {
  JSON("--json", "print JSON (docs/probe-json.md) instead of a table");

  private final String word;
  private final String help;

  ProbeOption(String word, String help) {
    this.word = word;
    this.help = help;
  }

  @Override
  public String word() {
    return word;
  }

  @Override
  public List<String> operands() {
    return List.of();
  }

  @Override
  public String help() {
    return help;
  }

  static Optional<ProbeOption> find(String word) {
    return word.equals(JSON.word) ? Optional.of(JSON) : Optional.empty();
  }
}
