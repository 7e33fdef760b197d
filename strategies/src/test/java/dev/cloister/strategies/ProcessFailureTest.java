package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Errno;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxBuilder;
import dev.cloister.sandbox.SandboxCommand;
import dev.cloister.sandbox.SandboxException;
import dev.cloister.sandbox.SandboxException.Phase;
import dev.cloister.sandbox.SandboxProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Commands that do not start: what is thrown, and that nothing is left of them. */
@Timeout(120)
class ProcessFailureTest {
  @BeforeAll
  static void openWhatStaysOpen() throws SandboxException {
    SandboxKind.buildAll();
  }

  @TempDir private Path directory;

  private static SandboxException refused(Executable start) throws Exception {
    List<String> before = HostProcess.descriptors();
    SandboxException e = assertThrows(SandboxException.class, start);
    // Fewer, if those of an earlier process were still being closed.
    HostProcess.await("nothing is left open", () -> before.containsAll(HostProcess.descriptors()));
    return e;
  }

  private static SandboxException refused(Phase phase, Errno errno, Executable start)
      throws Exception {
    SandboxException e = refused(start);
    assertEquals(phase, e.phase(), e::getMessage);
    assertEquals(Optional.of(errno), e.errno(), e::getMessage);
    return e;
  }

  @EachSandbox
  void aCommandThatIsNotFound(SandboxKind kind) throws Exception {
    for (String name : List.of("/nowhere/command", "no-such-command", "./no-such-command")) {
      SandboxException e =
          refused(Phase.COMMAND, Errno.ENOENT, () -> kind.sandbox().command(name).start());
      assertTrue(e.toString().contains(name), e::toString);
    }
    assertThrows(IOException.class, () -> new ProcessBuilder("/nowhere/command").start());
  }

  @EachSandbox
  void aFileThatIsNoProgram(SandboxKind kind) throws Exception {
    refused(Phase.COMMAND, Errno.EACCES, () -> kind.sandbox().command("/etc/passwd").start());
    refused(Phase.COMMAND, Errno.EACCES, () -> kind.sandbox().command("/usr").start());
  }

  @EachSandbox
  void aDirectoryThatIsMissing(SandboxKind kind) throws Exception {
    Path missing = Path.of("/usr/missing");
    SandboxException e =
        refused(
            Phase.SET_UP,
            Errno.ENOENT,
            () -> kind.sandbox().command("/bin/true").directory(missing).start());
    assertEquals(Optional.of("the command's directory does not exist in the sandbox"), e.hint());
    refused(
        Phase.SET_UP,
        Errno.ENOTDIR,
        () -> kind.sandbox().command("/bin/true").directory(Path.of("/etc/passwd")).start());
  }

  @EachSandbox
  void argumentsThatAreTooLong(SandboxKind kind) throws Exception {
    String long_ = "x".repeat(200_000); // MAX_ARG_STRLEN is 131072: execve(2)
    SandboxException e = refused(() -> kind.sandbox().command("/bin/echo", long_).start());
    assertEquals(Optional.of(Errno.E2BIG), e.errno(), e::getMessage);
    assertTrue(e.toString().length() < 10_000);
  }

  @EachSandbox
  void argumentsWithANul(SandboxKind kind) throws Exception {
    for (List<String> words : List.of(List.of("a\0b"), List.of("/bin/echo", "\0"))) {
      IOException plain = assertThrows(IOException.class, () -> new ProcessBuilder(words).start());
      SandboxException own = refused(() -> kind.sandbox().command(words).start());
      assertEquals(plain.getMessage(), own.getMessage());
    }
  }

  @Test
  @SuppressWarnings("NullAway") // that is what is tested
  void noCommand() throws Exception {
    Sandbox sandbox = SandboxKind.PIVOT_ROOT.sandbox();
    assertThrows(NullPointerException.class, () -> new ProcessBuilder("a", null).start());
    assertThrows(NullPointerException.class, () -> sandbox.command("a", null).start());
    assertThrows(NullPointerException.class, () -> sandbox.command((String[]) null));
    assertThrows(NullPointerException.class, () -> sandbox.command((List<String>) null));
    assertThrows(IndexOutOfBoundsException.class, () -> new ProcessBuilder().start());
    // At once, as all that is wrong with what was said.
    assertThrows(IndexOutOfBoundsException.class, () -> sandbox.command());
    assertThrows(IndexOutOfBoundsException.class, () -> sandbox.command(List.of()));
  }

  @EachSandbox
  void oneThatWasStartedBefore(SandboxKind kind) throws Exception {
    SandboxCommand command = kind.sandbox().command("/bin/true");
    command.start().waitFor();
    assertThrows(IllegalStateException.class, command::start);
  }

