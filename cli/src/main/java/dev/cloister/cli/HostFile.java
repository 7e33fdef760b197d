package dev.cloister.cli;

import dev.cloister.spec.OsString;
import java.nio.file.Path;

/** A file of the host that Java opens itself, by the name that the caller gave it. */
final class HostFile {
  private HostFile() {}

  /**
   * Finds it from the working directory.
   *
   * @throws CliException naming {@code option} and {@code name}
   */
  static Path path(String option, OsString name) throws CliException {
    try {
      if (Invocation.leadsNowhere(name)) {
        throw new CliException(Invocation.NOWHERE);
      }
      return relative(name);
    } catch (CliException e) {
      throw e.in(option + " " + Messages.value(name));
    }
  }

  /**
   * The same from wherever it is relative to.
   *
   * @throws CliException with nothing but what is wrong with the name
   */
  static Path relative(OsString name) throws CliException {
    if (name.isEmpty()) {
      throw new CliException("an empty path");
    }
    return name.toPath()
        .orElseThrow(() -> new CliException("its bytes are not UTF-8, so Java cannot open it"));
  }
}
