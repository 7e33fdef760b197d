package dev.cloister.sandbox;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/**
 * The handle of a sandboxed process. The JDK's own would occupy a thread for each whose end is
 * waited for; for what only looks, it is asked.
 */
final class SandboxHandle implements ProcessHandle {
  private final SandboxProcess process;

  SandboxHandle(SandboxProcess process) {
    this.process = process;
  }

  /** Nothing once the process was reaped: the id may be another's by then. */
  private Optional<ProcessHandle> jdk() {
    return process.isAlive() ? ProcessHandle.of(process.pid()) : Optional.empty();
  }

  @Override
  public long pid() {
    return process.pid();
  }

  @Override
  public Optional<ProcessHandle> parent() {
    return jdk().flatMap(ProcessHandle::parent);
  }

  @Override
  public Stream<ProcessHandle> children() {
    return jdk().stream().flatMap(ProcessHandle::children);
  }

  @Override
  public Stream<ProcessHandle> descendants() {
    return jdk().stream().flatMap(ProcessHandle::descendants);
  }

  @Override
  public Info info() {
    return jdk().map(ProcessHandle::info).orElse(Ended.INSTANCE);
  }

  @Override
  public CompletableFuture<ProcessHandle> onExit() {
    return process.onExit().thenApply(_ -> this);
  }

  @Override
  public boolean supportsNormalTermination() {
    return true;
  }

  @Override
  public boolean destroy() {
    return process.askToEnd();
  }

  @Override
  public boolean destroyForcibly() {
    return process.end();
  }

  @Override
  public boolean isAlive() {
    return process.isAlive();
  }

  @Override
  public int compareTo(ProcessHandle other) {
    return Long.compare(pid(), other.pid());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SandboxHandle handle && handle.process == process;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(pid());
  }

  @Override
  public String toString() {
    return Long.toString(pid());
  }

  /** What is known of a process that is gone. */
  private static final class Ended implements Info {
    static final Info INSTANCE = new Ended();

    @Override
    public Optional<String> command() {
      return Optional.empty();
    }

    @Override
    public Optional<String> commandLine() {
      return Optional.empty();
    }

    @Override
    public Optional<String[]> arguments() {
      return Optional.empty();
    }

    @Override
    public Optional<Instant> startInstant() {
      return Optional.empty();
    }

    @Override
    public Optional<Duration> totalCpuDuration() {
      return Optional.empty();
    }

    @Override
    public Optional<String> user() {
      return Optional.empty();
    }
  }
}
