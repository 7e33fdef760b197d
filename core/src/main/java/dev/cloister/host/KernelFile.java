package dev.cloister.host;

import dev.cloister.spec.OsString;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.StringTokenizer;

/** Files that the kernel writes at the moment they are read. */
public final class KernelFile {
  private static final int PAGE = 4096;

  private KernelFile() {}

  /**
   * The text, a character for each byte, or nothing if it cannot be read. A number in {@code
   * /proc/sys} is given to the first read(2) alone, so that must ask for all of it; {@code
   * Files.readString} asks for one byte, as the size of such a file is 0, and takes 10000 for 1.
   */
  public static Optional<String> read(Path file) {
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

  /**
   * The first word behind {@code name} at the start of a line, as of a process's status
   * (proc_pid_status(5)).
   *
   * @throws IOException if the file cannot be read or has no such line
   */
  public static String field(Path file, String name) throws IOException {
    for (String line : SmallFiles.lines(file, StandardCharsets.ISO_8859_1)) {
      if (line.startsWith(name)) {
        // Not by a regular expression: every start of the command line comes here.
        StringTokenizer words = new StringTokenizer(line.substring(name.length()));
        return words.hasMoreTokens() ? words.nextToken() : "";
      }
    }
    throw new IOException(file + " has no " + name);
  }

  /** The bytes that a part of such a text was: each became one character. */
  public static OsString bytes(String text) {
    return OsString.ofBytes(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** The same, where blanks and their like stand as octal numbers, as in the mount table. */
  public static OsString unescape(String text) {
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) == '\\' && i + 3 < text.length()) {
        plain.append((char) Integer.parseInt(text.substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        plain.append(text.charAt(i));
      }
    }
    return bytes(plain.toString());
  }
}
