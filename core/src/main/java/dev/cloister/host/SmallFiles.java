package dev.cloister.host;

import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads and writes whole files as {@link Files} does, but not through a channel: the first one has
 * a JVM set up its libraries for the network, which takes a twentieth of a start.
 */
public final class SmallFiles {
  private SmallFiles() {}

  /**
   * All bytes of a file.
   *
   * @throws NoSuchFileException if there is none
   */
  public static byte[] read(Path file) throws IOException {
    try (InputStream in = new FileInputStream(file.toFile())) {
      return in.readAllBytes();
    } catch (FileNotFoundException e) {
      // That is also what it says of a file that is there and may not be read.
      if (Files.notExists(file)) {
        throw new NoSuchFileException(file.toString());
      }
      throw e;
    }
  }

  /**
   * The lines of a file, without their ends.
   *
   * @throws NoSuchFileException if there is none
   */
  public static List<String> lines(Path file, Charset charset) throws IOException {
    String text = new String(read(file), charset);
    List<String> lines = new ArrayList<>();
    int start = 0;
    for (int end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      lines.add(text.substring(start, end));
      start = end + 1;
    }
    if (start < text.length()) {
      lines.add(text.substring(start));
    }
    return lines;
  }

  /** Replaces what is in a file. */
  public static void write(Path file, byte[] bytes) throws IOException {
    try (OutputStream out = new FileOutputStream(file.toFile())) {
      out.write(bytes);
    }
  }
}
