package dev.cloister.host;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import dev.cloister.spec.MountOperation.Source;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/** Looks at the files that are to be shown in a sandbox. */
public final class HostFiles {
  private HostFiles() {}

  /** A source that cannot be used; the message says why, in words that fit behind its path. */
  public static final class SourceException extends Exception {
    private static final long serialVersionUID = 1L;
    private final boolean missing;

    SourceException(String message, boolean missing) {
      super(message);
      this.missing = missing;
    }

    /** Whether there is no such file, which the {@code -try} options pass over. */
    public boolean isMissing() {
      return missing;
    }
  }

  /** Whether a procfs is mounted at {@code /proc}. */
  public static boolean hasProc() {
    return Files.exists(Path.of("/proc/self"));
  }

  /** Whether the kernel has namespaces of this kind. */
  public static boolean hasNamespace(Namespace namespace) {
    return Files.exists(Path.of("/proc/self/ns", namespace.word()), LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * Describes what {@code path} names, symbolic links followed.
   *
   * @param path relative to the working directory if it does not start with a slash
   */
  public static Source inspect(OsString path) throws SourceException {
    if (path.isEmpty()) {
      // For Java it is the working directory, for the kernel nothing (path_resolution(7)).
      throw new SourceException("an empty path", false);
    }
    Optional<Path> named = path.toPath();
    if (named.isEmpty()) {
      return inspectUnnameable(path);
    }
    Path absolute = named.get().toAbsolutePath();
    try {
      Path real = absolute.toRealPath();
      boolean direct = real.equals(absolute);
      return new Source(OsString.of(absolute), Files.isDirectory(real), direct);
    } catch (NoSuchFileException e) {
      throw missing();
    } catch (AccessDeniedException e) {
      throw unsearchable();
    } catch (FileSystemException e) {
      throw new SourceException(String.valueOf(e.getReason()), false);
    } catch (IOException e) {
      throw new SourceException(String.valueOf(e.getMessage()), false);
    }
  }

  /**
   * The same for a name that Java cannot express in its locale, by system calls of our own: they
   * are slow to link, so for these alone. The path is the real one, whose meaning nothing here
   * changes.
   */
  private static Source inspectUnnameable(OsString path) throws SourceException {
    try (Descriptor file = Descriptor.open(path.bytes(), LinuxConstant.O_PATH)) {
      boolean directory = Files.isDirectory(Path.of("/proc/self/fd/" + file.number()));
      return new Source(OsString.ofBytes(file.path()), directory, true);
    } catch (LinuxException e) {
      if (e.is(Errno.ENOENT)) {
        throw missing();
      }
      if (e.is(Errno.EACCES)) {
        throw unsearchable();
      }
      throw new SourceException(e.errno().map(Errno::text).orElseGet(e::toString), false);
    }
  }

  private static SourceException missing() {
    return new SourceException("no such file or directory on this host", true);
  }

  private static SourceException unsearchable() {
    return new SourceException("a directory on the way to it may not be searched", false);
  }
}
