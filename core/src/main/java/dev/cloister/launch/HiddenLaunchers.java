package dev.cloister.launch;

import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.MountOperation.Overlay;
import dev.cloister.spec.SandboxSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Keeps the directory of launchers out of sandboxes that could write to it. A command with the same
 * user id could change the launcher of another sandbox between its writing and its start.
 */
public final class HiddenLaunchers {
  private HiddenLaunchers() {}

  /**
   * The same sandbox, with an empty tmpfs over {@code directory} wherever a bind shows it writable,
   * or an overlay whose changes go there, and over what {@link LauncherCache} keeps for the caller
   * and for whom the command may really be: that is executed later, outside of the sandbox. A
   * directory that is not there yet is made, or a command could make it.
   *
   * @param uid of the caller
   */
  public static SandboxSpec in(SandboxSpec spec, PrivateDirectory directory, long uid)
      throws IOException {
    return in(spec, directory, LauncherCache.PARENT, uid);
  }

  /** The same for that directory alone. */
  static SandboxSpec in(SandboxSpec spec, PrivateDirectory directory) throws IOException {
    return hide(spec, directory.path().toRealPath(), OptionalLong.empty());
  }

  static SandboxSpec in(SandboxSpec spec, PrivateDirectory directory, Path parent, long uid)
      throws IOException {
    Path launchers = directory.path().toRealPath();
    SandboxSpec safe = in(spec, directory);
    if (Files.exists(parent)) {
      for (long user : users(spec, uid)) {
        Path cache = LauncherCache.place(parent.toRealPath(), user);
        if (!cache.equals(launchers)) {
          safe = hide(safe, cache, OptionalLong.of(user));
        }
      }
    }
    return safe;
  }

  /**
   * With one directory hidden.
   *
   * @param user whose it is, if it may be missing
   */
  private static SandboxSpec hide(SandboxSpec spec, Path hidden, OptionalLong user)
      throws IOException {
    List<MountOperation> mounts = spec.mounts();
    List<MountOperation> safe = new ArrayList<>();
    for (int i = 0; i < mounts.size(); i++) {
      safe.add(mounts.get(i));
      Optional<Destination> place = writable(mounts.get(i), hidden);
      // A directory is made only where it matters: most sandboxes show nothing of it.
      if (place.isPresent()
          && !Shown.isCovered(mounts, i, place.get())
          && (user.isEmpty() || isThere(hidden, user.getAsLong()))) {
        safe.add(new MountOperation.Tmpfs(place.get()));
      }
    }
    return safe.size() == mounts.size() ? spec : spec.withOnlyMounts(safe);
  }

  /** Makes it, unless it is there: whether it is to be hidden. */
  private static boolean isThere(Path cache, long user) throws IOException {
    LauncherCache.ensurePlace(cache, user);
    return Files.isDirectory(cache, LinkOption.NOFOLLOW_LINKS) && isOwn(cache, user);
  }

  /**
   * Whether launchers of this user's could be in it. Root of a user namespace may find there what
   * is the host's root's: it neither uses that, nor can it be written to.
   */
  private static boolean isOwn(Path cache, long user) throws IOException {
    Object owner = Files.getAttribute(cache, "unix:uid", LinkOption.NOFOLLOW_LINKS);
    return owner instanceof Integer id && Integer.toUnsignedLong(id) == user;
  }

  /** Root can make a command anybody's. */
  private static List<Long> users(SandboxSpec spec, long uid) {
    OptionalLong other = spec.identity().uid();
    return uid == 0 && other.isPresent() && other.getAsLong() != uid
        ? List.of(uid, other.getAsLong())
        : List.of(uid);
  }

  /** Where the command could write to what is to be hidden. */
  private static Optional<Destination> writable(MountOperation operation, Path hidden)
      throws IOException {
    if (operation instanceof Bind bind) {
      return Shown.writable(bind, hidden);
    }
    return operation instanceof Overlay overlay
        ? Shown.writable(overlay, hidden)
        : Optional.empty();
  }
}
