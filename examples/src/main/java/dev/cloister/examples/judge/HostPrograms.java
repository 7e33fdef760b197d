package dev.cloister.examples.judge;

import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Sandboxes that show what the host's programs need, and nothing else of the host's: less than the
 * preset {@code host}, whose {@code /etc} and {@code /sys} no contestant has to read.
 */
final class HostPrograms {
  /** Without symbolic links, which would lead nowhere in a sandbox. */
  static final Path JDK = realPath(Path.of(System.getProperty("java.home")));

  private static final long NOBODY = 65534;

  private HostPrograms() {}

  private static Path realPath(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * A sandbox for what nobody trusts: no network, no other processes, no way to gain rights, and
   * all of it ends with the command, or with this program. To run as nobody matters where root
   * judges: files that only root may read are shown to root in a sandbox, too.
   */
  static SandboxBuilder sandbox() throws IOException {
    SandboxBuilder sandbox =
        Sandbox.builder()
            .unshareAll()
            .uid(NOBODY)
            .gid(NOBODY)
            .newSession()
            .dieWithParent()
            .seccomp()
            .rlimit("core", 0)
            .rlimit("nofile", 256)
            .clearEnv()
            .setEnv("PATH", "/usr/bin:/bin")
            .setEnv("LANG", "C.UTF-8");
    return withPrograms(sandbox);
  }

  private static SandboxBuilder withPrograms(SandboxBuilder sandbox) throws IOException {
    sandbox.roBind(Path.of("/usr"));
    for (String name : List.of("bin", "lib", "lib64", "nix")) {
      Path path = Path.of("/", name);
      if (Files.isSymbolicLink(path)) {
        sandbox.symlink(Files.readSymbolicLink(path).toString(), path);
      } else if (Files.exists(path)) {
        sandbox.roBind(path);
      }
    }
    // Not /dev itself: its /dev/shm is memory that no limit counts.
    for (String device : List.of("null", "random", "urandom")) {
      sandbox.devBind(Path.of("/dev", device));
    }
    return sandbox;
  }

  /** Adds the JDK, wherever it is. A JVM looks at its own memory in {@code /proc}. */
  static SandboxBuilder withJava(SandboxBuilder sandbox) {
    sandbox.proc(Path.of("/proc")).roBind(JDK);
    // Where distributions keep the settings that a JDK's own directory has links to.
    try (DirectoryStream<Path> settings = Files.newDirectoryStream(Path.of("/etc"), "java*")) {
      settings.forEach(sandbox::roBind);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return sandbox;
  }
}
