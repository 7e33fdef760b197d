package dev.cloister.strategies;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.sandbox.SandboxProcess;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The pipes to and from a sandboxed process. */
@Timeout(120)
class ProcessStreamsTest {
  /** More than a pipe holds, by far. */
  private static final int LARGE = 3 * 1024 * 1024;

  private static <T> CompletableFuture<T> aside(Thread.Builder thread, Callable<T> task) {
    CompletableFuture<T> result = new CompletableFuture<>();
    thread.start(
        () -> {
          try {
            result.complete(task.call());
          } catch (Throwable e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }

  private static void write(Process process, byte[] bytes) throws IOException {
    try (OutputStream input = process.getOutputStream()) {
      input.write(bytes);
    }
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  @EachSandbox
  void carryAnyBytesAllWaysAtOnce(SandboxKind kind) throws Exception {
    byte[] bytes = random(LARGE);
    for (Thread.Builder thread : List.of(Thread.ofPlatform(), Thread.ofVirtual())) {
      SandboxProcess process = kind.start("exec tee /dev/stderr");
      CompletableFuture<byte[]> output = aside(thread, process.getInputStream()::readAllBytes);
      CompletableFuture<byte[]> error = aside(thread, process.getErrorStream()::readAllBytes);
      CompletableFuture<Boolean> input =
          aside(
              thread,
              () -> {
                write(process, bytes);
                return true;
              });
      assertTrue(input.get());
      assertArrayEquals(bytes, output.get());
      assertArrayEquals(bytes, error.get());
      assertEquals(0, process.waitFor());
    }
  }

  @EachSandbox
  void keepWhatIsReadAfterTheEnd(SandboxKind kind) throws Exception {
    int size = 4096; // what a pipe holds even if its user has many: pipe(7)
    SandboxProcess process = kind.start("head -c " + size + " /dev/zero; echo error >&2");
    assertEquals(0, process.waitFor());
    assertEquals(size, process.getInputStream().available());
    assertArrayEquals(new byte[size], process.getInputStream().readAllBytes());
    assertEquals("error\n", new String(process.getErrorStream().readAllBytes(), UTF_8));
    assertEquals(-1, process.getInputStream().read());
    assertEquals(0, process.getInputStream().available());
  }

  @EachSandbox
  void loseNothingWhenTheEndComesWhileTheyAreRead(SandboxKind kind) throws Exception {
    byte[] bytes = random(200_000);
    SandboxProcess process = kind.start("exec cat");
    CompletableFuture<Boolean> input =
        aside(
            Thread.ofPlatform(),
            () -> {
              write(process, bytes);
              return true;
            });
    byte[] read = new byte[bytes.length];
    InputStream output = process.getInputStream();
    int count = 0;
    while (count < read.length) {
      int some = output.read(read, count, Math.min(997, read.length - count));
      assertTrue(some > 0);
      count += some;
    }
    assertEquals(-1, output.read());
    assertArrayEquals(bytes, read);
    assertTrue(input.get());
  }

  @EachSandbox
  void thatNobodyReadsAreClosedAtTheEnd(SandboxKind kind) throws Exception {
    kind.start("echo unread; echo unread >&2").waitFor();
    List<String> before = HostProcess.descriptors();
    List<Process> kept = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      SandboxProcess process = kind.start("echo unread; echo unread >&2");
      process.waitFor();
      kept.add(process);
    }
    HostProcess.await(
        "no more descriptors", () -> HostProcess.descriptors().size() <= before.size());
    for (Process process : kept) {
      assertEquals("unread\n", new String(process.getInputStream().readAllBytes(), UTF_8));
    }
  }

  @ParameterizedTest
  @MethodSource("dev.cloister.strategies.SandboxKind#withoutInit")
  void endWithTheCommandThoughSomethingGoesOnInTheBackground(SandboxKind kind) throws Exception {
    String mark = "1000." + System.nanoTime();
    SandboxProcess process = kind.start("sleep " + mark + " & echo started");
    try {
      assertEquals("started\n", new String(process.getInputStream().readAllBytes(), UTF_8));
      assertEquals("", new String(process.getErrorStream().readAllBytes(), UTF_8));
      assertEquals(0, process.waitFor());
      // A shell's child has the shell's arguments for a moment.
      HostProcess.await("it goes on", () -> HostProcess.marked(mark).size() == 1);
    } finally {
      for (long pid : HostProcess.marked(mark)) {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
      }
    }
  }

  @EachSandbox
  void whoWritesToAClosedOneIsSignalled(SandboxKind kind) throws Exception {
    SandboxProcess process = kind.start("exec yes");
    assertEquals('y', process.getInputStream().read());
    process.getInputStream().close();
    assertEquals(128 + 13, process.waitFor()); // SIGPIPE, signal(7)
    Exception e = assertThrows(IOException.class, () -> process.getInputStream().read());
    assertEquals("Stream closed", e.getMessage());
    process.getInputStream().close();
  }

  @EachSandbox
  void refuseWhatNobodyReadsAnyMore(SandboxKind kind) throws Exception {
    SandboxProcess process = kind.start("exec <&-; read line <&2; exit 0");
    OutputStream input = process.getOutputStream();
    byte[] bytes = new byte[LARGE];
    assertThrows(
        IOException.class,
        () -> {
          input.write(bytes);
          input.flush();
        });
    process.destroyForcibly();
    process.waitFor();
    assertThrows(
        IOException.class,
        () -> {
          input.write(bytes);
          input.flush();
        });
  }

  @EachSandbox
  void closingOneWakesWhoeverWaitsForIt(SandboxKind kind) throws Exception {
    SandboxProcess process = kind.start("exec sleep 1000");
    CompletableFuture<Integer> reader =
        aside(Thread.ofPlatform(), () -> process.getInputStream().read());
    CompletableFuture<Integer> virtualReader =
        aside(Thread.ofVirtual(), () -> process.getErrorStream().read());
    assertThrows(
        java.util.concurrent.TimeoutException.class, () -> reader.get(50, TimeUnit.MILLISECONDS));
    process.getInputStream().close();
    process.getErrorStream().close();
    for (CompletableFuture<Integer> each : List.of(reader, virtualReader)) {
      Exception e = assertThrows(ExecutionException.class, each::get);
      assertEquals(new IOException("Stream closed").toString(), String.valueOf(e.getCause()));
    }
    process.destroyForcibly();
    assertEquals(137, process.waitFor());
  }

  @EachSandbox
  void aWriterIsWokenToo(SandboxKind kind) throws Exception {
    SandboxProcess process = kind.start("exec sleep 1000");
    CompletableFuture<Boolean> writer =
        aside(
            Thread.ofVirtual(),
            () -> {
              process.getOutputStream().write(new byte[LARGE]);
              return true;
            });
    assertThrows(
        java.util.concurrent.TimeoutException.class, () -> writer.get(50, TimeUnit.MILLISECONDS));
    process.destroyForcibly();
    process.waitFor();
    assertTrue(
        assertThrows(ExecutionException.class, writer::get).getCause() instanceof IOException);
  }

  @EachSandbox
  void manyThreadsShareOne(SandboxKind kind) throws Exception {
    SandboxProcess process = kind.start("exec cat");
    byte[] bytes = new byte[LARGE];
    Arrays.fill(bytes, (byte) 'x');
    List<CompletableFuture<Integer>> readers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      readers.add(
          aside(
              i % 2 == 0 ? Thread.ofPlatform() : Thread.ofVirtual(),
              () -> process.getInputStream().readAllBytes().length));
    }
    write(process, bytes);
    int sum = 0;
    for (CompletableFuture<Integer> reader : readers) {
      sum += reader.get();
    }
    assertEquals(bytes.length, sum);
    assertEquals(0, process.waitFor());
  }

  @EachSandbox
  void behaveAsInputStreamsDo(SandboxKind kind) throws Exception {
    SandboxProcess process = kind.start("echo abcdef; exec cat");
    InputStream output = process.getInputStream();
    assertEquals(0, output.read(new byte[0]));
    assertThrows(IndexOutOfBoundsException.class, () -> output.read(new byte[3], 1, 3));
    assertEquals('a', output.read());
    assertEquals(6, output.available());
    assertEquals(2, output.skip(2));
    assertEquals("def\n", new String(output.readNBytes(4), UTF_8));
    assertEquals(0, output.available());
    try (OutputStream input = process.getOutputStream()) {
      input.write('z');
    }
    assertEquals('z', output.read());
    assertEquals(-1, output.read());
    assertEquals(0, process.waitFor());
  }

  @EachSandbox
  void haveReadersAndWriters(SandboxKind kind) throws Exception {
    SandboxProcess process = kind.start("exec cat");
    try (var writer = process.outputWriter()) {
      writer.write("a line\n");
    }
    assertEquals("a line", process.inputReader().readLine());
    assertEquals(0, process.waitFor());
  }
}
