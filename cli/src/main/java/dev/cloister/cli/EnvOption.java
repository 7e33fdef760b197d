package dev.cloister.cli;

import java.util.List;
import java.util.Optional;

/** The options of {@code env}. */
enum EnvOption implements CliOption {
  KEEP("--keep", "VAR", "keep this variable, which must be set");

  private final String word;
  private final String operand;
  private final String help;

  EnvOption(String word, String operand, String help) {
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
    return List.of(operand);
  }

  @Override
  public String help() {
    return help;
  }

  static Optional<EnvOption> find(String word) {
    return CliOption.find(values(), word);
  }
}
