package dev.cloister.launch;

import dev.cloister.host.CgroupPlace;
import dev.cloister.host.HostFiles;
import dev.cloister.host.HostFiles.SourceException;
import dev.cloister.host.HostReport;
import dev.cloister.recipe.Cgroup;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Keeps a command from lifting the limits of its own cgroup. The files of that are its user's: with
 * the hierarchy before it, writable, it could write another number to them, or leave.
 */
public final class ReadOnlyCgroups {
  private ReadOnlyCgroups() {}

  /**
   * The same sandbox, where cgroups can only be read wherever a bind shows them; what hides them
   * there now, or part of it, still does.
   */
  public static SandboxSpec in(SandboxSpec spec, HostReport host) throws IOException {
    if (!spec.limits().needCgroup()
        || !(host.allowance().cgroup(Cgroup.controllers(spec.limits()))
            instanceof CgroupPlace.Found found)) {
      return spec;
    }
    List<MountOperation> covers = new ArrayList<>();
    for (OsString mount : found.mounts()) {
      Optional<Path> directory = mount.toPath();
      if (directory.isPresent()) {
        covers.addAll(covers(spec.mounts(), directory.get().toRealPath()));
      }
    }
    return covers.isEmpty() ? spec : spec.withMounts(covers);
  }

  private static List<MountOperation> covers(List<MountOperation> mounts, Path directory)
      throws IOException {
    List<MountOperation> covers = new ArrayList<>();
    for (int i = 0; i < mounts.size(); i++) {
      if (mounts.get(i) instanceof Bind bind) {
        List<MountOperation> later = mounts.subList(i + 1, mounts.size());
        Optional<Destination> place = Shown.writable(bind, directory);
        if (place.isPresent()) {
          covers.add(cover(bind, directory, place.get(), later));
        }
      }
    }
    return covers;
  }

  private static MountOperation cover(
      Bind bind, Path directory, Destination place, List<MountOperation> later) throws IOException {
    for (MountOperation operation : later) {
      if (place.isAtOrBelow(operation.destination())) {
        return new MountOperation.Tmpfs(place);
      }
    }
    if (place.equals(bind.destination())) {
      return new Bind(bind.source(), place, Access.READ_ONLY);
    }
    try {
      return new Bind(HostFiles.inspect(OsString.of(directory)), place, Access.READ_ONLY);
    } catch (SourceException e) {
      throw new IOException(directory + ": " + e.getMessage(), e);
    }
  }
}
