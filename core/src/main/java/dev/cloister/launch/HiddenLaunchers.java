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

  static SandboxSpec in(SandboxSpec spec, PrivateDirectory directory, Path parent, long uid)
      throws IOException {
    Path launchers = directory.path().toRealPath();
    SandboxSpec safe = new Hiding(launchers, OptionalLong.empty()).in(spec);
    if (Files.exists(parent)) {
      Path place = parent.toRealPath();
      for (long user : users(spec, uid)) {
        Path cache = LauncherCache.place(place, user);
        if (!cache.equals(launchers)) {
          safe = new Hiding(cache, OptionalLong.of(user)).in(safe);
        }
      }
    }
    return safe;
  }

  /** Puts an empty tmpfs over one directory. */
  private static final class Hiding extends MountGuard<IOException> {
    private final Path hidden;
    private final OptionalLong user;

    /**
     * Hides {@code hidden}.
     *
     * @param user whose it is, if it may be missing
     */
    Hiding(Path hidden, OptionalLong user) {
      this.hidden = hidden;
      this.user = user;
    }

    @Override
    protected Optional<Destination> writable(MountOperation mount) throws IOException {
      if (mount instanceof Bind bind) {
        return Shown.writable(bind, hidden);
      }
      return mount instanceof Overlay overlay ? Shown.writable(overlay, hidden) : Optional.empty();
    }

    /** A directory is made only where it matters: most sandboxes show nothing of it. */
    @Override
    protected Optional<MountOperation> cover(MountOperation mount, Destination place)
        throws IOException {
      return user.isEmpty() || isThere(hidden, user.getAsLong())
          ? Optional.of(new MountOperation.Tmpfs(place))
          : Optional.empty();
    }
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
}
