package dev.cloister.strategies;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.ExitStatus;
import dev.cloister.ffm.Pipe;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxCommand;
import dev.cloister.sandbox.SandboxException;
import dev.cloister.sandbox.SandboxException.Phase;
import dev.cloister.sandbox.SandboxProcess;
import java.io.File;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Sandboxes that wait for their command. */
@Timeout(120)
class PrewarmTest {
  private static final int COUNT = 3;

  @TempDir private Path directory;

  private static Sandbox prewarmed(SandboxKind kind) throws Exception {
    Sandbox sandbox = kind.builder().build();
    sandbox.prewarm(COUNT);
    assertEquals(COUNT, sandbox.waiting());
    return sandbox;
  }

  private static void awaitFull(Sandbox sandbox) throws Exception {
    HostProcess.await("all wait", () -> sandbox.waiting() == COUNT);
  }

  private static SandboxCommand shell(Sandbox sandbox, String script) {
    return sandbox.command("/bin/sh", "-c", script);
  }

  private static String output(SandboxCommand command) throws Exception {
    SandboxProcess process = command.redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output;
  }

  @ParameterizedTest
  @MethodSource("dev.cloister.strategies.SandboxKind#waitingAsProcesses")
  void aStartUsesOneAndItIsReplaced(SandboxKind kind) throws Exception {
    try (Sandbox sandbox = prewarmed(kind)) {
      List<Long> before = HostProcess.children();
      SandboxProcess process = shell(sandbox, "read line").start();
      assertTrue(before.contains(process.pid()));
      awaitFull(sandbox);
      assertFalse(HostProcess.children().equals(before));
      process.getOutputStream().close();
      process.waitFor();
    }
  }

  /** The namespaces that this JVM keeps, by their kind and number. */
  private static Set<String> namespaces() throws Exception {
    Set<String> namespaces = new HashSet<>();
    for (String descriptor : HostProcess.descriptors()) {
      if (descriptor.matches(".* -> (mnt|user|net|ipc|uts|cgroup):\\[.*")) {
        namespaces.add(descriptor.substring(descriptor.indexOf("-> ") + 3));
      }
    }
    return namespaces;
  }

  @ParameterizedTest
  @MethodSource("dev.cloister.strategies.SandboxKind#waitingAsNamespaces")
  void aStartEntersOneAndItIsReplaced(SandboxKind kind) throws Exception {
    List<Long> others = HostProcess.children();
    try (Sandbox sandbox = kind.builder().unshareNet().unshareIpc().hostname("inside").build()) {
      sandbox.prewarm(COUNT);
      Set<String> kept = namespaces();
      assertEquals(List.of(), added(others));
      String list = "cd /proc/self/ns; readlink mnt user net ipc uts; uname -n";
      List<String> first = output(shell(sandbox, list)).lines().toList();
      assertEquals("inside", first.getLast());
      assertTrue(kept.containsAll(first.subList(0, 5)), kept + " " + first);
      awaitFull(sandbox);
      List<String> second = output(shell(sandbox, list)).lines().toList();
      for (int i = 0; i < 5; i++) {
        assertFalse(first.contains(second.get(i)), first + " " + second);
      }
    }
    HostProcess.await("nothing is kept", () -> namespaces().isEmpty());
  }

  private static List<Long> added(List<Long> others) throws Exception {
    List<Long> now = new ArrayList<>(HostProcess.children());
    now.removeAll(others);
    return now;
  }

  @ParameterizedTest
  @MethodSource("dev.cloister.strategies.SandboxKind#waitingAsNamespaces")
  void oneCommandLeavesNothingToTheNext(SandboxKind kind) throws Exception {
    try (Sandbox sandbox = prewarmed(kind)) {
      for (int i = 0; i < 2 * COUNT; i++) {
        assertEquals("", output(shell(sandbox, "ls -A /tmp; echo left >/tmp/left")));
      }
    }
  }

