package dev.cloister.cli;

import dev.cloister.spec.GivenNamespaces;
import dev.cloister.spec.OsString;
import dev.cloister.spec.Reports;
import dev.cloister.spec.SandboxSpec;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * What options say of namespaces that the caller gives, and of who is told what was made: each by
 * the number of a descriptor. What they mean together is looked at in the end.
 */
final class NamespaceOptions {
  private final Map<RunOption, Integer> numbers = new EnumMap<>(RunOption.class);
  private boolean unsharesUser;
  private boolean triesToUnshareUser;
  private boolean disables;

  /** One of these options; a later one takes the place of an earlier, as in bubblewrap. */
  void set(RunOption option, OsString value) throws CliException {
    Integer earlier = numbers.put(option, DescriptorOptions.number(option, value));
    if (earlier != null) {
      Messages.print(
          "only the last %s takes effect: not %s %d"
              .formatted(option.word(), option.word(), earlier));
    }
  }

  /** {@code --unshare-user}, or the same where it is possible. */
  void unshareUser(boolean required) {
    unsharesUser |= required;
    triesToUnshareUser |= !required;
  }

  /** {@code --disable-userns}. */
  void disableUser() {
    disables = true;
  }

  /** Whether ids that are asked for are those of a user namespace that others have mapped. */
  boolean othersMapIds() {
    return has(RunOption.USERNS) || has(RunOption.USERNS_BLOCK_FD);
  }

  /** Whether the command is in a pid namespace that is given, or in one below. */
  boolean givesPids() {
    return has(RunOption.PIDNS);
  }

  private OptionalInt number(RunOption option) {
    Integer number = numbers.get(option);
    return number == null ? OptionalInt.empty() : OptionalInt.of(number);
  }

  private boolean has(RunOption option) {
    return numbers.containsKey(option);
  }

  private CliException refused(RunOption option, String why) {
    return new CliException("%s %d: %s".formatted(option.word(), numbers.get(option), why));
  }

  /** Adds them to a specification. */
  void addTo(SandboxSpec.Builder spec) throws CliException {
    if (numbers.isEmpty()) {
      return;
    }
    checkUser();
    checkMaps();
    spec.given(
        _ ->
            new GivenNamespaces(
                number(RunOption.USERNS),
                number(RunOption.USERNS2),
                number(RunOption.PIDNS),
                number(RunOption.USERNS_BLOCK_FD)));
    spec.reports(_ -> new Reports(number(RunOption.INFO_FD), number(RunOption.JSON_STATUS_FD)));
    for (Map.Entry<RunOption, Integer> use : numbers.entrySet()) {
      spec.descriptors(
          all ->
              use.getKey() == RunOption.JSON_STATUS_FD
                  ? all.holding(use.getKey().word(), use.getValue())
                  : all.using(use.getKey().word(), use.getValue()));
    }
  }

  private void checkUser() throws CliException {
    for (RunOption option : new RunOption[] {RunOption.USERNS, RunOption.USERNS2}) {
      if (!has(option)) {
        continue;
      }
      if (disables) {
        throw refused(option, "cannot be combined with --disable-userns, which needs a new one");
      }
      if (unsharesUser) {
        throw refused(option, "cannot be combined with --unshare-user");
      }
      if (triesToUnshareUser && option == RunOption.USERNS) {
        throw refused(option, "cannot be combined with --unshare-user-try");
      }
    }
  }

  private void checkMaps() throws CliException {
    RunOption option = RunOption.USERNS_BLOCK_FD;
    if (!has(option)) {
      return;
    }
    if (!unsharesUser) {
      throw refused(option, "means nothing without --unshare-user");
    }
    if (!has(RunOption.INFO_FD)) {
      throw refused(option, "means nothing without --info-fd, which says whom to map");
    }
    if (disables) {
      throw refused(option, "cannot be combined with --disable-userns, which needs another");
    }
    if (has(RunOption.PIDNS)) {
      throw refused(option, "cannot be combined with --pidns, which a new one does not own");
    }
  }
}
