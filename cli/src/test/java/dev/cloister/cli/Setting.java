package dev.cloister.cli;

import dev.cloister.fixture.Required;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** Who runs a sandbox, and which strategy makes it. */
record Setting(CallingUser user, String strategy) {
  static final List<String> STRATEGIES = List.of("pivot_root", "chroot", "bwrap");
  private static final Map<Setting, Ran> TRIALS = new ConcurrentHashMap<>();

  static Stream<Setting> all() {
    return CallingUser.all().stream()
        .flatMap(user -> STRATEGIES.stream().map(strategy -> new Setting(user, strategy)));
  }

  /** Those whose strategy makes the sandbox with system calls of its own. */
  static Stream<Setting> allNative() {
    return all().filter(setting -> !setting.isBwrap());
  }

  static Stream<CallingUser> users() {
    return CallingUser.all().stream();
  }

  boolean isBwrap() {
    return strategy.equals("bwrap");
  }

  /** {@code cloister run} with these options and this command; skipped where it cannot work. */
  Call run(String... arguments) {
    mustWork();
    return start(arguments);
  }

  /** Skips the test where it cannot work at all. */
  void mustWork() {
    Ran trial = TRIALS.computeIfAbsent(this, setting -> setting.start("--", "true").run());
    Required.that(trial.status() == 0, "a host where this works: " + trial);
  }

  private Call start(String... arguments) {
    return user.cloister(words("run", arguments));
  }

  /** The arguments of {@code run} or {@code explain} that name this strategy. */
  String[] words(String subcommand, String... arguments) {
    List<String> words = new ArrayList<>(List.of(subcommand, "--strategy", strategy));
    words.addAll(List.of(arguments));
    return words.toArray(String[]::new);
  }

  @Override
  public String toString() {
    return user + ", " + strategy;
  }
}
