package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.F_ADD_SEALS;
import static dev.cloister.ffm.LinuxConstant.F_SEAL_GROW;
import static dev.cloister.ffm.LinuxConstant.F_SEAL_SEAL;
import static dev.cloister.ffm.LinuxConstant.F_SEAL_SHRINK;
import static dev.cloister.ffm.LinuxConstant.F_SEAL_WRITE;
import static dev.cloister.ffm.LinuxConstant.MFD_ALLOW_SEALING;
import static dev.cloister.ffm.LinuxConstant.MFD_CLOEXEC;
import static dev.cloister.ffm.LinuxConstant.MFD_EXEC;

import java.nio.charset.StandardCharsets;

/** Files that live in memory only. */
public final class MemoryFile {
  private MemoryFile() {}

  /**
   * Makes a file that can be executed and that nobody can change any more: memfd_create(2), with
   * all seals.
   *
   * @param name shown in {@code /proc/self/fd} only; at most 249 bytes
   * @return the file, closed on exec, which the caller owns
   */
  public static Descriptor executable(String name, byte[] content) throws LinuxException {
    Descriptor file = create(name.getBytes(StandardCharsets.UTF_8));
    try {
      file.write(content);
      new KernelCall(SystemCall.FCNTL)
          .number(file.number())
          .flags(F_ADD_SEALS)
          .flags(F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE)
          .run();
      return file;
    } catch (LinuxException | RuntimeException e) {
      try (file) {
        throw e;
      }
    }
  }

  private static Descriptor create(byte[] name) throws LinuxException {
    try {
      return memfdCreate(name, MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_EXEC);
    } catch (LinuxException e) {
      if (!e.is(Errno.EINVAL)) {
        throw e;
      }
      // Linux before 6.3 does not know MFD_EXEC; every memory file is executable there.
      return memfdCreate(name, MFD_CLOEXEC, MFD_ALLOW_SEALING);
    }
  }

  private static Descriptor memfdCreate(byte[] name, LinuxConstant... flags) throws LinuxException {
    return Descriptor.owning(new KernelCall(SystemCall.MEMFD_CREATE).text(name).flags(flags));
  }
}