  @EachSandbox
  void oneOfASandboxThatIsClosed(SandboxKind kind) throws Exception {
    Sandbox sandbox = kind.builder().build();
    SandboxProcess running = sandbox.command("/bin/sh", "-c", "read line; exit 6").start();
    SandboxCommand command = sandbox.command("/bin/true");
    sandbox.close();
    sandbox.close();
    assertThrows(IllegalStateException.class, command::start);
    assertThrows(IllegalStateException.class, () -> sandbox.prewarm(1));
    assertEquals(0, sandbox.waiting());
    running.getOutputStream().close();
    assertEquals(6, running.waitFor());
  }

  @ParameterizedTest
  @MethodSource("dev.cloister.strategies.SandboxKind#withMounts")
  void aSourceThatIsGone(SandboxKind kind) throws Exception {
    Path source = Files.createDirectory(directory.resolve("source"));
    SandboxBuilder builder = kind.builder().bind(source, Path.of("/source"));
    try (Sandbox sandbox = builder.build()) {
      assertEquals(0, sandbox.command("/bin/true").start().waitFor());
      Files.delete(source);
      SandboxException e = refused(() -> sandbox.command("/bin/true").start());
      assertEquals(Phase.SET_UP, e.phase());
      // What bubblewrap says of it, it says on the command's standard error.
      if (!kind.strategy().equals("bwrap")) {
        assertEquals(Optional.of(Errno.ENOENT), e.errno());
        assertTrue(e.toString().contains(source.toString()), e::toString);
        assertTrue(e.step().orElseThrow() > 0);
        assertTrue(e.call().orElseThrow().contains(source.toString()), e::getMessage);
        assertTrue(e.hint().orElseThrow().contains(source.toString()), e::getMessage);
      }
      Files.createDirectory(source);
      assertEquals(0, sandbox.command("/bin/true").start().waitFor());
    }
  }

  @Test
  void aSandboxThatCannotBe() {
    SandboxException e =
        assertThrows(
            SandboxException.class,
            () -> Sandbox.builder().bind(directory.resolve("missing")).build());
    assertEquals(Phase.BUILD, e.phase());
    assertThrows(
        SandboxException.class, () -> Sandbox.builder().strategy("no such strategy").build());
    assertThrows(IllegalArgumentException.class, () -> Sandbox.builder().preset("no such preset"));
    assertThrows(IllegalArgumentException.class, () -> Sandbox.builder().chdir(Path.of("")));
  }

  /** Only a wait that has begun notices an interrupt, so some are built nevertheless. */
  @Test
  void aSandboxWhoseBuilderIsInterrupted() throws Exception {
    for (int i = 0; i < 20; i++) {
      Thread.currentThread().interrupt();
      try {
        SandboxKind.PIVOT_ROOT.builder().build().close();
      } catch (SandboxException e) {
        assertEquals(Phase.BUILD, e.phase());
        assertInstanceOf(IOException.class, e.getCause());
      } finally {
        assertTrue(Thread.interrupted(), "the interrupt was forgotten");
      }
    }
  }

  /**
   * Whoever kills it comes sometimes too early or too late, and then tries again. Many directories
   * take some time.
   */
  @ParameterizedTest
  @MethodSource("dev.cloister.strategies.SandboxKind#madeByLaunchers")
  void aLauncherThatIsKilledHasNoStatus(SandboxKind kind) throws Exception {
    SandboxBuilder builder = kind.builder();
    for (int i = 0; i < 5000; i++) {
      builder.dir(Path.of("/some/directory/" + i));
    }
    AtomicBoolean done = new AtomicBoolean();
    try (Sandbox sandbox = builder.build()) {
      Thread killer = Thread.ofPlatform().start(() -> killChildren(done));
      Optional<SandboxException> killed = Optional.empty();
      for (int tries = 0; tries < 200 && killed.isEmpty(); tries++) {
        killed = startAndEnd(sandbox);
      }
      done.set(true);
      killer.join();
      assertEquals(Phase.SET_UP, killed.orElseThrow().phase());
    }
  }

  private static void killChildren(AtomicBoolean done) {
    while (!done.get()) {
      ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);
    }
  }

  private static Optional<SandboxException> startAndEnd(Sandbox sandbox) throws Exception {
    try {
      SandboxProcess process = sandbox.command("/bin/sleep", "1000").start();
      process.destroyForcibly();
      assertEquals(137, process.waitFor());
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(assertInstanceOf(SandboxException.class, e));
    }
  }
}
