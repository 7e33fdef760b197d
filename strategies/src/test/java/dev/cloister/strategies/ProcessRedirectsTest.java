package dev.cloister.strategies;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Errno;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxCommand;
import dev.cloister.sandbox.SandboxException;
import dev.cloister.sandbox.SandboxProcess;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Standard streams that lead to files, to nowhere, or to where this program's lead. */
@Timeout(120)
class ProcessRedirectsTest {
  @BeforeAll
  static void openWhatStaysOpen() throws SandboxException {
    SandboxKind.buildAll();
  }

  private static final String BOTH = "cat; echo error >&2";

  @TempDir private Path directory;

  private static SandboxCommand command(SandboxKind kind, String script) throws Exception {
    return kind.sandbox().command("/bin/sh", "-c", script);
  }

  @EachSandbox
  void leadToFiles(SandboxKind kind) throws Exception {
    File input = Files.writeString(directory.resolve("in"), "input\n").toFile();
    File output = Files.writeString(directory.resolve("out"), "was there before\n").toFile();
    File error = directory.resolve("err").toFile();
    SandboxCommand command =
        command(kind, BOTH).redirectInput(input).redirectOutput(output).redirectError(error);
    assertEquals(0, command.start().waitFor());
    assertEquals("input\n", Files.readString(output.toPath()));
    assertEquals("error\n", Files.readString(error.toPath()));
  }

  @EachSandbox
  void areAppendedToFiles(SandboxKind kind) throws Exception {
    File output = Files.writeString(directory.resolve("out"), "before\n").toFile();
    SandboxCommand command =
        command(kind, "echo after; echo error >&2")
            .redirectOutput(Redirect.appendTo(output))
            .redirectError(Redirect.appendTo(output));
    assertEquals(0, command.start().waitFor());
    assertEquals("before\nafter\nerror\n", Files.readString(output.toPath()));
  }

  @EachSandbox
  void makeFilesAsProcessBuilderDoes(SandboxKind kind) throws Exception {
    File own = directory.resolve("own").toFile();
    File plain = directory.resolve("plain").toFile();
    command(kind, "echo").redirectOutput(own).start().waitFor();
    new ProcessBuilder("/bin/echo").redirectOutput(plain).start().waitFor();
    assertEquals(
        Files.getPosixFilePermissions(plain.toPath()), Files.getPosixFilePermissions(own.toPath()));
  }

  @Test
  void aFifoThatNobodyOpensHoldsNobodyUp() throws Exception {
    Path fifo = directory.resolve("fifo");
    assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
    Sandbox sandbox = SandboxKind.PIVOT_ROOT.builder().build();
    List<String> before = HostProcess.descriptors();
    FutureTask<SandboxProcess> start =
        new FutureTask<>(() -> sandbox.command("/bin/cat").redirectInput(fifo.toFile()).start());
    Thread thread = Thread.ofPlatform().daemon().start(start);
    HostProcess.await("it opens the FIFO", () -> opens(thread));
    assertTimeoutPreemptively(Duration.ofSeconds(30), sandbox::close);
    try (RandomAccessFile bothSides = new RandomAccessFile(fifo.toFile(), "rw")) {
      Throwable refused = assertThrows(ExecutionException.class, start::get).getCause();
      assertInstanceOf(IllegalStateException.class, refused);
      assertTrue(bothSides.getFD().valid());
    }
    HostProcess.await("nothing is left open", () -> before.containsAll(HostProcess.descriptors()));
  }

  private static boolean opens(Thread thread) {
    return Arrays.stream(thread.getStackTrace())
        .anyMatch(frame -> frame.getMethodName().equals("openFile"));
  }

  @EachSandbox
  void canBeMerged(SandboxKind kind) throws Exception {
    SandboxProcess process = command(kind, "echo 1; echo 2 >&2").redirectErrorStream(true).start();
    assertEquals("1\n2\n", new String(process.getInputStream().readAllBytes(), UTF_8));
    assertEquals(-1, process.getErrorStream().read());
    File unused = directory.resolve("unused").toFile();
    SandboxCommand merged =
        command(kind, "echo 3 >&2").redirectError(unused).redirectErrorStream(true);
    assertEquals("3\n", new String(merged.start().getInputStream().readAllBytes(), UTF_8));
  }

  @EachSandbox
  void canBeDiscarded(SandboxKind kind) throws Exception {
    SandboxCommand command =
        command(kind, "echo 1; echo 2 >&2; exec ls -l /proc/self/fd/ >&2")
            .redirectOutput(Redirect.DISCARD)
            .redirectError(Redirect.DISCARD);
    assertEquals(0, command.start().waitFor());
  }

