package dev.cloister.cli;

import java.util.List;
import java.util.Optional;

/** The options of {@code emit} that are not those of {@code run}. */
enum EmitOption implements CliOption {
  OUTPUT("-o", "FILE", "the executable to write; what is there already is replaced as a whole"),
  ARCH("--arch", "NAME", "x86_64 or aarch64: for which machines (default: this one)");

  private final String word;
  private final String operand;
  private final String help;

  EmitOption(String word, String operand, String help) {
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

  /** One of these, or of those of {@code run}. */
  static Optional<CliOption> find(String word) {
    return CliOption.<CliOption>find(values(), word).or(() -> RunOption.find(word));
  }
}
