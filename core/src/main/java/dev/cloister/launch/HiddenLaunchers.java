package dev.cloister.launch;

import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.SandboxSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Keeps the directory of launchers out of sandboxes that could write to it. A command with the same
 * user id could change the launcher of another sandbox between its writing and its start.
 */
public final class HiddenLaunchers {
  private HiddenLaunchers() {}

  /**
   * The same sandbox, with an empty tmpfs over {@code directory} wherever a bind shows it writable.
   */
  public static SandboxSpec in(SandboxSpec spec, PrivateDirectory directory) throws IOException {
    Path hidden = directory.path().toRealPath();
    List<MountOperation> covers = new ArrayList<>();
    for (MountOperation operation : spec.mounts()) {
      if (operation instanceof Bind bind && bind.access() != Access.READ_ONLY) {
        place(bind, hidden).ifPresent(place -> covers.add(new MountOperation.Tmpfs(place)));
      }
    }
    return covers.isEmpty() ? spec : spec.withMounts(covers);
  }

  /** Where in the sandbox {@code bind} shows {@code hidden}, if it does. */
  private static Optional<Destination> place(Bind bind, Path hidden) throws IOException {
    Optional<Path> named = bind.source().path().toPath();
    if (named.isEmpty()) {
      return Optional.empty();
    }
    Path source = named.get().toRealPath();
    if (!source.startsWith(hidden) && !hidden.startsWith(source)) {
      return Optional.empty();
    }
    Destination place = bind.destination();
    if (hidden.startsWith(source) && !hidden.equals(source)) {
      for (Path name : source.relativize(hidden)) {
        place = place.resolve(name.toString());
      }
    }
    return Optional.of(place);
  }
}
