package dev.cloister.cli;

import dev.cloister.machine.Speaker;
import dev.cloister.spec.OsString;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** What Cloister itself says, on standard error, with its name in front. */
final class Messages {
  private Messages() {}

  /** A value of an option, for a message: an empty one must be seen, too. */
  static String value(OsString value) {
    return value.isEmpty() ? "''" : value.toString();
  }

  /** One write per message, in UTF-8 whatever the locale: a path is shown as its bytes are. */
  static void print(String message) {
    print(Speaker.CLOISTER, message);
  }

  /** The same in the name of another. */
  static void print(Speaker speaker, String message) {
    write(speaker.prefix() + message + "\n");
  }

  /** The same for what is no message, but drawn on a terminal. */
  static void write(String text) {
    try {
      new FileOutputStream(FileDescriptor.err).write(text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // Standard error is closed: there is nobody to tell.
    }
  }
}