  @EachSandbox
  void areNullStreamsHereIfTheyLeadElsewhere(SandboxKind kind) throws Exception {
    File nothing = new File("/dev/null");
    Process own =
        command(kind, "exit 0")
            .redirectInput(nothing)
            .redirectOutput(nothing)
            .redirectError(nothing)
            .start();
    Process plain =
        new ProcessBuilder("/bin/true")
            .redirectInput(nothing)
            .redirectOutput(nothing)
            .redirectError(nothing)
            .start();
    for (Process process : List.of(plain, own)) {
      assertEquals(-1, process.getInputStream().read());
      assertEquals(0, process.getInputStream().available());
      assertEquals(-1, process.getErrorStream().read());
      OutputStream input = process.getOutputStream();
      Exception e = assertThrows(IOException.class, () -> input.write(1));
      assertEquals("Stream closed", e.getMessage());
      input.close();
      process.getInputStream().close();
      process.getErrorStream().close();
      process.waitFor();
    }
  }

  @Test
  void inTheWrongDirectionAreRefusedAsProcessBuilderDoes() throws Exception {
    ProcessBuilder plain = new ProcessBuilder("true");
    SandboxCommand own = SandboxKind.PIVOT_ROOT.sandbox().command("true");
    Redirect from = Redirect.from(new File("/dev/null"));
    Redirect to = Redirect.to(new File("/dev/null"));
    Redirect append = Redirect.appendTo(new File("/dev/null"));
    same(() -> plain.redirectInput(to), () -> own.redirectInput(to));
    same(() -> plain.redirectInput(append), () -> own.redirectInput(append));
    same(() -> plain.redirectOutput(from), () -> own.redirectOutput(from));
    same(() -> plain.redirectError(from), () -> own.redirectError(from));
    same(() -> plain.redirectInput(Redirect.DISCARD), () -> own.redirectInput(Redirect.DISCARD));
  }

  private static void same(Runnable plain, Runnable own) {
    Exception expected = assertThrows(RuntimeException.class, plain::run);
    Exception actual = assertThrows(RuntimeException.class, own::run);
    assertEquals(expected.getClass(), actual.getClass());
    assertEquals(expected.getMessage(), actual.getMessage());
  }

  @EachSandbox
  void toOrFromWhatCannotBeOpenedAreRefused(SandboxKind kind) throws Exception {
    File missing = directory.resolve("missing/file").toFile();
    kind.sandbox();
    List<String> before = HostProcess.descriptors();
    for (SandboxCommand command :
        List.of(
            command(kind, "echo").redirectInput(missing),
            command(kind, "echo").redirectOutput(missing),
            command(kind, "echo").redirectError(Redirect.appendTo(missing)))) {
      SandboxException e = assertThrows(SandboxException.class, command::start);
      assertEquals(SandboxException.Phase.SPAWN, e.phase());
      assertEquals(Optional.of(Errno.ENOENT), e.errno());
    }
    HostProcess.await("nothing is left open", () -> before.containsAll(HostProcess.descriptors()));
  }

  /** Lets commands use the standard streams of its own JVM. */
  static final class Inheriting {
    private Inheriting() {}

    static void main(String... kinds) throws Exception {
      SandboxKind kind = SandboxKind.valueOf(kinds[0]);
      String script = "read word; echo $1 $word; echo error of $1 >&2";
      kind.sandbox().command("/bin/sh", "-c", script, "sh", "first").inheritIO().start().waitFor();
      SandboxProcess second =
          kind.sandbox()
              .command("/bin/sh", "-c", "echo second; echo piped >&2")
              .redirectOutput(Redirect.INHERIT)
              .start();
      System.out.print(new String(second.getErrorStream().readAllBytes(), UTF_8));
      kind.sandbox()
          .command("/bin/sh", "-c", "echo third >&2")
          .redirectOutput(Redirect.INHERIT)
          .redirectErrorStream(true)
          .start()
          .waitFor();
    }
  }

  @EachSandbox
  void canBeThisPrograms(SandboxKind kind) throws Exception {
    Process process = new ProcessBuilder(OtherJvm.command(Inheriting.class, kind.name())).start();
    try (OutputStream input = process.getOutputStream()) {
      input.write("word\n".getBytes(UTF_8));
    }
    assertEquals(
        "first word\nsecond\npiped\nthird\n",
        new String(process.getInputStream().readAllBytes(), UTF_8));
    assertEquals("error of first\n", new String(process.getErrorStream().readAllBytes(), UTF_8));
    assertEquals(0, process.waitFor());
  }
}
