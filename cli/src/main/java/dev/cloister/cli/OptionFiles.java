package dev.cloister.cli;

import dev.cloister.spec.OsString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Puts the options that stand in files behind those that name the files. */
final class OptionFiles<O extends CliOption> {
  /** bubblewrap's limit; nobody has asked for more. */
  private static final int MAX_ARGUMENTS = 9000;

  private final Invocation invocation;
  private final Dialect dialect;
  private final Function<String, Optional<O>> find;
  private final Optional<Caching> caching;
  private final List<ParsedOptions.Use<O>> uses = new ArrayList<>();
  private int arguments;
  private boolean help;

  /**
   * Prepares to read.
   *
   * @param find an option by its name
   * @param caching what is told of files that were read, if a launcher is to be kept
   */
  OptionFiles(
      Invocation invocation,
      Dialect dialect,
      Function<String, Optional<O>> find,
      Optional<Caching> caching) {
    this.invocation = invocation;
    this.dialect = dialect;
    this.find = find;
    this.caching = caching;
  }

  /** The same options, and those in the files. */
  ParsedOptions<O> expand(ParsedOptions<O> parsed) throws CliException {
    if (!namesFile(parsed)) {
      return parsed;
    }
    arguments = invocation.arguments().size();
    help = parsed.help();
    for (ParsedOptions.Use<O> use : parsed.options()) {
      uses.add(use);
      if (use.option() == RunOption.ARGS) {
        addArguments(use.values().getFirst());
      } else if (use.option() == RunOption.PROFILE) {
        addProfile(use.values().getFirst());
      }
    }
    return new ParsedOptions<>(uses, parsed.command(), help);
  }

  private static boolean namesFile(ParsedOptions<? extends CliOption> parsed) {
    for (ParsedOptions.Use<? extends CliOption> use : parsed.options()) {
      if (use.option() == RunOption.ARGS || use.option() == RunOption.PROFILE) {
        return true;
      }
    }
    return false;
  }

  private void addArguments(OsString descriptor) throws CliException {
    List<OsString> words = words(ArgumentsDescriptor.read(descriptor, invocation));
    arguments += words.size();
    if (arguments > MAX_ARGUMENTS) {
      throw new CliException(
          "--args %s: with these there are more than %d arguments"
              .formatted(descriptor, MAX_ARGUMENTS),
          "Exceeded maximum number of arguments " + MAX_ARGUMENTS);
    }
    String origin = "--args " + descriptor;
    ParsedOptions<O> parsed;
    try {
      parsed = ParsedOptions.parse(words, 0, find);
    } catch (CliException e) {
      throw e.in(origin);
    }
    for (ParsedOptions.Use<O> use : parsed.options()) {
      if (use.option() == RunOption.ARGS || use.option() == RunOption.PROFILE) {
        throw new CliException(
            origin + ": " + use.option().word() + " cannot stand there",
            use.option().word() + " not supported in arguments file");
      }
      uses.add(use);
    }
    help |= parsed.help();
    // bubblewrap reads no further than this, and does not say so.
    if (parsed.command() < words.size() && dialect == Dialect.CLOISTER) {
      throw new CliException(
          "%s: %s is no option".formatted(origin, Messages.value(words.get(parsed.command()))));
    }
  }

  /** Texts that each end with NUL; the last need not. */
  private static List<OsString> words(byte[] bytes) {
    boolean isEnded = bytes.length == 0 || bytes[bytes.length - 1] == 0;
    return Invocation.strings(isEnded ? bytes : Arrays.copyOf(bytes, bytes.length + 1));
  }

  private void addProfile(OsString name) throws CliException {
    Profile profile = new Profile(invocation, caching);
    for (Profile.Line line : profile.read(name)) {
      ParsedOptions<O> parsed;
      try {
        parsed = ParsedOptions.parse(line.words(), 0, find);
        requireOneOption(line, parsed);
      } catch (CliException e) {
        throw e.in(line.origin());
      }
      uses.add(parsed.options().getFirst().in(line.origin()));
    }
  }

  private static void requireOneOption(Profile.Line line, ParsedOptions<? extends CliOption> parsed)
      throws CliException {
    OsString first = line.words().getFirst();
    if (parsed.options().isEmpty()) {
      throw new CliException(Messages.value(first) + " is no option");
    }
    CliOption option = parsed.options().getFirst().option();
    if (option == RunOption.ARGS || option == RunOption.PROFILE) {
      throw new CliException(option.word() + " cannot stand in a profile (try include)");
    }
    if (line.words().size() > 1 + option.operands().size()) {
      String operands = String.join(" ", option.operands());
      throw new CliException(
          option.word()
              + (operands.isEmpty() ? " takes nothing" : " takes " + operands)
              + ", and each option has a line of its own");
    }
  }
}
