package dev.cloister.launch;

import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.MountOperation.Devices;
import dev.cloister.spec.MountOperation.KeptChanges;
import dev.cloister.spec.MountOperation.LateBind;
import dev.cloister.spec.MountOperation.MessageQueues;
import dev.cloister.spec.MountOperation.Overlay;
import dev.cloister.spec.MountOperation.Proc;
import dev.cloister.spec.MountOperation.Source;
import dev.cloister.spec.MountOperation.Tmpfs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Where a sandbox shows files of the host that its command could change.
 *
 * <p>What keeps a command from them goes right behind the mount that shows them: there, its path
 * leads to the same place for sure, and whatever is put over that later still is. At the end, it
 * could go into something of the caller's that was mounted over them, or miss them, if that was
 * mounted over a symbolic link on the way.
 */
public final class Shown {
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

  /**
   * Whether what a mount shows at {@code place} is hidden by a later one, so that there is nothing
   * to keep from the command. In doubt it is not: on the way to a mount elsewhere than at the root,
   * other mounts may come and go between a symbolic link and what it leads to.
   *
   * @param index of that mount among {@code mounts}
   * @param place in it, without a symbolic link below where it is mounted
   */
  public static boolean isCovered(List<MountOperation> mounts, int index, Destination place) {
    boolean certain = mounts.get(index).destination().isRoot();
    for (MountOperation later : mounts.subList(index + 1, mounts.size())) {
      Destination over = later.destination();
      if (covers(later) && place.isAtOrBelow(over) && (certain || over.isRoot())) {
        return true;
      }
    }
    return false;
  }

  /** Whether it always hides the directory that was at its destination. */
  private static boolean covers(MountOperation operation) {
    return operation instanceof Bind
        || operation instanceof Tmpfs
        || operation instanceof Overlay
        || operation instanceof Proc
        || operation instanceof Devices
        || operation instanceof MessageQueues
        || (operation instanceof LateBind late && !late.optional());
  }
}
