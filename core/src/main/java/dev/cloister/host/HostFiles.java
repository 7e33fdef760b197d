package dev.cloister.host;

import dev.cloister.spec.MountOperation.Source;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

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
    Path named =
        path.toPath()
            .orElseThrow(
                () ->
                    new SourceException("is not valid in this locale (try LC_ALL=C.UTF-8)", false));
    Path absolute = named.toAbsolutePath();
    try {
      Path real = absolute.toRealPath();
      boolean direct = real.equals(absolute);
      return new Source(OsString.of(absolute), Files.isDirectory(real), direct);
    } catch (NoSuchFileException e) {
      throw new SourceException("no such file or directory on this host", true);
    } catch (AccessDeniedException e) {
      throw new SourceException("a directory on the way to it may not be searched", false);
    } catch (FileSystemException e) {
      throw new SourceException(String.valueOf(e.getReason()), false);
    } catch (IOException e) {
      throw new SourceException(String.valueOf(e.getMessage()), false);
    }
  }
}
