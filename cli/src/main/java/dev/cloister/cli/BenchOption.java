package dev.cloister.cli;

import java.util.List;
import java.util.Optional;

/** The options of {@code bench}. */
enum BenchOption implements CliOption {
  JSON("--json", "", "print JSON (docs/bench.md) instead of a table"),
  SAMPLES("--samples", "COUNT", "take so many of each, however long that takes");

  private final String word;

  /** Empty if there is none. */
  private final String operand;

  private final String help;

  BenchOption(String word, String operand, String help) {
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

  static Optional<BenchOption> find(String word) {
    return CliOption.find(values(), word);
  }
}
