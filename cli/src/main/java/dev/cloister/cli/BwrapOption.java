package dev.cloister.cli;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The options of bubblewrap's that are not {@code run}'s, and which of {@code run}'s are its. */
enum BwrapOption implements CliOption {
  VERSION("--version", "", "say whose options these are"),
  LEVEL_PREFIX("--level-prefix", "", "put how grave it is before each message: <3> is an error"),
  EXEC_LABEL("--exec-label", "LABEL", "not supported: a label of SELinux for the command"),
  FILE_LABEL("--file-label", "LABEL", "not supported: a label of SELinux for what is made");

  /** Those of {@code run} that bubblewrap does not have. */
  private static final Set<RunOption> NOT_BUBBLEWRAPS =
      Set.of(
          RunOption.MOUNT,
          RunOption.PRESET,
          RunOption.PROFILE,
          RunOption.KEEP_ENV,
          RunOption.MAP_ROOT_USER,
          RunOption.TIMEOUT,
          RunOption.KILL_AFTER,
          RunOption.SECCOMP_PROFILE,
          RunOption.RLIMIT,
          RunOption.MEMORY,
          RunOption.PIDS,
          RunOption.CPU,
          RunOption.STRATEGY,
          RunOption.REQUIRE,
          RunOption.NO_CACHE,
          RunOption.VERBOSE);

  private final String word;
  private final String operand;
  private final String help;

  BwrapOption(String word, String operand, String help) {
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

  /** One of these, or one that {@code run} has from bubblewrap. */
  static Optional<CliOption> find(String word) {
    Optional<BwrapOption> own = CliOption.find(values(), word);
    if (own.isPresent()) {
      return Optional.of(own.get());
    }
    Optional<RunOption> shared = RunOption.find(word);
    return shared.isEmpty() || NOT_BUBBLEWRAPS.contains(shared.get())
        ? Optional.empty()
        : Optional.of(shared.get());
  }

  /** All of bubblewrap's. */
  static String helpText() {
    StringBuilder text = new StringBuilder(CliOption.helpText(List.of(values())));
    text.append(
        CliOption.helpText(List.copyOf(EnumSet.complementOf(EnumSet.copyOf(NOT_BUBBLEWRAPS)))));
    return text.toString();
  }
}
