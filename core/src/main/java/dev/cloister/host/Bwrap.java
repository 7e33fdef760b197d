package dev.cloister.host;

import dev.cloister.spec.OsString;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** An installed bubblewrap. */
public record Bwrap(OsString path) {
  /** Looks for an executable {@code bwrap} in the absolute directories of a PATH. */
  static Optional<Bwrap> find(String path) {
    for (String directory : path.split(":", -1)) {
      // A relative element would let the working directory choose what runs with these rights.
      if (directory.startsWith("/") && Files.isExecutable(Path.of(directory, "bwrap"))) {
        return Optional.of(new Bwrap(OsString.of(directory + "/bwrap")));
      }
    }
    return Optional.empty();
  }
}
