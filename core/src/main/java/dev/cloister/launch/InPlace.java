package dev.cloister.launch;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.MemoryFile;
import dev.cloister.ffm.ProcessImage;
import dev.cloister.ffm.ResourceLimit;
import dev.cloister.ffm.SignalSet;
import dev.cloister.ffm.Signals;
import dev.cloister.host.KernelFile;
import dev.cloister.machine.ElfImage;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Replaces this JVM with a launcher: same process, same terminal, same parent.
 *
 * <p>The JVM changed what a command inherits: it raised the soft limit of open files, and took some
 * ignored signals for itself. What can be known of that is undone; the {@code ./cloister} script is
 * exact, because there the JVM only compiles.
 */
public final class InPlace {
  private static final Path STATUS = Path.of("/proc/self/status");

  private InPlace() {}

  /**
   * Executes {@code image}; comes back only if that fails.
   *
   * @param file a reserved file of {@code directory}, used if the host refuses to execute memory
   *     files (sysctl vm.memfd_noexec); the image removes it
   * @return why it cannot be executed
   * @throws IOException if what a command inherits cannot be restored, or nothing can be written
   */
  public static LinuxException execute(
      ElfImage image,
      List<OsString> arguments,
      List<OsString> environment,
      PrivateDirectory directory,
      Path file)
      throws IOException {
    restoreInherited();
    List<byte[]> argumentBytes = arguments.stream().map(OsString::bytes).toList();
    List<byte[]> environmentBytes = environment.stream().map(OsString::bytes).toList();
    try (Descriptor memory = MemoryFile.executable("cloister", image.bytes())) {
      ProcessImage.replace(memory, argumentBytes, environmentBytes);
    } catch (LinuxException e) {
      if (!e.is(Errno.EACCES) && !e.is(Errno.EPERM) && !e.is(Errno.ENOSYS)) {
        Files.deleteIfExists(file);
        return e;
      }
    }
    directory.write(file, image);
    return executeFile(file, argumentBytes, environmentBytes);
  }

  private static LinuxException executeFile(
      Path file, List<byte[]> arguments, List<byte[]> environment) throws IOException {
    try {
      ProcessImage.replace(OsString.of(file).bytes(), arguments, environment);
      throw new AssertionError("execve returned without an error");
    } catch (LinuxException e) {
      Files.deleteIfExists(file);
      return e;
    }
  }

  private static void restoreInherited() throws IOException {
    // The launcher thread of java(1) waits with the mask it was started with.
    long mask = Long.parseUnsignedLong(KernelFile.field(STATUS, "SigBlk:"), 16);
    Signals.setMask(new SignalSet(mask));
    ResourceLimit now = ResourceLimit.of(LinuxConstant.RLIMIT_NOFILE);
    String parent = KernelFile.field(STATUS, "PPid:");
    try {
      String soft = KernelFile.field(Path.of("/proc", parent, "limits"), "Max open files");
      new ResourceLimit(Math.min(Long.parseLong(soft), now.hard()), now.hard())
          .apply(LinuxConstant.RLIMIT_NOFILE);
    } catch (IOException | NumberFormatException e) {
      // The parent is another user's, or unlimited: then this process's own limit is as good.
    }
  }
}
