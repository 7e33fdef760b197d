package dev.cloister.launch;

import dev.cloister.machine.ElfImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** A launcher that somebody keeps. */
public final class LauncherFile {
  private static final Set<PosixFilePermission> MODE = PosixFilePermissions.fromString("rwxr-xr-x");

  private LauncherFile() {}

  /**
   * Writes a file that everyone may execute and its owner may change, as a whole or not at all;
   * whoever executes an earlier one at that moment goes on with that. A symbolic link is replaced,
   * not followed.
   *
   * @throws IOException if that cannot be done, or would take the place of something else than a
   *     file, such as a device; nothing is left behind
   */
  public static void write(Path file, ElfImage image) throws IOException {
    requireReplaceable(file);
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null || !Files.isDirectory(directory)) {
      throw new NotDirectoryException(String.valueOf(directory));
    }
    Path written = Files.createTempFile(directory, ".cloister-", "");
    try {
      Files.write(written, image.bytes());
      Files.setPosixFilePermissions(written, MODE);
      Files.move(
          written, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      Files.deleteIfExists(written);
      throw e;
    }
  }

  /** For root, the new file would be a new {@code /dev/null} or {@code /dev/stdout} for all. */
  private static void requireReplaceable(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IOException("is a directory");
    }
    boolean isOther = Files.exists(file) && !Files.isRegularFile(file);
    boolean leadsToDescriptor =
        Files.isSymbolicLink(file) && Files.readSymbolicLink(file).startsWith("/proc");
    if (isOther || leadsToDescriptor) {
      throw new IOException("is not a regular file, which a launcher could replace");
    }
  }
}
