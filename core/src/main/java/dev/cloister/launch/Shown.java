package dev.cloister.launch;

import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Where a sandbox shows files of the host that its command could change. */
final class Shown {
  private Shown() {}

  /**
   * Where {@code bind} shows {@code directory}, or what is in it, writable.
   *
   * @param directory its real path
   */
  static Optional<Destination> writable(Bind bind, Path directory) throws IOException {
    Optional<Path> named = bind.source().path().toPath();
    if (named.isEmpty() || bind.access() == Access.READ_ONLY) {
      return Optional.empty();
    }
    Path source = named.get().toRealPath();
    if (!source.startsWith(directory) && !directory.startsWith(source)) {
      return Optional.empty();
    }
    Destination place = bind.destination();
    if (directory.startsWith(source) && !directory.equals(source)) {
      for (Path name : source.relativize(directory)) {
        place = place.resolve(name.toString());
      }
    }
    return Optional.of(place);
  }
}
