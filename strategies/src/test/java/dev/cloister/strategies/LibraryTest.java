package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.ffm.ChildProcess;
import dev.cloister.host.Caller;
import dev.cloister.host.Preset;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.spec.SandboxSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The library on hosts that lack something, each in another JVM. */
class LibraryTest {
  static final class TwoSandboxes {
    static void main() throws Exception {
      boolean isRoot = Caller.current().uid() == 0;
      SandboxSpec spec = SandboxSpec.builder().mounts(Preset.HOST.mounts(isRoot)).build();
      try (Sandbox sandbox = Sandbox.compile(spec, Strategies.ALL)) {
        for (int status : new int[] {0, 42}) {
          try (ChildProcess process =
              sandbox.start("/bin/sh", "-c", "ls /proc/self/fd; exit " + status)) {
            System.out.println(process.waitFor());
          }
        }
      }
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
                TwoSandboxes.class.getName()));
    Run.Ended ended = new Run(command).through(host).end().good();
    List<String> descriptors = List.of("0", "1", "2", "3");
    List<String> expected = new ArrayList<>(descriptors);
    expected.add("Exited[code=0]");
    expected.addAll(descriptors);
    expected.add("Exited[code=42]");
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
}
