package dev.cloister.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

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
}
