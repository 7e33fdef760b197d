package dev.cloister.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a subcommand was asked to print, on standard output. */
final class Output {
  private Output() {}

  /** Prints {@code text} in UTF-8, whatever the locale. */
  static void print(String text) throws CliException {
    try {
      new FileOutputStream(FileDescriptor.out).write(text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new CliException("cannot write to standard output: " + e.getMessage());
    }
  }

  /** Whether standard output is a terminal. Java's own console looks at standard input too. */
  static boolean isTerminal() {
    try {
      String file = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
      return file.startsWith("/dev/pts/") || file.startsWith("/dev/tty");
    } catch (IOException e) {
      return false;
    }
  }
}
