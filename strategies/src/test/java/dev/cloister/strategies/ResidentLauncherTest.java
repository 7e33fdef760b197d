package dev.cloister.strategies;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Launchers in this JVM's memory, which is nobody else's. */
@Timeout(120)
class ResidentLauncherTest {
  /**
   * Tries to look at the memory, the files and the root of whatever process is new, which is all
   * the same as those of the JVM while a launcher is in its memory. Says what succeeded, and how
   * many processes there were.
   */
  private static final String ATTACK =
      """
      import os, sys, time
      me = os.getpid()
      seen = set()
      print("ready", flush=True)
      end = time.time() + 2
      while time.time() < end:
          with open("/proc/loadavg") as f:
              last = int(f.read().split()[-1])
          for pid in [*range(last - 2, last + 3), %d]:
              if pid == me:
                  continue
              for name, flags in (("environ", 0), ("mem", 2), ("maps", 0)):
                  try:
                      os.close(os.open(f"/proc/{pid}/{name}", flags))
                      os.listdir(f"/proc/{pid}/root")
                      print("reached", name)
                      sys.exit(1)
                  except PermissionError:
                      seen.add(pid)
                  except OSError:
                      pass
      print(len(seen))
      """;

  private static List<String> self() throws IOException {
    List<String> all = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("/proc/thread-self/status"))) {
      if (line.matches("(Umask|Uid|Gid|Groups|Sig...|Shd...|Cap...|NoNewPrivs|Seccomp):.*")) {
        all.add(line);
      }
    }
    for (String link : List.of("cwd", "root", "ns/user", "ns/mnt", "ns/net", "ns/ipc", "ns/uts")) {
      all.add(Files.readSymbolicLink(Path.of("/proc/self", link)).toString());
    }
    all.addAll(Files.readAllLines(Path.of("/proc/self/limits")));
    all.addAll(Files.readAllLines(Path.of("/proc/self/mountinfo")));
    // Its owner is root where the memory may not be looked at (prctl(2), PR_SET_DUMPABLE).
    all.add(Files.getOwner(Path.of("/proc/self/environ")).getName());
    return all;
  }

  @ParameterizedTest
  @EnumSource(SandboxKind.class)
  void theJvmStaysWhatItIs(SandboxKind kind) throws Exception {
    List<String> before = self();
    try (Sandbox sandbox = kind.builder().build()) {
      assertEquals(0, sandbox.command("/bin/true").start().waitFor());
      sandbox.prewarm(1);
      assertEquals(0, sandbox.command("/bin/true").start().waitFor());
    }
    assertEquals(before, self());
  }

  @Test
  void whoIsInNoSandboxReachesIt() throws Exception {
    Process attack =
        new ProcessBuilder(Required.program("python3"), "-c", attack())
            .redirectErrorStream(true)
            .start();
    String said = new String(attack.getInputStream().readAllBytes(), UTF_8);
    assertEquals(1, attack.waitFor(), said);
    assertTrue(said.contains("reached environ"), said);
  }

  private static String attack() {
    return ATTACK.formatted(ProcessHandle.current().pid());
  }

  @ParameterizedTest
  @MethodSource("dev.cloister.strategies.SandboxKind#waitingAsNamespaces")
  void nobodyReachesTheJvmThroughALauncher(SandboxKind kind) throws Exception {
    Sandbox sandbox = kind.sandbox();
    SandboxProcess attack =
        sandbox
            .command(Required.program("python3"), "-c", attack())
            .redirectErrorStream(true)
            .start();
    int starts = 0;
    while (attack.isAlive()) {
      assertEquals(0, sandbox.command("/bin/true").start().waitFor());
      starts++;
    }
    assertTrue(attack.waitFor(10, TimeUnit.SECONDS));
    List<String> said = new String(attack.getInputStream().readAllBytes(), UTF_8).lines().toList();
    assertEquals(0, attack.exitValue(), said.toString());
    // It has met this JVM, and some of the launchers.
    assertTrue(Integer.parseInt(said.getLast()) > 1, said + ", " + starts);
    assertNotEquals(0, starts);
  }
}