  @EachSandbox
  void hasTheCommandsOwnEverything(SandboxKind kind) throws Exception {
    try (Sandbox sandbox = prewarmed(kind)) {
      String script = "pwd; echo $A; cat; echo \"$1\" >&2; exit 9";
      SandboxCommand command = sandbox.command("/bin/sh", "-c", script, "", "ü");
      command.environment().clear();
      command.environment().put("A", "a\nb");
      SandboxProcess process = command.directory(Path.of("/usr/bin")).start();
      try (OutputStream input = process.getOutputStream()) {
        input.write("input".getBytes(UTF_8));
      }
      assertEquals(
          "/usr/bin\na b\ninput", new String(process.getInputStream().readAllBytes(), UTF_8));
      assertEquals("ü\n", new String(process.getErrorStream().readAllBytes(), UTF_8));
      assertEquals(9, process.waitFor());
      assertEquals(kind.strategy(), process.result().strategy());
    }
  }

  @EachSandbox
  void tellsASignalFromAStatus(SandboxKind kind) throws Exception {
    try (Sandbox sandbox = prewarmed(kind)) {
      for (int i = 0; i < 2 * COUNT; i++) {
        SandboxProcess process = shell(sandbox, "kill -9 $$").start();
        assertEquals(137, process.waitFor());
        if (!kind.hidesSignals()) {
          assertEquals(new ExitStatus.Killed(9, false), process.result().status());
        }
      }
    }
  }

  @EachSandbox
  void takesAMegabyteOfArguments(SandboxKind kind) throws Exception {
    try (Sandbox sandbox = prewarmed(kind)) {
      List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", "echo $#; echo $1", "sh"));
      for (int i = 0; i < 10_000; i++) {
        command.add("x".repeat(100));
      }
      assertEquals("10000\n" + "x".repeat(100) + "\n", output(sandbox.command(command)));
    }
  }

  /** However it is started: what came through no execve(2) is refused as that would. */
  @EachSandbox
  void refusesWhatIsTooLongForAnyCommand(SandboxKind kind) throws Exception {
    try (Sandbox sandbox = prewarmed(kind)) {
      for (int size : List.of(200_000, 400_000)) {
        String tooLong = "x".repeat(size);
        SandboxCommand variable = sandbox.command("/bin/true");
        variable.environment().put("A", tooLong);
        for (SandboxCommand command :
            List.of(sandbox.command(tooLong), sandbox.command("/bin/true", tooLong), variable)) {
          SandboxException e = assertThrows(SandboxException.class, command::start);
          assertEquals(Optional.of(Errno.E2BIG), e.errno(), e::getMessage);
          awaitFull(sandbox);
        }
      }
      assertEquals(
          "131071\n",
          output(sandbox.command("/bin/sh", "-c", "echo ${#1}", "", "x".repeat(131_071))));
    }
  }

  @EachSandbox
  void redirectsAreTheCommands(SandboxKind kind) throws Exception {
    try (Sandbox sandbox = prewarmed(kind)) {
      File input = Files.writeString(directory.resolve("in"), "input\n").toFile();
      File output = directory.resolve("out").toFile();
      SandboxProcess process =
          shell(sandbox, "cat; echo error >&2")
              .redirectInput(input)
              .redirectOutput(output)
              .redirectErrorStream(true)
              .start();
      assertEquals(0, process.waitFor());
      assertEquals("input\nerror\n", Files.readString(output.toPath()));
    }
  }

  @EachSandbox
  void nothingElseIsOpen(SandboxKind kind) throws Exception {
    try (Sandbox sandbox = prewarmed(kind)) {
      assertEquals("0\n1\n2\n3\n", output(shell(sandbox, "exec ls /proc/self/fd")));
    }
  }

  @EachSandbox
  void whoPassesDescriptorsHasOneOfItsOwn(SandboxKind kind) throws Exception {
    try (Sandbox sandbox = prewarmed(kind);
        Pipe pipe = Pipe.open()) {
      SandboxCommand command =
          shell(sandbox, "echo passed >&4").passDescriptor(pipe.writeEnd().number(), 4);
      assertEquals("", output(command));
      assertEquals(COUNT, sandbox.waiting());
      byte[] received = new byte[20];
      assertEquals(7, pipe.readEnd().read(received));
    }
  }

