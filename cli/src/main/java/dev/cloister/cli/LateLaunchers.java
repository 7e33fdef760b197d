package dev.cloister.cli;

import dev.cloister.launch.MountGuard;
import dev.cloister.machine.LookupProgram;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.HideLaunchers;
import dev.cloister.spec.MountOperation.LateBind;
import dev.cloister.spec.MountOperation.Overlay;
import dev.cloister.spec.OsString;
import java.util.List;
import java.util.Optional;

/**
 * Keeps the launchers that {@code run} keeps ({@code docs/cache.md}) out of sandboxes whose host is
 * not known yet, as {@link dev.cloister.launch.HiddenLaunchers} does for those of this host.
 */
final class LateLaunchers {
  private static final Destination PARENT = Destination.of(LookupProgram.PARENT);

  private LateLaunchers() {}

  /**
   * A source as a launcher shall have it.
   *
   * @throws CliException if it has a {@code ..}, so that nobody can tell from its name where it
   *     leads, or is in a directory of launchers
   */
  static OsString source(RunOption option, OsString path) throws CliException {
    Destination source;
    try {
      source = Destination.of(path);
    } catch (IllegalArgumentException e) {
      throw refused(option, path, "give the path without '..', for a launcher");
    }
    int depth = PARENT.components().size();
    if (source.components().size() > depth
        && source.isAtOrBelow(PARENT)
        && isLaunchers(source.components().get(depth))) {
      throw refused(option, path, "Cloister may keep launchers there, which no sandbox may see");
    }
    return source.absolute();
  }

  private static boolean isLaunchers(OsString name) {
    return name.toString().matches(HideLaunchers.PREFIX + "[0-9]+");
  }

  private static CliException refused(RunOption option, OsString path, String why) {
    return new CliException("%s %s: %s".formatted(option.word(), Messages.value(path), why));
  }

  /** These mounts, with what hides them wherever one shows them writable. */
  static List<MountOperation> hide(List<MountOperation> mounts) {
    return new Hiding().in(mounts);
  }

  private static final class Hiding extends MountGuard<RuntimeException> {
    /** Where a mount shows what contains them, if the command could write to it. */
    @Override
    protected Optional<Destination> writable(MountOperation mount) {
      if (mount instanceof LateBind bind && bind.access() != Access.READ_ONLY) {
        return shown(bind.destination(), bind.source());
      }
      return mount instanceof Overlay overlay && overlay.changes().kept().isPresent()
          ? shown(overlay.destination(), overlay.changes().kept().get().upper().path())
          : Optional.empty();
    }

    @Override
    protected Optional<MountOperation> cover(MountOperation mount, Destination place) {
      return Optional.of(new HideLaunchers(place));
    }
  }

  /** Where {@link #PARENT} is, if that path of the host's is shown at {@code place}. */
  private static Optional<Destination> shown(Destination place, OsString path) {
    Destination source = Destination.of(path);
    if (!PARENT.isAtOrBelow(source)) {
      return Optional.empty();
    }
    Destination shown = place;
    int depth = source.components().size();
    for (OsString name : PARENT.components().subList(depth, PARENT.components().size())) {
      shown = shown.resolve(name.toString());
    }
    return Optional.of(shown);
  }
}
