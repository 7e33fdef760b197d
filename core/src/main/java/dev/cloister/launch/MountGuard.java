package dev.cloister.launch;

import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.MountOperation.Devices;
import dev.cloister.spec.MountOperation.LateBind;
import dev.cloister.spec.MountOperation.MessageQueues;
import dev.cloister.spec.MountOperation.Overlay;
import dev.cloister.spec.MountOperation.Proc;
import dev.cloister.spec.MountOperation.Tmpfs;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Keeps a command from files of the host, wherever a mount shows them so that it could change them.
 *
 * <p>What does so goes right behind that mount: there, its path leads to the same place for sure,
 * and whatever is put over that later still is. At the end, it could go into something of the
 * caller's that was mounted over them, or miss them, if that was mounted over a symbolic link on
 * the way.
 *
 * @param <E> thrown if the host cannot be looked at
 */
public abstract class MountGuard<E extends Exception> {
  /** Where a mount shows them, if the command could change them there. */
  protected abstract Optional<Destination> writable(MountOperation mount) throws E;

  /** What goes to {@code place}, behind {@code mount}, which shows them there; or nothing. */
  protected abstract Optional<MountOperation> cover(MountOperation mount, Destination place)
      throws E;

  /** These mounts, guarded. */
  public final List<MountOperation> in(List<MountOperation> mounts) throws E {
    List<MountOperation> safe = new ArrayList<>();
    for (int i = 0; i < mounts.size(); i++) {
      MountOperation mount = mounts.get(i);
      safe.add(mount);
      Optional<Destination> place = writable(mount);
      if (place.isPresent() && !isCovered(mounts, i, place.get())) {
        Optional<MountOperation> cover = cover(mount, place.get());
        if (cover.isPresent()) {
          safe.add(cover.get());
        }
      }
    }
    return safe;
  }

  /** The same sandbox, guarded. */
  final SandboxSpec in(SandboxSpec spec) throws E {
    List<MountOperation> safe = in(spec.mounts());
    return safe.size() == spec.mounts().size() ? spec : spec.withOnlyMounts(safe);
  }

  /**
   * Whether what a mount shows at {@code place} is hidden by a later one, so that there is nothing
   * to keep from the command. In doubt it is not: on the way to a mount elsewhere than at the root,
   * other mounts may come and go between a symbolic link and what it leads to.
   *
   * @param index of that mount among {@code mounts}
   * @param place in it, without a symbolic link below where it is mounted
   */
  private static boolean isCovered(List<MountOperation> mounts, int index, Destination place) {
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
