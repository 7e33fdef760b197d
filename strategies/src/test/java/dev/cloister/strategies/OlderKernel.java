package dev.cloister.strategies;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/** Hides system calls from a command, by a seccomp filter. */
final class OlderKernel {
  /** The numbers are the same on every architecture: all are newer than the common table. */
  static final int OPEN_TREE = 428;

  static final int MOVE_MOUNT = 429;
  static final int PIDFD_OPEN = 434;
  static final int CLONE3 = 435;
  static final int CLOSE_RANGE = 436;
  static final int OPENAT2 = 437;
  static final int MOUNT_SETATTR = 442;

  /** As a kernel that does not know a call. */
  static final int ENOSYS = 38;

  /** As container runtimes' older filters. */
  static final int EPERM = 1;

  /** {@code hide ERRNO COMMAND CALL...}: for each call, compare its number and return the errno. */
  private static final String SOURCE =
      """
      #include <err.h>
      #include <linux/filter.h>
      #include <linux/seccomp.h>
      #include <stdlib.h>
      #include <sys/prctl.h>
      #include <unistd.h>

      int main(int argc, char **argv) {
        static struct sock_filter code[64] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
        unsigned short length = 1;
        int next = 2;
        for (; argv[next][0] != '-'; next++) {
          struct sock_filter compare =
              BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)atoi(argv[next]), 0, 1);
          struct sock_filter refuse =
              BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)atoi(argv[1]));
          code[length++] = compare;
          code[length++] = refuse;
        }
        struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        code[length++] = allow;
        struct sock_fprog program = {.len = length, .filter = code};
        if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
          err(2, "no_new_privs");
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
          err(2, "seccomp");
        execv(argv[next + 1], argv + next + 1);
        err(2, "%s", argv[next + 1]);
      }
      """;

  /** Compiled once, for all tests. */
  private static final Path PROGRAM = compile();

  private OlderKernel() {}

  /** Words to put before a command, which must be an absolute path. */
  static List<String> without(int errno, int... calls) {
    List<String> words = new ArrayList<>(List.of(PROGRAM.toString(), Integer.toString(errno)));
    for (int call : calls) {
      words.add(Integer.toString(call));
    }
    words.add("--");
    return words;
  }

  private static Path compile() {
    try {
      Path directory = Files.createTempDirectory("cloister-kernel");
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
      Path source = Files.writeString(directory.resolve("hide.c"), SOURCE);
      Path program = directory.resolve("hide");
      new Run(List.of(Required.program("gcc"), "-o", program.toString(), source.toString()))
          .end()
          .good();
      for (Path file : List.of(directory, source, program)) {
        file.toFile().deleteOnExit();
      }
      return program;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
