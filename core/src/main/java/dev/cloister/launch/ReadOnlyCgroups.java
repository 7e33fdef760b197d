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

  /** The same sandbox, where cgroups can only be read wherever a bind shows them. */
  public static SandboxSpec in(SandboxSpec spec, HostReport host) throws IOException {
    if (!spec.limits().needCgroup()
        || !(host.allowance().cgroup(Cgroup.controllers(spec.limits()))
            instanceof CgroupPlace.Found found)) {
      return spec;
    }
    SandboxSpec safe = spec;
    for (OsString mount : found.mounts()) {
      Optional<Path> directory = mount.toPath();
      if (directory.isEmpty()) {
        throw new IOException(mount + ": cannot look at it, as its name is none in this locale");
      }
      safe = restrict(safe, directory.get().toRealPath());
    }
    return safe;
  }

  private static SandboxSpec restrict(SandboxSpec spec, Path directory) throws IOException {
    List<MountOperation> mounts = spec.mounts();
    List<MountOperation> safe = new ArrayList<>();
    for (int i = 0; i < mounts.size(); i++) {
      safe.add(mounts.get(i));
      if (mounts.get(i) instanceof Bind bind) {
        Optional<Destination> place = Shown.writable(bind, directory);
        if (place.isPresent() && !Shown.isCovered(mounts, i, place.get())) {
          safe.add(readOnly(bind, directory, place.get()));
        }
      }
    }
    return safe.size() == mounts.size() ? spec : spec.withOnlyMounts(safe);
  }

  private static Bind readOnly(Bind bind, Path directory, Destination place) throws IOException {
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
