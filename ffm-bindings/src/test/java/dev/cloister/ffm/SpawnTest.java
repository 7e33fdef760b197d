package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.O_CREAT;
import static dev.cloister.ffm.LinuxConstant.O_RDONLY;
import static dev.cloister.ffm.LinuxConstant.O_WRONLY;
import static dev.cloister.ffm.LinuxConstant.SIGKILL;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SpawnTest {
  private static Spawn program(String path, String... arguments) {
    return Spawn.of(Bytes.of(path), Bytes.listOf(arguments), List.of());
  }

  private static Spawn shell(String script) {
    return program("/bin/sh", "sh", "-c", script);
  }

  private static String outputOf(Spawn spawn) throws LinuxException {
    try (Pipe pipe = Pipe.open()) {
      try (ChildProcess child = spawn.duplicate(pipe.writeEnd(), 1).start()) {
        pipe.writeEnd().close();
        String output = Bytes.readAll(pipe.readEnd());
        assertEquals(new ExitStatus.Exited(0), child.waitFor());
        return output;
      }
    }
  }

  @Test
  void tellsHowTheProcessEnded() throws Exception {
    try (ChildProcess child = program("/bin/true", "true").start()) {
      assertEquals(new ExitStatus.Exited(0), child.waitFor());
    }
    try (ChildProcess child = program("/bin/false", "false").start()) {
      assertEquals(new ExitStatus.Exited(1), child.waitFor());
    }
    try (ChildProcess child = shell("ulimit -c 0; kill -ABRT $$").start()) {
      assertEquals(new ExitStatus.Killed(6, false), child.waitFor());
    }
  }

  @Test
  void aMissingProgramIsAnErrorOfTheCaller() {
    LinuxException e =
        assertThrows(LinuxException.class, () -> program("/missing", "a", "\u00ff").start());
    assertEquals(
        "posix_spawn(\"/missing\", {\"a\", \"\\377\"}, {/* 0 variables */}):"
            + " ENOENT (No such file or directory)",
        e.getMessage());
  }

  @Test
  void leavesNothingBehind() throws Exception {
    shell("exit 0").start().close();
    long before = openDescriptors();
    for (int i = 0; i < 10; i++) {
      try (ChildProcess child = program("/bin/true", "true").start()) {
        child.waitFor();
        assertFalse(Files.exists(Path.of("/proc/" + child.pid())));
      }
      assertThrows(LinuxException.class, () -> program("/missing", "missing").start());
    }
    assertEquals(before, openDescriptors());
  }

  private static long openDescriptors() throws Exception {
    try (var descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors.count();
    }
  }

  @Test
  void argumentsAndEnvironmentPassThroughUnchanged() throws Exception {
    Spawn spawn =
        Spawn.of(
            Bytes.of("/bin/sh"),
            Bytes.listOf("sh", "-c", "printf '%s|' \"$0\" \"$@\" \"$VARIABLE\"", "\u00ff", "", " "),
            Bytes.listOf("VARIABLE=\u00e9\n"));
    assertEquals("\u00ff|| |\u00e9\n|", outputOf(spawn));
  }

  @Test
  void fileActionsRunInOrder(@TempDir Path directory) throws Exception {
    byte[] path = directory.toString().getBytes(StandardCharsets.UTF_8);
    Files.writeString(directory.resolve("input"), "from the file");
    Spawn spawn =
        shell("cat; pwd; echo error >&2; test -e /dev/fd/7 && test -e /dev/fd/8")
            .directory(path)
            .open(0, Bytes.of("input"), 0, O_RDONLY)
            .open(2, Bytes.of("errors"), 0600, O_WRONLY, O_CREAT)
            .duplicate(0, 7)
            .duplicate(7, 8);
    assertEquals("from the file" + directory.toRealPath() + "\n", outputOf(spawn));
    assertEquals("error\n", Files.readString(directory.resolve("errors")));
  }

  @Test
  void aFailedFileActionIsAnErrorOfTheCaller() {
    LinuxException e =
        assertThrows(
            LinuxException.class,
            () -> program("/bin/true", "true").directory(Bytes.of("/missing")).start());
    assertTrue(e.is(Errno.ENOENT), e.getMessage());
  }

  @Test
  void aDescriptorOfTheJvmIsNotInherited() throws Exception {
    try (Descriptor secret = Descriptor.open(Bytes.of("/dev/null"), O_RDONLY)) {
      assertEquals("no\n", outputOf(shell(listed(secret))));
      assertEquals("yes\n", outputOf(shell(listed(secret)).duplicate(secret, secret.number())));
    }
  }

  private static String listed(Descriptor descriptor) {
    return "if test -e /dev/fd/%d; then echo yes; else echo no; fi".formatted(descriptor.number());
  }

  @Test
  void setsTheSignalMask() throws Exception {
    SignalSet mask = new SignalSet(1L << 14 | 1L << 11); // SIGTERM, SIGUSR2
    String status = outputOf(program("/bin/cat", "cat", "/proc/self/status").signalMask(mask));
    assertTrue(status.contains("SigBlk:\t%016x\n".formatted(mask.bits())), status);
  }

  @Test
  void looksWithoutWaiting() throws Exception {
    try (ChildProcess child = program("/bin/sleep", "sleep", "20").start()) {
      assertEquals(Optional.empty(), child.ended());
      child.signal(SIGKILL);
      ChildProcess.Ended ended = child.await();
      assertEquals(new ExitStatus.Killed(9, false), ended.status());
      assertEquals(Optional.of(ended), child.ended());
      assertEquals(ended, child.await());
      assertEquals(ended.status(), child.waitFor());
      LinuxException e = assertThrows(LinuxException.class, () -> child.signal(SIGKILL));
      assertTrue(e.is(Errno.ESRCH), e.getMessage());
    }
  }

  @Test
  void saysWhatTheProcessAndItsOwnTook() throws Exception {
    // More than this JVM ever had, which counts as memory of its children too.
    long bytes = peakOfThisJvm() + (64L << 20);
    String copy = "dd if=/dev/zero of=/dev/null bs=%d count=1 2>/dev/null; exit 3";
    try (ChildProcess child = shell(copy.formatted(bytes)).start()) {
      ChildProcess.Ended ended = child.await();
      assertEquals(new ExitStatus.Exited(3), ended.status());
      ResourceUsage usage = ended.usage();
      assertTrue(usage.maxResidentBytes() >= bytes, usage.toString());
      assertTrue(usage.maxResidentBytes() < 2 * bytes, usage.toString());
      assertTrue(usage.userTime().plus(usage.systemTime()).isPositive(), usage.toString());
      assertTrue(usage.minorFaults() > 0, usage.toString());
    }
  }

  private static long peakOfThisJvm() throws Exception {
    String line =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(candidate -> candidate.startsWith("VmHWM:"))
            .findAny()
            .orElseThrow();
    return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
  }

  @Test
  void aProcessThatIsWaitedForCanBeKilled() throws Exception {
    try (ChildProcess child = program("/bin/sleep", "sleep", "20").start();
        ExecutorService threads = Executors.newFixedThreadPool(2)) {
      List<Future<ExitStatus>> waiting =
          List.of(
              threads.submit(() -> child.waitFor()), threads.submit(() -> child.await().status()));
      // Most likely both are in the kernel then; if not, all the same must be true.
      Thread.sleep(50);
      child.signal(SIGKILL);
      for (Future<ExitStatus> each : waiting) {
        assertEquals(new ExitStatus.Killed(9, false), each.get());
      }
    }
  }

  @Test
  void severalThreadsMayWait() throws Exception {
    try (ChildProcess child = program("/bin/sleep", "sleep", "0.1").start();
        ExecutorService threads = Executors.newFixedThreadPool(3)) {
      List<Future<ExitStatus>> waiting =
          List.of(
              threads.submit(() -> child.waitFor()),
              threads.submit(() -> child.await().status()),
              threads.submit(() -> lookUntilEnded(child)));
      for (Future<ExitStatus> each : waiting) {
        assertEquals(new ExitStatus.Exited(0), each.get());
      }
    }
  }

  private static ExitStatus lookUntilEnded(ChildProcess child) throws LinuxException {
    Optional<ChildProcess.Ended> ended = child.ended();
    while (ended.isEmpty()) {
      Thread.onSpinWait();
      ended = child.ended();
    }
    return ended.get().status();
  }

  @Test
  void theStatusIsNotLostWhereSigchldIsIgnored() throws Exception {
    Signals.ignore(LinuxConstant.SIGCHLD);
    try (ChildProcess child = program("/bin/false", "false").start()) {
      assertEquals(new ExitStatus.Exited(1), child.waitFor());
    } finally {
      Signals.reset(LinuxConstant.SIGCHLD);
    }
  }
}
