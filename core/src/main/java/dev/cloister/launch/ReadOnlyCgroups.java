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
import dev.cloister.spec.MountOperation.Source;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import java.io.IOException;
import java.nio.file.Path;
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
      safe = new Restricting(directory.get().toRealPath()).in(safe);
    }
    return safe;
  }

  /** Binds one hierarchy read-only. */
  private static final class Restricting extends MountGuard<IOException> {
    private final Path directory;

    Restricting(Path directory) {
      this.directory = directory;
    }

    @Override
    protected Optional<Destination> writable(MountOperation mount) throws IOException {
      return mount instanceof Bind bind ? Shown.writable(bind, directory) : Optional.empty();
    }

    @Override
    protected Optional<MountOperation> cover(MountOperation mount, Destination place)
        throws IOException {
      if (mount instanceof Bind bind && place.equals(bind.destination())) {
        return Optional.of(new Bind(bind.source(), place, Access.READ_ONLY));
      }
      try {
        Source source = HostFiles.inspect(OsString.of(directory));
        return Optional.of(new Bind(source, place, Access.READ_ONLY));
      } catch (SourceException e) {
        throw new IOException(directory + ": " + e.getMessage(), e);
      }
    }
  }
}
