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

  /** One option with its values. */
  record Use<O extends CliOption>(O option, List<OsString> values) {
    Use {
      values = List.copyOf(values);
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
      O option =
          find.apply(word)
              .orElseThrow(() -> new CliException("unknown option " + word + " (try --help)"));
      int count = option.operands().size();
      if (i + count > arguments.size()) {
        throw new CliException(word + " needs " + String.join(" ", option.operands()));
      }
      uses.add(new Use<>(option, arguments.subList(i, i + count)));
      i += count;
    }
    return new ParsedOptions<>(uses, i, help);
  }
}