  @EachSandbox
  void aCommandThatIsNotFoundIsToldOfAsEver(SandboxKind kind) throws Exception {
    try (Sandbox sandbox = prewarmed(kind)) {
      SandboxException e =
          assertThrows(SandboxException.class, () -> sandbox.command("no-such-command").start());
      assertEquals(Phase.COMMAND, e.phase());
      assertEquals(Optional.of(Errno.ENOENT), e.errno());
      SandboxException missing =
          assertThrows(
              SandboxException.class,
              () -> sandbox.command("/bin/true").directory(Path.of("/missing")).start());
      assertEquals(Optional.of(Errno.ENOENT), missing.errno());
      awaitFull(sandbox);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.cloister.strategies.SandboxKind#waitingAsProcesses")
  void thoseThatWereKilledAreReplacedByAColdStart(SandboxKind kind) throws Exception {
    try (Sandbox sandbox = kind.builder().build()) {
      List<Long> others = HostProcess.children();
      sandbox.prewarm(COUNT);
      List<Long> waiting = new ArrayList<>(HostProcess.children());
      waiting.removeAll(others);
      assertEquals(COUNT, waiting.size());
      for (long pid : waiting) {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
      }
      if (kind.hasInit() || kind.hidesSignals()) {
        // Who is killed is not who receives the command, and would still begin to run it.
        HostProcess.await("it is noticed", () -> sandbox.waiting() == 0);
      }
      for (int i = 0; i < 2 * COUNT; i++) {
        assertEquals("run\n", output(shell(sandbox, "echo run")));
      }
      awaitFull(sandbox);
    }
  }

  @EachSandbox
  void theyEndWhenTheSandboxIsClosedOrWantsNone(SandboxKind kind) throws Exception {
    List<Long> others = HostProcess.children();
    List<String> descriptors = HostProcess.descriptors();
    Sandbox sandbox = prewarmed(kind);
    sandbox.prewarm(0);
    assertEquals(0, sandbox.waiting());
    HostProcess.await("they end", () -> others.containsAll(HostProcess.children()));
    sandbox.prewarm(COUNT);
    sandbox.prewarm(1);
    assertEquals(1, sandbox.waiting());
    HostProcess.await("the others end", () -> HostProcess.children().size() <= others.size() + 1);
    sandbox.close();
    HostProcess.await("it ends", () -> others.containsAll(HostProcess.children()));
    HostProcess.await(
        "nothing stays open", () -> HostProcess.descriptors().size() <= descriptors.size() + 1);
  }

  @ParameterizedTest
  @MethodSource("dev.cloister.strategies.SandboxKind#waitingAsProcesses")
  void theyUseNoProcessorWhileTheyWait(SandboxKind kind) throws Exception {
    try (Sandbox sandbox = kind.builder().build()) {
      List<Long> others = HostProcess.children();
      sandbox.prewarm(COUNT);
      List<Long> waiting = new ArrayList<>(HostProcess.children());
      waiting.removeAll(others);
      List<Long> before = waiting.stream().map(HostProcess::processorTime).toList();
      Thread.sleep(1000);
      assertEquals(before, waiting.stream().map(HostProcess::processorTime).toList());
    }
  }

  @ParameterizedTest
  @MethodSource("dev.cloister.strategies.SandboxKind#withMounts")
  void whatCannotBeSetUpIsToldAtOnce(SandboxKind kind) throws Exception {
    Path source = Files.createDirectory(directory.resolve("source"));
    try (Sandbox sandbox = kind.builder().bind(source, Path.of("/source")).build()) {
      Files.delete(source);
      SandboxException e = assertThrows(SandboxException.class, () -> sandbox.prewarm(COUNT));
      assertEquals(Phase.SET_UP, e.phase());
      assertEquals(0, sandbox.waiting());
      Files.createDirectory(source);
      assertEquals("", output(shell(sandbox, "ls /source")));
      sandbox.prewarm(COUNT);
      assertEquals(COUNT, sandbox.waiting());
    }
  }

  @EachSandbox
  void manyThreadsTakeThem(SandboxKind kind) throws Exception {
    try (Sandbox sandbox = prewarmed(kind)) {
      List<CompletableFuture<String>> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        String word = "word" + i;
        CompletableFuture<String> one = new CompletableFuture<>();
        all.add(one);
        (i % 2 == 0 ? Thread.ofPlatform() : Thread.ofVirtual())
            .start(
                () -> {
                  try {
                    one.complete(output(shell(sandbox, "echo " + word)));
                  } catch (Throwable e) {
                    one.completeExceptionally(e);
                  }
                });
      }
      for (int i = 0; i < all.size(); i++) {
        assertArrayEquals(("word" + i + "\n").getBytes(UTF_8), all.get(i).get().getBytes(UTF_8));
      }
    }
  }
}
