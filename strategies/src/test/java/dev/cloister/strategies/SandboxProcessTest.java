package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.ExitStatus;
import dev.cloister.sandbox.Result;
import dev.cloister.sandbox.SandboxProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A sandboxed process as a {@link Process}: its end, and what can be done with it until then. */
@Timeout(120)
class SandboxProcessTest {
  private static Process plain(String script) throws Exception {
    return new ProcessBuilder("/bin/sh", "-c", script).start();
  }

  @EachSandbox
  void hasTheCommandsExitStatus(SandboxKind kind) throws Exception {
    for (int status : new int[] {0, 1, 42, 125, 126, 127, 143, 255}) {
      SandboxProcess process = kind.start("exit " + status);
      assertEquals(status, process.waitFor());
      assertEquals(status, process.exitValue());
      assertEquals(new ExitStatus.Exited(status), process.result().status());
      assertEquals(status == 0, process.result().isSuccess());
    }
  }

  @EachSandbox
  void tellsASignalFromAStatus(SandboxKind kind) throws Exception {
    for (int signal : new int[] {1, 9, 10, 15}) {
      String script = "kill -" + signal + " $$";
      Result result = kind.start(script).await();
      assertEquals(plain(script).waitFor(), result.exitValue());
      ExitStatus expected =
          kind.hidesSignals()
              ? new ExitStatus.Exited(128 + signal)
              : new ExitStatus.Killed(signal, false);
      assertEquals(expected, result.status());
      assertFalse(result.isSuccess());
    }
  }

  @EachSandbox
  void saysWhatTheCommandTook(SandboxKind kind) throws Exception {
    Result result = kind.start("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done").await();
    assertEquals(kind.strategy(), result.strategy());
    assertTrue(result.usage().userTime().plus(result.usage().systemTime()).toMillis() > 0);
    assertTrue(result.usage().maxResidentBytes() > 0);
    assertTrue(result.usage().minorFaults() > 0);
  }

  @EachSandbox
  void hasNoStatusWhileItRuns(SandboxKind kind) throws Exception {
    SandboxProcess process = kind.start("exec cat");
    Process plain = plain("exec cat");
    assertTrue(process.isAlive());
    Exception refusal = assertThrows(IllegalThreadStateException.class, plain::exitValue);
    Exception own = assertThrows(IllegalThreadStateException.class, process::exitValue);
    assertEquals(refusal.getMessage(), own.getMessage());
    assertThrows(IllegalThreadStateException.class, process::result);
    plain.destroy();
    process.getOutputStream().close();
    assertEquals(0, process.waitFor());
    assertFalse(process.isAlive());
  }

  @EachSandbox
  void isWaitedForWithinATime(SandboxKind kind) throws Exception {
    SandboxProcess process = kind.start("exec cat");
    for (long time : new long[] {Long.MIN_VALUE, -1, 0, 1}) {
      assertFalse(process.waitFor(time, TimeUnit.MILLISECONDS));
      assertEquals(Optional.empty(), process.await(time, TimeUnit.MILLISECONDS));
    }
    process.getOutputStream().close();
    assertTrue(process.waitFor(Long.MAX_VALUE, TimeUnit.DAYS));
    assertTrue(process.waitFor(0, TimeUnit.DAYS));
    assertTrue(process.await(-1, TimeUnit.DAYS).isPresent());
  }

  @EachSandbox
  void anInterruptEndsTheWaitAndNotTheCommand(SandboxKind kind) throws Exception {
    SandboxProcess process = kind.start("exec cat");
    for (Thread.Builder builder : List.of(Thread.ofPlatform(), Thread.ofVirtual())) {
      CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
      Thread waiter =
          builder.start(
              () -> {
                try {
                  process.waitFor();
                  interrupted.complete(false);
                } catch (InterruptedException e) {
                  interrupted.complete(!Thread.currentThread().isInterrupted());
                }
              });
      HostProcess.await("it waits", () -> waiter.getState() != Thread.State.NEW);
      waiter.interrupt();
      assertTrue(interrupted.get());
    }
    assertTrue(process.isAlive());
    process.destroy();
    assertEquals(143, process.waitFor());
  }

  @EachSandbox
  void anInterruptBeforeTheWaitEndsItToo(SandboxKind kind) throws Exception {
    SandboxProcess process = kind.start("exec cat");
    Thread.currentThread().interrupt();
    assertThrows(InterruptedException.class, process::waitFor);
    assertFalse(Thread.currentThread().isInterrupted());
    Thread.currentThread().interrupt();
    assertThrows(InterruptedException.class, () -> process.waitFor(1, TimeUnit.DAYS));
    process.destroy();
    assertEquals(143, process.waitFor());
  }

