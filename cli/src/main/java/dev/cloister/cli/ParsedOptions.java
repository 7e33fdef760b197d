package dev.cloister.cli;

import dev.cloister.spec.OsString;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * An ordered list of options, as far as the command.
 *
 * <p>Written by hand: the order of options is meaning, their values may start with a dash and need
 * not be text, and no library is as quick to load (docs/adr/0003-option-parser.md).
 *
 * @param options in the order given
 * @param command index of the first argument that is no option; the number of arguments if none is
 * @param help whether {@code --help} was among them
 */
record ParsedOptions<O extends CliOption>(List<Use<O>> options, int command, boolean help) {

  ParsedOptions {
    options = List.copyOf(options);
  }

  /**
   * One option with its values.
   *
   * @param origin the file and line in which it stands; empty for the command line
   */
  record Use<O extends CliOption>(O option, List<OsString> values, String origin) {
    Use {
      values = List.copyOf(values);
    }

    Use(O option, List<OsString> values) {
      this(option, values, "");
    }

    /** The same in a file. */
    Use<O> in(String file) {
      return new Use<>(option, values, file);
    }

    /** What is wrong with it, and where it stands. */
    CliException wrong(CliException cause) {
      return origin.isEmpty() ? cause : cause.in(origin);
    }
  }

  /**
   * Parses {@code arguments} from index {@code start}.
   *
   * @param find an option by its name
   */
  static <O extends CliOption> ParsedOptions<O> parse(
      List<OsString> arguments, int start, Function<String, Optional<O>> find) throws CliException {
    List<Use<O>> uses = new ArrayList<>();
    boolean help = false;
    int i = start;
    while (i < arguments.size() && arguments.get(i).startsWith("-")) {
      String word = arguments.get(i).toString();
      i++;
      if (word.equals("--")) {
        break;
      }
      if (word.equals("--help")) {
        help = true;
        continue;
      }
      O option = find.apply(word).orElseThrow(() -> unknown(word));
      int count = option.operands().size();
      if (i + count > arguments.size()) {
        throw incomplete(option);
      }
      uses.add(new Use<>(option, arguments.subList(i, i + count)));
      i += count;
    }
    return new ParsedOptions<>(uses, i, help);
  }

  private static CliException unknown(String word) {
    return new CliException("unknown option " + word + " (try --help)", "Unknown option " + word);
  }

  private static CliException incomplete(CliOption option) {
    return new CliException(
        option.word() + " needs " + String.join(" ", option.operands()),
        option.word()
            + switch (option.operands().size()) {
              case 1 -> " takes an argument";
              case 2 -> " takes two arguments";
              default -> " takes three arguments";
            });
  }
}
