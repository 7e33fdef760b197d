package dev.cloister.cli;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.LinuxException;
import dev.cloister.host.KernelFile;
import dev.cloister.spec.OsString;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;

/** Reads what a caller hands over by the number of a descriptor. */
final class ArgumentsDescriptor {
  /** More than execve(2) takes, and no more than a starting JVM can hold. */
  private static final int MAX_SIZE = 16 << 20;

  private ArgumentsDescriptor() {}

  /** From where the caller left off, to the end. */
  static byte[] read(OsString descriptor, Invocation invocation) throws CliException {
    int number = number(descriptor);
    try {
      if (!invocation.inherited(number)) {
        throw refused(descriptor, "not an open descriptor", "Bad file descriptor");
      }
      byte[] content = content(number);
      if (content.length > MAX_SIZE) {
        throw refused(descriptor, "more than 16 MiB", "File too large");
      }
      return content;
    } catch (IOException e) {
      throw refused(
          descriptor, "cannot be read: " + e.getMessage(), String.valueOf(e.getMessage()));
    }
  }

  private static CliException refused(OsString descriptor, String why, String bubblewraps) {
    return new CliException(
        "--args %s: %s".formatted(Messages.value(descriptor), why),
        "Can't read --args data: " + bubblewraps);
  }

  private static int number(OsString descriptor) throws CliException {
    String text = descriptor.toString();
    int number = 0;
    for (int i = 0; i < text.length(); i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9 || number > (Integer.MAX_VALUE - digit) / 10) {
        throw notANumber(descriptor);
      }
      number = 10 * number + digit;
    }
    if (text.isEmpty()) {
      throw notANumber(descriptor);
    }
    return number;
  }

  private static CliException notANumber(OsString descriptor) {
    return new CliException(
        "--args %s: not the number of a descriptor".formatted(Messages.value(descriptor)),
        "Invalid fd: " + descriptor);
  }

  /**
   * Opened anew by its name in /proc, which takes a starting JVM much less time than a system call
   * of its own does. What has no such name, a socket or a file that is not the user's to open, is
   * read by that.
   */
  private static byte[] content(int number) throws IOException {
    Path information = Path.of("/proc/self/fdinfo", Integer.toString(number));
    try (InputStream in = new FileInputStream("/proc/self/fd/" + number)) {
      in.skipNBytes(Long.parseLong(KernelFile.field(information, "pos:")));
      return in.readNBytes(MAX_SIZE + 1);
    } catch (IOException e) {
      return readItself(number);
    }
  }

  private static byte[] readItself(int number) throws LinuxException {
    // The script's descriptor, not this process's to close.
    @SuppressWarnings("resource")
    Descriptor descriptor = Descriptor.owning(number);
    byte[] buffer = new byte[MAX_SIZE + 1];
    int size = 0;
    while (size < buffer.length) {
      byte[] chunk = new byte[Math.min(buffer.length - size, 1 << 16)];
      int count = descriptor.read(chunk);
      if (count < 0) {
        break;
      }
      System.arraycopy(chunk, 0, buffer, size, count);
      size += count;
    }
    return Arrays.copyOf(buffer, size);
  }
}
