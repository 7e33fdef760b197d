package dev.cloister.strategies;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.sandbox.Sandbox;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/**
 * Many starts from many threads at once, while the program also starts ordinary processes and
 * collects garbage. Every status and every byte is checked, and afterwards that nothing is left.
 */
class SoakTest {
  /** The property that says how many starts; docs/testing.md has the command. */
  private static final int STARTS = Integer.getInteger("cloister.soak", 3000);

  private static final int PLATFORM_THREADS = 8;
  private static final int VIRTUAL_THREADS = 200;
  private static final int PREWARMED = 4;

  /**
   * A launcher becomes a file, which the sandbox keeps, when more start something at once than it
   * has copies in memory; no run before the count can be sure to have met that. It can be those of
   * the sandboxes in which nothing waits for the command: two whole ones, and of the prewarmed the
   * whole, the set-up and the command's.
   */
  private static final int LAUNCHERS_MADE_LATE = 5;

  /**
   * Likewise the sockets on which launchers in memory report: as many pairs stay as were once used
   * at the same time, and at most one for each processor.
   */
  private static final int SOCKETS_MADE_LATE = 2 * Runtime.getRuntime().availableProcessors();

  /** Long past what any start may take: whoever is not done then hangs. */
  private static final long PATIENCE_SECONDS = 120L + STARTS / 50;

  /** Echoes a line, and ends as that says. */
  private static final String SCRIPT = "read -r line; echo \"$line\"; eval \"${line%% and *}\"";

  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger prewarmed = new AtomicInteger();
  private final AtomicInteger plain = new AtomicInteger();
  private final Queue<Throwable> wrong = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean done = new AtomicBoolean();

  /** What this program holds of the system's. */
  private record Holdings(
      int descriptors, int launchers, int sockets, int children, List<String> mounts, int threads) {
    static Holdings now() throws IOException {
      List<String> all = HostProcess.descriptors();
      int launchers = (int) all.stream().filter(each -> each.contains("/memfd:cloister")).count();
      int sockets = (int) all.stream().filter(each -> each.contains("socket:")).count();
      return new Holdings(
          all.size() - launchers - sockets,
          launchers,
          sockets,
          HostProcess.children().size(),
          Files.readAllLines(Path.of("/proc/self/mountinfo")),
          Thread.getAllStackTraces().size());
    }
  }

