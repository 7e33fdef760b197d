package dev.cloister.cli;

import dev.cloister.spec.OsString;
import java.nio.file.Path;

/** A file of the host that Java opens itself, by the name that the caller gave it. */
final class HostFile {
  private HostFile() {}

  /**
   * Finds it from the working directory.
   *
   * @throws CliException with nothing but what is wrong with the name
   */
  static Path path(OsString name) throws CliException {
    if (Invocation.leadsNowhere(name)) {
      throw new CliException(Invocation.NOWHERE);
    }
    return relative(name);
  }

  /**
   * The same from wherever it is relative to.
   *
   * @throws CliException likewise
   */
  static Path relative(OsString name) throws CliException {
    if (name.isEmpty()) {
      throw new CliException("an empty path");
    }
    return name.toPath()
        .orElseThrow(() -> new CliException("its bytes are not UTF-8, so Java cannot open it"));
  }
}
