package dev.cloister.host;

import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/** Files that the kernel writes at the moment they are read. */
final class KernelFile {
  private static final int PAGE = 4096;

  private KernelFile() {}

  /**
   * The text, or nothing if it cannot be read. A number in {@code /proc/sys} is given to the first
   * read(2) alone, so that must ask for all of it; {@code Files.readString} asks for one byte, as
   * the size of such a file is 0, and takes 10000 for 1.
   */
  static Optional<String> read(Path file) {
    try (InputStream in = new FileInputStream(file.toFile())) {
      ByteArrayOutputStream text = new ByteArrayOutputStream();
      byte[] buffer = new byte[PAGE];
      for (int length = in.read(buffer); length > 0; length = in.read(buffer)) {
        text.write(buffer, 0, length);
      }
      return Optional.of(text.toString(StandardCharsets.ISO_8859_1).strip());
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
