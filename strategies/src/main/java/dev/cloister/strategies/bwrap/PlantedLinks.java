package dev.cloister.strategies.bwrap;

import dev.cloister.host.HostReport;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.OsString;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Looks for symbolic links on the way to a destination.
 *
 * <p>Versions of bubblewrap before 0.12.0 follow such a link when they make the mount point, even
 * out of the sandbox. A link that stays below its own directory is harmless and common ({@code /bin
 * -> usr/bin}), but leads to a place where another link may be, perhaps in another bind; one that
 * is absolute or goes up is not followed for it.
 */
final class PlantedLinks {
  /** More links than this on one way are taken for an attempt to hide something. */
  private static final int MAX_LINKS = 8;

  private static final OsString SLASH = OsString.of("/");

  private final List<MountOperation> earlier;
  private final HostReport host;
  private final Destination destination;

  private PlantedLinks(List<MountOperation> earlier, HostReport host, Destination destination) {
    this.earlier = earlier;
    this.host = host;
    this.destination = destination;
  }

  /**
   * A symbolic link in the sandbox.
   *
   * @param name for a person
   */
  private record Link(Destination place, OsString name, OsString target) {}

  /** The first dangerous link, for a person. */
  static Optional<String> find(List<MountOperation> mounts, HostReport host) {
    for (int i = 0; i < mounts.size(); i++) {
      Destination destination = mounts.get(i).destination();
      // symlink(2) does not follow a link that is there already.
      boolean isSymlink = mounts.get(i) instanceof MountOperation.Symlink;
      Optional<String> found =
          new PlantedLinks(mounts.subList(0, i), host, destination)
              .follow(isSymlink ? destination.parent() : destination, MAX_LINKS);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private Optional<String> follow(Destination way, int linksLeft) {
    for (MountOperation mount : earlier) {
      Optional<Link> link = firstLink(way, mount);
      if (link.isPresent()) {
        Optional<String> found = judge(way, link.get(), linksLeft);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  private Optional<String> judge(Destination way, Link link, int linksLeft) {
    if (linksLeft == 0 || leadsAway(link.target())) {
      return Optional.of(
          "the way to %s leads through the symbolic link %s to %s"
              .formatted(destination, link.name(), link.target()));
    }
    OsString directory = link.place().parent().absolute().concat(SLASH);
    List<OsString> components =
        new ArrayList<>(Destination.of(directory.concat(link.target())).components());
    int depth = link.place().components().size();
    components.addAll(way.components().subList(depth, way.components().size()));
    return follow(new Destination(components), linksLeft - 1);
  }

  /** The first link on {@code way} that is in what {@code mount} shows. */
  private Optional<Link> firstLink(Destination way, MountOperation mount) {
    return switch (mount) {
      case Bind bind -> firstLink(way, bind.destination(), bind.source().path());
      case MountOperation.LateBind late -> firstLink(way, late.destination(), late.source());
      case MountOperation.Proc proc -> firstLink(way, proc.destination(), OsString.of("/proc"));
      case MountOperation.Devices devices ->
          firstLink(way, devices.destination(), OsString.of("/dev"));
      case MountOperation.Symlink link ->
          way.isAtOrBelow(link.destination())
              ? Optional.of(
                  new Link(link.destination(), link.destination().absolute(), link.target()))
              : Optional.empty();
      case MountOperation.Directory _,
          MountOperation.Tmpfs _,
          MountOperation.AsOnHost _,
          MountOperation.DataFile _,
          MountOperation.DataBind _,
          MountOperation.HideLaunchers _ ->
          Optional.empty();
    };
  }

  private Optional<Link> firstLink(Destination way, Destination mount, OsString source) {
    if (!way.isAtOrBelow(mount)) {
      return Optional.empty();
    }
    OsString path = source;
    for (int depth = mount.components().size(); depth < way.components().size(); depth++) {
      path = path.concat(SLASH).concat(way.components().get(depth));
      Optional<OsString> target = host.links().apply(path);
      if (target.isPresent()) {
        return Optional.of(new Link(way.prefix(depth + 1), path, target.get()));
      }
    }
    return Optional.empty();
  }

  private static boolean leadsAway(OsString target) {
    return target.startsWith("/") || target.toString().contains("..");
  }
}
