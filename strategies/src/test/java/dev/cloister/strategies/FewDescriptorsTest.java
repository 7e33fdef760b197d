package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxException;
import dev.cloister.sandbox.SandboxProcess;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The first starts of a JVM that has hardly any descriptor left: what is made once for all of them
 * cannot be made then, and must be later.
 */
@Timeout(120)
class FewDescriptorsTest {
  /** Of a JVM: so few that it is quick to use them all up. */
  private static final int LIMIT = 256;

  private static final String LIMITED = "ulimit -n " + LIMIT + " && exec \"$@\"";

  /** Long past what takes a second: whoever is not done then hangs. */
  private static final long PATIENCE_SECONDS = 60;

  @TempDir private Path directory;

  /** What is tried with few descriptors. */
  enum Attempt {
    START {
      @Override
      void run(Sandbox sandbox) throws Exception {
        SandboxProcess process = sandbox.command("/bin/true").start();
        process.getInputStream().close();
        assertEquals(0, process.waitFor());
      }
    },
    PREWARM {
      @Override
      void run(Sandbox sandbox) throws Exception {
        sandbox.prewarm(1);
        sandbox.prewarm(0);
      }
    };

    abstract void run(Sandbox sandbox) throws Exception;
  }

  /** Tries it with more and more descriptors, until it succeeds. Says how often it did not. */
  static final class Starved {
    private Starved() {}

    static void main(String... arguments) throws Exception {
      Attempt attempt = Attempt.valueOf(arguments[1]);
      Sandbox sandbox = SandboxKind.valueOf(arguments[0]).builder().build();
      loadClasses();
      List<String> before = ofProcesses();
      int refused = 0;
      while (!succeedsWith(refused, sandbox, attempt)) {
        HostProcess.await("nothing runs", () -> HostProcess.children().isEmpty());
        refused++;
      }
      attempt.run(sandbox);
      assertTrue(sockets() <= 2, "more than are in use at the same time");
      awaitWithoutAny(sandbox);
      sandbox.close();
      HostProcess.await("nothing is left", () -> HostProcess.children().isEmpty());
      HostProcess.await("nothing is left open", () -> before.containsAll(ofProcesses()));
      System.out.println(refused);
    }

    private static boolean succeedsWith(int free, Sandbox sandbox, Attempt attempt)
        throws Exception {
      Deque<FileInputStream> others = useUp();
      try {
        for (int i = 0; i < free; i++) {
          others.remove().close();
        }
        attempt.run(sandbox);
        return true;
      } catch (SandboxException e) {
        return false;
      } finally {
        for (FileInputStream each : others) {
          each.close();
        }
      }
    }

    /** It still runs when it is waited for, unless this program is slow. */
    private static void awaitWithoutAny(Sandbox sandbox) throws Exception {
      SandboxProcess process = sandbox.command("/bin/sleep", "0.2").start();
      Deque<FileInputStream> others = useUp();
      assertEquals(0, process.waitFor());
      for (FileInputStream each : others) {
        each.close();
      }
    }

    private static Deque<FileInputStream> useUp() {
      Deque<FileInputStream> others = new ArrayDeque<>();
      while (true) {
        try {
          others.add(new FileInputStream("/dev/null"));
        } catch (IOException e) {
          return others;
        }
      }
    }

    /** Descriptors for a process, which nobody keeps for the next. */
    private static List<String> ofProcesses() throws IOException {
      return HostProcess.descriptors().stream()
          .filter(each -> each.contains("pidfd") || each.contains("pipe:"))
          .toList();
    }

    private static int sockets() throws IOException {
      return (int)
          HostProcess.descriptors().stream().filter(each -> each.contains("socket:")).count();
    }

    /** From directories, as opposed to archives, none could be loaded with no descriptor left. */
    private static void loadClasses() throws Exception {
      for (String entry : System.getProperty("java.class.path").split(":", -1)) {
        Path directory = Path.of(entry);
        if (Files.isDirectory(directory.resolve("dev/cloister"))) {
          loadClasses(directory);
        }
      }
    }

    private static void loadClasses(Path directory) throws Exception {
      List<Path> files;
      try (Stream<Path> tree = Files.walk(directory)) {
        files = tree.filter(file -> file.toString().endsWith(".class")).toList();
      }
      ClassLoader loader = Starved.class.getClassLoader();
      for (Path file : files) {
        String name = directory.relativize(file).toString().replace('/', '.');
        if (name.startsWith("dev.")) {
          Class.forName(name.substring(0, name.length() - ".class".length()), false, loader);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = SandboxKind.class,
      names = {"PIVOT_ROOT", "PIVOT_ROOT_WITH_INIT"})
  void aStartThatFailsDoesNoHarm(SandboxKind kind) throws Exception {
    failsAtFirst(kind, Attempt.START);
  }

  @ParameterizedTest
  @EnumSource(
      value = SandboxKind.class,
      names = {"PIVOT_ROOT", "PIVOT_ROOT_WITH_INIT"})
  void norDoesOneInAdvance(SandboxKind kind) throws Exception {
    failsAtFirst(kind, Attempt.PREWARM);
  }

  private void failsAtFirst(SandboxKind kind, Attempt attempt) throws Exception {
    List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", LIMITED, "sh"));
    command.addAll(OtherJvm.command(Starved.class, kind.name(), attempt.name()));
    Path report = directory.resolve("report");
    Process starved =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(report.toFile())
            .start();
    boolean ended = starved.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
    starved.destroyForcibly();
    String said = Files.readString(report);
    assertTrue(ended, said);
    assertEquals(0, starved.exitValue(), said);
    assertTrue(Integer.parseInt(said.strip()) > 0, said);
  }
}
