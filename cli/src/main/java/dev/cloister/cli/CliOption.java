package dev.cloister.cli;

import java.util.List;
import java.util.Optional;

/** An option as the parser and the help text see it. */
interface CliOption {
  /** With its dashes. */
  String word();

  /** What its operands are called in the help text; their number is how many arguments follow. */
  List<String> operands();

  /** What it does, in a line. */
  String help();

  /** Whether a launcher that was compiled with this option can be used again. */
  default boolean cacheable() {
    return true;
  }

  /** The one of these with that word. */
  static <O extends CliOption> Optional<O> find(O[] options, String word) {
    for (O option : options) {
      if (option.word().equals(word)) {
        return Optional.of(option);
      }
    }
    return Optional.empty();
  }

  /** Lines of a help text, one per option. */
  static String helpText(List<? extends CliOption> options) {
    StringBuilder text = new StringBuilder();
    for (CliOption option : options) {
      String usage = option.word() + " " + String.join(" ", option.operands());
      text.append("  %-26s %s%n".formatted(usage.strip(), option.help()));
    }
    return text.toString();
  }
}
