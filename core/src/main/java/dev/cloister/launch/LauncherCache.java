package dev.cloister.launch;

import dev.cloister.host.SmallFiles;
import dev.cloister.machine.CacheConditions;
import dev.cloister.machine.CacheEntry;
import dev.cloister.machine.ElfImage;
import dev.cloister.machine.LookupProgram;
import java.io.File;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Optional;
import java.util.Set;

/**
 * Launchers that were compiled, kept for calls with the same options on the same host. What reads
 * them is {@link LookupProgram}; this writes them, and removes them.
 *
 * <p>Only the owner can look into the directory or change it, as {@link PrivateDirectory} sees to
 * for the one it is in, and {@link HiddenLaunchers} keeps it out of sandboxes.
 */
public final class LauncherCache {
  /** More than that, each no larger than {@link CacheEntry#MAX_SIZE}, are never kept. */
  public static final int MAX_ENTRIES = 64;

  /** What {@link #place} is in, but for tests. */
  static final Path PARENT = Path.of(LookupProgram.PARENT);

  private static final Set<PosixFilePermission> OWNER_FILE =
      Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
  private static final String UNFINISHED = "new-";

  private final PrivateDirectory place;
  private final Path path;

  private LauncherCache(PrivateDirectory place, Path path) {
    this.place = place;
    this.path = path;
  }

  /**
   * Opens or makes the cache of user {@code uid}; empty if there is no place that is private.
   *
   * @param opened a directory of that user; mostly the one that the cache is in, which then need
   *     not be looked at again
   */
  public static Optional<LauncherCache> open(long uid, PrivateDirectory opened) {
    return opened.path().equals(place(PARENT, uid)) ? in(opened, uid) : open(PARENT, uid);
  }

  static Optional<LauncherCache> open(Path parent, long uid) {
    Optional<PrivateDirectory> place = PrivateDirectory.in(parent, uid);
    return place.isPresent() ? in(place.get(), uid) : Optional.empty();
  }

  private static Optional<LauncherCache> in(PrivateDirectory place, long uid) {
    Path path = place.path().resolve(LookupProgram.DIRECTORY);
    return PrivateDirectory.makePrivate(path, uid)
        ? Optional.of(new LauncherCache(place, path))
        : Optional.empty();
  }

  /** The file that has, or will have, what is found by {@code key}. */
  public Path file(CacheEntry.Key key) {
    return path.resolve(key.fileName());
  }

  /**
   * Makes an empty file for a launcher that will be kept: its name has as many digits as that of
   * any other. The caller removes it.
   */
  public Path reserve() throws IOException {
    return place.reserve(CacheEntry.DIGITS);
  }

  /**
   * Keeps a launcher. One that is too large, or cannot be written, is not kept, and that is all.
   *
   * @param launcher the file that the image removes, from {@link #reserve}
   */
  public void store(CacheEntry.Key key, CacheConditions conditions, ElfImage image, Path launcher) {
    String name = String.valueOf(launcher.getFileName());
    String digits = name.substring(LookupProgram.LAUNCHER.length());
    byte[] entry = CacheEntry.encode(key, conditions, image, digits);
    if (entry.length > CacheEntry.MAX_SIZE) {
      return;
    }
    Path unfinished = path.resolve(UNFINISHED + digits);
    try {
      if (!unfinished.toFile().createNewFile()) {
        throw new FileAlreadyExistsException(unfinished.toString());
      }
      // A umask(2) can take permissions from the owner, too.
      Files.setPosixFilePermissions(unfinished, OWNER_FILE);
      SmallFiles.write(unfinished, entry);
      Files.move(unfinished, file(key), StandardCopyOption.ATOMIC_MOVE);
      removeOldest();
    } catch (IOException e) {
      // Keeping it only saves time.
      boolean removed = unfinished.toFile().delete();
      assert removed || !Files.exists(unfinished);
    }
  }

  /** Makes room, for which others may look at the same time. */
  private void removeOldest() {
    File[] files = path.toFile().listFiles();
    if (files == null || files.length <= MAX_ENTRIES) {
      return;
    }
    for (int left = files.length; left > MAX_ENTRIES; left--) {
      boolean removed = oldest(files).delete();
      if (!removed) {
        // Somebody else makes room, or nobody can.
        return;
      }
    }
    place.removeAbandoned();
  }

  /** One that is gone has no time. */
  private static File oldest(File[] files) {
    File oldest = files[0];
    long time = Long.MAX_VALUE;
    for (File file : files) {
      long changed = file.lastModified();
      if (changed != 0 && changed < time) {
        oldest = file;
        time = changed;
      }
    }
    return oldest;
  }

  /**
   * Removes all launchers that are kept for user {@code uid}, and whatever else is where they are,
   * without following a link.
   *
   * @throws IOException if something of it cannot be removed
   */
  public static void clear(long uid) throws IOException {
    clear(place(PARENT, uid), uid);
  }

  static void clear(Path place, long uid) throws IOException {
    if (!PrivateDirectory.isPrivate(place, uid)) {
      // Never used, so there is nothing of Cloister's in it.
      return;
    }
    try {
      remove(place.resolve(LookupProgram.DIRECTORY));
    } catch (DirectoryNotEmptyException | NoSuchFileException e) {
      // Another process keeps a launcher, or clears, at the same time.
    }
  }

  private static void remove(Path path) throws IOException {
    if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
      try (var files = Files.newDirectoryStream(path)) {
        for (Path file : files) {
          remove(file);
        }
      }
    }
    Files.deleteIfExists(path);
  }

  /** The directory that the cache of this user is in. */
  static Path place(Path parent, long uid) {
    return parent.resolve(PrivateDirectory.name(uid));
  }

  /**
   * Makes the directory that the cache of this user is in. Where it cannot be made, a command
   * cannot make it either.
   *
   * @throws IOException if something else is in its place, which its owner could make a directory
   */
  static void ensurePlace(Path place, long uid) throws IOException {
    try {
      PrivateDirectory.make(place);
      Files.setAttribute(place, "unix:uid", (int) uid, LinkOption.NOFOLLOW_LINKS);
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(place, LinkOption.NOFOLLOW_LINKS)) {
        throw new IOException(place + " is not a directory, but only a directory can be hidden", e);
      }
    } catch (AccessDeniedException e) {
      // Nobody makes it, then.
    } catch (FileSystemException e) {
      if (Files.isDirectory(place, LinkOption.NOFOLLOW_LINKS)) {
        throw e;
      }
    }
  }
}
