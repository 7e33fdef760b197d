package dev.cloister.launch;

import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.MountOperation.KeptChanges;
import dev.cloister.spec.MountOperation.Overlay;
import dev.cloister.spec.MountOperation.Source;
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
    return bind.access() == Access.READ_ONLY
        ? Optional.empty()
        : shown(bind.source(), bind.destination(), directory);
  }

  /** Where changes to {@code overlay} would go to {@code directory}, or what is in it. */
  static Optional<Destination> writable(Overlay overlay, Path directory) throws IOException {
    Optional<KeptChanges> kept = overlay.changes().kept();
    return kept.isEmpty()
        ? Optional.empty()
        : shown(kept.get().upper(), overlay.destination(), directory);
  }

  private static Optional<Destination> shown(Source shown, Destination destination, Path directory)
      throws IOException {
    Optional<Path> named = shown.path().toPath();
    if (named.isEmpty()) {
      return Optional.empty();
    }
    Path source = named.get().toRealPath();
    if (!source.startsWith(directory) && !directory.startsWith(source)) {
      return Optional.empty();
    }
    Destination place = destination;
    if (directory.startsWith(source) && !directory.equals(source)) {
      for (Path name : source.relativize(directory)) {
        place = place.resolve(name.toString());
      }
    }
    return Optional.of(place);
  }
}
