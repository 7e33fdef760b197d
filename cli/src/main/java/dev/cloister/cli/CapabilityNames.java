package dev.cloister.cli;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.spec.OsString;
import dev.cloister.spec.Privileges;
import java.util.Locale;
import java.util.Set;

/** Capabilities as the command line names them: {@code CAP_NET_ADMIN}, {@code net_admin}, ALL. */
final class CapabilityNames {
  private static final String PREFIX = "CAP_";

  private CapabilityNames() {}

  /** Those that {@code name}, the value of {@code option}, stands for. */
  static Set<LinuxConstant> find(RunOption option, OsString name) throws CliException {
    String text = name.toString();
    // Letters of other scripts may have an upper case that is a Latin one.
    String upper = text.matches("[A-Za-z_]+") ? text.toUpperCase(Locale.ROOT) : "";
    if (upper.equals("ALL")) {
      return Privileges.allCapabilities();
    }
    for (LinuxConstant capability : Privileges.allCapabilities()) {
      if (capability.name().equals(upper) || capability.name().equals(PREFIX + upper)) {
        return Set.of(capability);
      }
    }
    throw new CliException(
        "%s %s: not a capability, such as CAP_NET_ADMIN, or ALL (capabilities(7) lists them)"
            .formatted(option.word(), Messages.value(name)),
        "unknown cap: " + name);
  }
}
