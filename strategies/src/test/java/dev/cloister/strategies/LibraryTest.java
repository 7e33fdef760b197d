package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.fixture.Required;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxProcess;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

/** The library on hosts that lack something, each in another JVM. */
class LibraryTest {
  static final class Some {
    static void main() throws Exception {
      try (Sandbox sandbox = Sandbox.builder().preset("host").build()) {
        run(sandbox, 0);
        run(sandbox, 42);
        sandbox.prewarm(1);
        run(sandbox, 43);
      }
      try (Sandbox sandbox = Sandbox.builder().preset("host").unsharePid().build()) {
        run(sandbox, 44);
      }
    }

    private static void run(Sandbox sandbox, int status) throws Exception {
      SandboxProcess process =
          sandbox.command("/bin/sh", "-c", "ls /proc/self/fd; exit " + status).start();
      byte[] output = process.getInputStream().readAllBytes();
      System.out.print(new String(output, StandardCharsets.UTF_8));
      System.out.println(process.await().status());
    }
  }

  private static void check(List<String> host) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Some.class.getName()));
    Run.Ended ended = new Run(command).through(host).end().good();
    List<String> expected = new ArrayList<>();
    for (int status : new int[] {0, 42, 43, 44}) {
      expected.addAll(List.of("0", "1", "2", "3", "Exited[code=" + status + "]"));
    }
    assertEquals(expected, ended.lines());
  }

  @Test
  void worksOnThisHost() throws Exception {
    check(List.of());
  }

  @Test
  void worksWhereNoMemoryFileMayBeExecuted() throws Exception {
    Required.that(User.isRoot(), "to be root, to set a sysctl");
    check(MemoryFiles.FORBIDDEN);
  }

  @Test
  void worksOnOlderKernels() throws Exception {
    check(
        OlderKernel.without(
            OlderKernel.ENOSYS,
            OlderKernel.OPEN_TREE,
            OlderKernel.MOVE_MOUNT,
            OlderKernel.PIDFD_OPEN,
            OlderKernel.CLOSE_RANGE,
            OlderKernel.OPENAT2,
            OlderKernel.MOUNT_SETATTR));
  }

  /**
   * Two lists say which strategies there are, as a module's descriptor can refer to no constant.
   */
  @Test
  void findsTheStrategiesInTheirOrder() {
    List<String> found = new ArrayList<>();
    for (var strategy : ServiceLoader.load(dev.cloister.strategy.IsolationStrategy.class)) {
      found.add(strategy.name());
    }
    assertEquals(Strategies.names(), String.join(", ", found));
  }
}
