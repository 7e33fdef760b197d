package dev.cloister.strategies.bwrap;

import dev.cloister.host.HostReport;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.OsString;
import java.util.List;
import java.util.Optional;

/**
 * Looks for symbolic links on the way to a destination below something bound.
 *
 * <p>Versions of bubblewrap before 0.12.0 follow such a link when they make the mount point, even
 * out of the sandbox. A link that stays below its own directory is harmless and common ({@code /bin
 * -> usr/bin}); one that is absolute or goes up is not followed for it.
 */
final class PlantedLinks {
  private PlantedLinks() {}

  /** The first dangerous link, for a person. */
  static Optional<String> find(List<MountOperation> mounts, HostReport host) {
    for (int i = 0; i < mounts.size(); i++) {
      for (MountOperation earlier : mounts.subList(0, i)) {
        Optional<String> found =
            earlier instanceof Bind bind
                ? find(mounts.get(i).destination(), bind, host)
                : Optional.empty();
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<String> find(Destination destination, Bind bind, HostReport host) {
    int depth = bind.destination().components().size();
    if (destination.components().size() <= depth
        || !destination.prefix(depth).equals(bind.destination())) {
      return Optional.empty();
    }
    OsString path = bind.source().path();
    for (OsString name : destination.components().subList(depth, destination.components().size())) {
      path = path.concat(OsString.of("/")).concat(name);
      Optional<OsString> target = host.links().apply(path);
      if (target.isPresent() && leadsAway(target.get())) {
        return Optional.of(
            "the way to %s leads through the symbolic link %s to %s"
                .formatted(destination, path, target.get()));
      }
    }
    return Optional.empty();
  }

  private static boolean leadsAway(OsString target) {
    return target.startsWith("/") || target.toString().contains("..");
  }
}
