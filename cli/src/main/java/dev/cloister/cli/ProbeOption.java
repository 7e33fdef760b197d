package dev.cloister.cli;

import java.util.List;
import java.util.Optional;

/** The options of {@code probe}. */
enum ProbeOption implements CliOption {
  JSON("--json", "", "print JSON (docs/probe-json.md) instead of a table"),
  STRATEGY("--strategy", "NAME", "try this one only, and show every step of the trial");

  private final String word;

  /** Empty if there is none. */
  private final String operand;

  private final String help;

  ProbeOption(String word, String operand, String help) {
    this.word = word;
    this.operand = operand;
    this.help = help;
  }

  @Override
  public String word() {
    return word;
  }

  @Override
  public List<String> operands() {
    return operand.isEmpty() ? List.of() : List.of(operand);
  }

  @Override
  public String help() {
    return help;
  }

  static Optional<ProbeOption> find(String word) {
    return CliOption.find(values(), word);
  }
}
