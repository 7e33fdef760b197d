package dev.cloister.cli;

import dev.cloister.host.KernelFile;
import dev.cloister.spec.OsString;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;

/** Reads what a caller hands over by the number of a descriptor. */
final class ArgumentsDescriptor {
  /** More than execve(2) takes, and no more than a starting JVM can hold. */
  private static final int MAX_SIZE = 16 << 20;

  private ArgumentsDescriptor() {}

  /** From where the caller left off, to the end. */
  static byte[] read(OsString descriptor, Invocation invocation) throws CliException {
    int number = DescriptorOptions.number(RunOption.ARGS, descriptor);
    try {
      Optional<String> reason = invocation.unreadable(number);
      if (reason.isPresent()) {
        throw refused(descriptor, reason.get(), "Bad file descriptor");
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
      return DescriptorOptions.content(number, MAX_SIZE + 1);
    }
  }
}
