package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxBuilder;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What becomes of commands, and of sandboxes that wait for one, when the JVM is killed. */
@Timeout(120)
class ProcessLifetimeTest {
  private static final String DIES = "dies";
  private static final String LIVES = "lives";
  private static final String WAITS = "waits";

  /** Starts something, says so, and waits to be killed. */
  static final class Doomed {
    private Doomed() {}

    static void main(String... arguments) throws Exception {
      SandboxBuilder builder = SandboxKind.valueOf(arguments[0]).builder();
      if (arguments[1].equals(DIES)) {
        builder.dieWithParent();
      }
      Sandbox sandbox = builder.build();
      if (arguments[1].equals(WAITS)) {
        sandbox.prewarm(3);
        HostProcess.children().forEach(System.out::println);
      } else {
        sandbox.command("/bin/sh", "-c", "exec sleep " + arguments[2]).start();
      }
      System.out.println("started");
      Thread.sleep(Long.MAX_VALUE);
    }
  }

  private static List<Long> killAfterStart(SandboxKind kind, String what, String mark)
      throws Exception {
    Process jvm = OtherJvm.start(Doomed.class, kind.name(), what, mark);
    List<Long> pids =
        jvm.inputReader()
            .lines()
            .takeWhile(line -> !line.equals("started"))
            .map(Long::valueOf)
            .toList();
    if (!what.equals(WAITS)) {
      HostProcess.await("the command runs", () -> !HostProcess.marked(mark).isEmpty());
    }
    assertTrue(jvm.isAlive());
    assertEquals(137, jvm.destroyForcibly().waitFor());
    return pids;
  }

  private static String mark() {
    return "1000." + System.nanoTime();
  }

  @ParameterizedTest
  @MethodSource("dev.cloister.strategies.SandboxKind#withMounts")
  void aCommandDiesWithTheJvmIfAsked(SandboxKind kind) throws Exception {
    String mark = mark();
    killAfterStart(kind, DIES, mark);
    HostProcess.await(
        "the command ends", () -> HostProcess.marked(mark).stream().noneMatch(HostProcess::runs));
  }

  @EachSandbox
  void elseItGoesOn(SandboxKind kind) throws Exception {
    String mark = mark();
    killAfterStart(kind, LIVES, mark);
    List<Long> left = HostProcess.marked(mark);
    assertTrue(left.stream().anyMatch(HostProcess::runs));
    for (long pid : left) {
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.cloister.strategies.SandboxKind#waitingAsProcesses")
  void whatWaitsForACommandDiesWithTheJvm(SandboxKind kind) throws Exception {
    List<Long> waiting = killAfterStart(kind, WAITS, mark());
    assertEquals(3, waiting.size());
    HostProcess.await("they end", () -> waiting.stream().noneMatch(HostProcess::runs));
  }
}