  @Test
  void losesNothingAndLeavesNothing() throws Exception {
    try (Sandbox cold = SandboxKind.PIVOT_ROOT.builder().build();
        Sandbox chroot = SandboxKind.CHROOT.builder().build();
        Sandbox init = SandboxKind.PIVOT_ROOT_WITH_INIT.builder().build();
        Sandbox waiting = SandboxKind.PIVOT_ROOT.builder().build()) {
      List<Sandbox> sandboxes = List.of(cold, waiting, chroot, waiting, init, waiting);
      // What is made once and stays, for starts that nothing waits for too: soon there may be none.
      run(sandboxes, Math.min(STARTS, 200));
      // As namespaces, and as processes.
      waiting.prewarm(PREWARMED);
      init.prewarm(PREWARMED);
      run(sandboxes, Math.min(STARTS, 200));
      settle(waiting, init);
      Holdings before = Holdings.now();
      long begin = System.nanoTime();
      prewarmed.set(0);
      plain.set(0);
      run(sandboxes, STARTS);
      long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin);
      settle(waiting, init);
      report(before, afterwards(before), seconds);
    }
  }

  private static void settle(Sandbox waiting, Sandbox init) throws Exception {
    HostProcess.await(
        "all wait again", () -> waiting.waiting() == PREWARMED && init.waiting() == PREWARMED);
    HostProcess.await("no other child", () -> HostProcess.children().size() == PREWARMED);
    // One that waits is there before all of it is in this process's hands.
    HostProcess.await("descriptors come to rest", SoakTest::isAtRest);
  }

  private static boolean isAtRest() throws Exception {
    int descriptors = HostProcess.descriptors().size();
    Thread.sleep(200);
    return HostProcess.descriptors().size() == descriptors;
  }

  /** Threads of pools go when they have had nothing to do for some time. */
  private static Holdings afterwards(Holdings before) throws Exception {
    HostProcess.await(
        "no more descriptors than " + before.descriptors(),
        () -> Holdings.now().descriptors() <= before.descriptors());
    HostProcess.await("no more threads", () -> Holdings.now().threads() <= before.threads() + 2);
    Holdings after = Holdings.now();
    assertTrue(
        after.launchers() <= before.launchers() + LAUNCHERS_MADE_LATE,
        () -> before.launchers() + " launchers before, " + after.launchers() + " after");
    assertTrue(
        after.sockets() <= before.sockets() + SOCKETS_MADE_LATE,
        () -> before.sockets() + " sockets before, " + after.sockets() + " after");
    assertEquals(before.children(), after.children());
    assertEquals(before.mounts(), after.mounts());
    return after;
  }

  private void run(List<Sandbox> sandboxes, int starts) throws Exception {
    next.set(0);
    done.set(false);
    List<Thread> others =
        List.of(
            Thread.ofPlatform().name("soak-plain").start(this::startOrdinaryProcesses),
            Thread.ofPlatform().name("soak-garbage").start(this::allocate));
    CountDownLatch ended = new CountDownLatch(PLATFORM_THREADS + VIRTUAL_THREADS);
    Runnable worker = () -> work(sandboxes, starts, ended);
    for (int i = 0; i < PLATFORM_THREADS; i++) {
      Thread.ofPlatform().name("soak-" + i).start(worker);
    }
    for (int i = 0; i < VIRTUAL_THREADS; i++) {
      Thread.ofVirtual().name("soak-virtual-" + i).start(worker);
    }
    boolean inTime = ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
    done.set(true);
    for (Thread thread : others) {
      thread.join();
    }
    wrong.forEach(Throwable::printStackTrace);
    assertTrue(inTime, () -> next + " started, and then it hangs:\n" + threads());
    assertEquals(List.of(), List.copyOf(wrong));
  }

  private static String threads() {
    StringBuilder dump = new StringBuilder();
    Thread.getAllStackTraces()
        .forEach((thread, frames) -> dump.append(thread).append(List.of(frames)).append('\n'));
    return dump.toString();
  }

  private void work(List<Sandbox> sandboxes, int starts, CountDownLatch ended) {
    try {
      for (int i = next.getAndIncrement(); i < starts; i = next.getAndIncrement()) {
        Sandbox sandbox = sandboxes.get(i % sandboxes.size());
        if (sandbox.waiting() > 0) {
          prewarmed.incrementAndGet();
        }
        check(sandbox.command("/bin/sh", "-c", SCRIPT).start(), i);
      }
    } catch (Throwable e) {
      wrong.add(e);
    } finally {
      ended.countDown();
    }
  }

  /** Every fifth is ended by a signal. */
  private static void check(Process process, int number) throws Exception {
    boolean signalled = number % 5 == 4;
    int status = signalled ? 9 : number % 125;
    String end = signalled ? "kill -9 $$" : "exit " + status;
    String line = end + " and " + number + " " + "x".repeat(1 + number % 999);
    try (OutputStream input = process.getOutputStream()) {
      input.write((line + "\n").getBytes(UTF_8));
    }
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    String error = new String(process.getErrorStream().readAllBytes(), UTF_8);
    assertEquals(signalled ? 137 : status, process.waitFor(), () -> number + ": " + error);
    assertEquals(line + "\n", output);
    assertEquals("", error);
  }

  private void startOrdinaryProcesses() {
    try {
      while (!done.get()) {
        check(new ProcessBuilder("/bin/sh", "-c", SCRIPT).start(), plain.getAndIncrement());
      }
    } catch (Throwable e) {
      wrong.add(e);
    }
  }

  private void allocate() {
    List<byte[]> kept = new ArrayList<>();
    while (!done.get()) {
      kept.add(new byte[100_000]);
      if (kept.size() > 200) {
        kept.clear();
      }
      LockSupport.parkNanos(10_000);
    }
  }

  private void report(Holdings before, Holdings after, long seconds) throws IOException {
    String peak =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith("VmHWM:"))
            .findFirst()
            .orElseThrow();
    System.out.printf("soak: %d starts in %d s%n", STARTS, seconds);
    System.out.printf("  found one waiting     %d%n", prewarmed.get());
    System.out.printf(
        "  threads               %d + %d virtual%n", PLATFORM_THREADS, VIRTUAL_THREADS);
    System.out.printf("  ordinary starts       %d%n", plain.get());
    System.out.printf(
        "  descriptors           %d before, %d after%n", before.descriptors(), after.descriptors());
    System.out.printf(
        "  launchers' files      %d before, %d after%n", before.launchers(), after.launchers());
    System.out.printf(
        "  sockets               %d before, %d after%n", before.sockets(), after.sockets());
    System.out.printf(
        "  children              %d before, %d after%n", before.children(), after.children());
    System.out.printf(
        "  mounts of this host   %d before, %d after%n",
        before.mounts().size(), after.mounts().size());
    System.out.printf(
        "  threads               %d before, %d after%n", before.threads(), after.threads());
    System.out.printf("  peak of memory        %s%n", peak.substring(6).strip());
  }
}