  @EachSandbox
  void waitingForManyNeedsNoThreadForEach(SandboxKind kind) throws Exception {
    int many = 50;
    kind.start("exit 0").onExit().get();
    int before = Thread.getAllStackTraces().size();
    List<SandboxProcess> processes = new ArrayList<>();
    List<CompletableFuture<?>> ends = new ArrayList<>();
    for (int i = 0; i < many; i++) {
      SandboxProcess process = kind.start("exec cat");
      processes.add(process);
      ends.add(process.onExit());
      ends.add(process.toHandle().onExit());
    }
    int during = Thread.getAllStackTraces().size();
    assertTrue(during - before < many / 2, () -> before + " threads became " + during);
    for (SandboxProcess process : processes) {
      process.getOutputStream().close();
    }
    CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new)).get(60, TimeUnit.SECONDS);
  }

  @EachSandbox
  void tellsOfItsEnd(SandboxKind kind) throws Exception {
    SandboxProcess process = kind.start("read line; exit 7");
    CompletableFuture<Process> end = process.onExit();
    CompletableFuture<ProcessHandle> endOfHandle = process.toHandle().onExit();
    assertFalse(end.isDone());
    assertFalse(endOfHandle.isDone());
    process.getOutputStream().close();
    assertSame(process, end.get());
    assertEquals(7, end.get().exitValue());
    assertEquals(process.toHandle(), endOfHandle.get());
    assertSame(process, process.onExit().get());
  }

  @EachSandbox
  void whoListensToItsEndMayBlock(SandboxKind kind) throws Exception {
    SandboxProcess first = kind.start("exit 0");
    CompletableFuture<Integer> second =
        first
            .onExit()
            .thenApply(
                _ -> {
                  try {
                    return kind.start("exit 9").waitFor();
                  } catch (Exception e) {
                    throw new AssertionError(e);
                  }
                });
    assertEquals(9, second.get(60, TimeUnit.SECONDS));
  }

  @EachSandbox
  void aCancelledListenerHarmsNobody(SandboxKind kind) throws Exception {
    SandboxProcess process = kind.start("read line; exit 3");
    assertTrue(process.onExit().cancel(true));
    assertTrue(process.onExit().complete(process));
    assertTrue(process.isAlive());
    process.getOutputStream().close();
    assertEquals(3, process.waitFor());
  }

  @EachSandbox
  void hasAHandle(SandboxKind kind) throws Exception {
    SandboxProcess process = kind.start("sleep 1000 & wait");
    ProcessHandle handle = process.toHandle();
    ProcessHandle jdk = ProcessHandle.of(process.pid()).orElseThrow();
    assertEquals(process.pid(), handle.pid());
    assertTrue(handle.isAlive());
    assertTrue(handle.supportsNormalTermination());
    assertEquals(jdk.parent(), handle.parent());
    assertEquals(Optional.of(ProcessHandle.current()), handle.parent());
    assertEquals(jdk.info().startInstant(), handle.info().startInstant());
    assertEquals(jdk.info().user(), process.info().user());
    assertEquals(handle, process.toHandle());
    assertEquals(handle.hashCode(), process.toHandle().hashCode());
    assertEquals(0, handle.compareTo(jdk));
    assertEquals(Long.toString(process.pid()), handle.toString());
    assertNotEquals(0, handle.compareTo(ProcessHandle.current()));
    HostProcess.await("its child", () -> process.descendants().findAny().isPresent());
    List<ProcessHandle> all = process.descendants().toList();
    handle.destroyForcibly();
    process.waitFor();
    all.forEach(ProcessHandle::destroyForcibly);
    assertFalse(handle.isAlive());
    assertEquals(0, handle.descendants().count());
    assertEquals(0, process.children().count());
    assertEquals(Optional.empty(), handle.parent());
    assertEquals(Optional.empty(), handle.info().command());
    assertFalse(handle.destroy());
    assertFalse(handle.destroyForcibly());
  }

  @EachSandbox
  void canBeAskedToEnd(SandboxKind kind) throws Exception {
    SandboxProcess process =
        kind.start("trap 'echo asked; exit 5' TERM; echo ready; while :; do sleep 0.01; done");
    assertEquals("ready", process.inputReader().readLine());
    assertTrue(process.supportsNormalTermination());
    process.destroy();
    assertEquals("asked", process.inputReader().readLine());
    assertEquals(5, process.waitFor());
    process.destroy();
    assertSame(process, process.destroyForcibly());
  }

  @EachSandbox
  void canBeEndedForcibly(SandboxKind kind) throws Exception {
    SandboxProcess process = kind.start("trap '' TERM; echo ready; while :; do sleep 0.01; done");
    assertEquals("ready", process.inputReader().readLine());
    process.destroy();
    assertFalse(process.waitFor(50, TimeUnit.MILLISECONDS));
    assertSame(process, process.destroyForcibly());
    assertEquals(137, process.waitFor());
    assertEquals(new ExitStatus.Killed(9, false), process.result().status());
  }

  @ParameterizedTest
  @MethodSource("dev.cloister.strategies.SandboxKind#withInit")
  void endsWithAllThatItStarted(SandboxKind kind) throws Exception {
    String mark = "1000." + System.nanoTime();
    String script = "setsid sleep " + mark + " & sleep " + mark + " & echo; wait";
    SandboxProcess process = kind.start(script);
    HostProcess.await("they run", () -> HostProcess.marked(mark).size() >= 3);
    process.destroyForcibly();
    process.waitFor();
    HostProcess.await("they end", () -> HostProcess.marked(mark).isEmpty());
  }

  @EachSandbox
  void outlivesTheThreadThatStartedIt(SandboxKind kind) throws Exception {
    for (Thread.Builder builder : List.of(Thread.ofPlatform(), Thread.ofVirtual())) {
      CompletableFuture<SandboxProcess> started = new CompletableFuture<>();
      Thread starter =
          builder.start(
              () -> {
                try {
                  started.complete(kind.start("read line; exit 11"));
                } catch (Exception e) {
                  started.completeExceptionally(e);
                }
              });
      SandboxProcess process = started.get();
      starter.join();
      assertFalse(process.waitFor(50, TimeUnit.MILLISECONDS));
      process.getOutputStream().close();
      // Nobody waits: it is reaped all the same.
      HostProcess.await("it ends", () -> !process.isAlive());
      HostProcess.await("it is reaped", () -> !HostProcess.children().contains(process.pid()));
      assertEquals(11, process.exitValue());
    }
  }
}
