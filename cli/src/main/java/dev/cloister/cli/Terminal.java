package dev.cloister.cli;

import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the caller may look at. */
final class Terminal {
  static final int OUTPUT = 1;
  static final int ERROR = 2;

  /** What fits everywhere. */
  private static final int USUAL_WIDTH = 80;

  private static final int SMALLEST_WIDTH = 40;
  private static final int LARGEST_WIDTH = 200;

  private Terminal() {}

  /** Whether this descriptor is one. Java's own console looks at standard input too. */
  static boolean is(int descriptor) {
    try {
      Path link = Path.of("/proc/self/fd", Integer.toString(descriptor));
      String file = Files.readSymbolicLink(link).toString();
      return file.startsWith("/dev/pts/") || file.startsWith("/dev/tty");
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * In columns. A terminal's width is known to those who ask it by ioctl(2), or whom a shell has
   * told.
   */
  static int width(Invocation invocation) {
    String columns = invocation.variable("COLUMNS").map(OsString::toString).orElse("");
    try {
      return Math.clamp(Integer.parseInt(columns), SMALLEST_WIDTH, LARGEST_WIDTH);
    } catch (NumberFormatException e) {
      return USUAL_WIDTH;
    }
  }
}
