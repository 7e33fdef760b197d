package dev.cloister.sandbox;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A command that runs in a sandbox. It is reaped when it ends, whether or not anybody waits for it;
 * the streams of this program's that lead to it are closed then, after what it wrote was kept for
 * whoever reads it.
 *
 * <p>Waiting costs no thread of its own. All methods may be called from any thread; waiting and
 * reading in a virtual thread occupies no other.
 *
 * <p>Where the sandbox has a process of its own that waits for the command (see {@link
 * SandboxBuilder}), this is that process: it passes signals on, and its end is the end of all where
 * there is a pid namespace.
 */
public final class SandboxProcess extends Process {
  private final RunningChild child;
  private final OutputStream input;
  private final InputStream output;
  private final InputStream error;

  SandboxProcess(RunningChild child, StandardStreams streams) {
    this.child = child;
    this.input = streams.input();
    this.output = streams.output();
    this.error = streams.error();
  }

  /** Standard input of the command; takes nothing if that was redirected. Buffered. */
  @Override
  public OutputStream getOutputStream() {
    return input;
  }

  /** Standard output of the command; empty if that was redirected. */
  @Override
  public InputStream getInputStream() {
    return output;
  }

  /** Standard error of the command; empty if that was redirected. */
  @Override
  public InputStream getErrorStream() {
    return error;
  }

  @Override
  public int waitFor() throws InterruptedException {
    return await().exitValue();
  }

  @Override
  public boolean waitFor(long timeout, TimeUnit unit) throws InterruptedException {
    return await(timeout, unit).isPresent();
  }

  /**
   * Waits until the command has ended.
   *
   * @throws InterruptedException if this thread is interrupted; the command goes on
   */
  public Result await() throws InterruptedException {
    try {
      child.awaitDirectly();
      return child.ended().get();
    } catch (LinuxException e) {
      throw new UncheckedIOException(e);
    } catch (ExecutionException e) {
      throw unknown(e);
    }
  }

  /**
   * The same for some time.
   *
   * @return nothing if the command still runs
   * @throws InterruptedException if this thread is interrupted; the command goes on
   */
  public Optional<Result> await(long timeout, TimeUnit unit) throws InterruptedException {
    try {
      return Optional.of(child.ended().get(Math.max(0, timeout), unit));
    } catch (TimeoutException e) {
      return Optional.empty();
    } catch (ExecutionException e) {
      throw unknown(e);
    }
  }

  /** For one that was killed. */
  void awaitUninterruptibly() {
    child.ended().handle((_, _) -> this).join();
  }

  /** The kernel refused to say how a child ended, which happens to none that is ours. */
  private static IllegalStateException unknown(Exception e) {
    return new IllegalStateException("the process's end could not be learned", e.getCause());
  }

  /**
   * How the command ended.
   *
   * @throws IllegalThreadStateException if it still runs, as {@link #exitValue} does
   */
  public Result result() {
    if (!child.isEnded()) {
      throw new IllegalThreadStateException("process hasn't exited");
    }
    try {
      return child.ended().join();
    } catch (CancellationException | java.util.concurrent.CompletionException e) {
      throw unknown(e);
    }
  }

  /** The status of its exit, or 128 and the number of the signal that ended it. */
  @Override
  public int exitValue() {
    return result().exitValue();
  }

  @Override
  public boolean isAlive() {
    return !child.isEnded();
  }

  /** Asks the command to end: SIGTERM. */
  @Override
  public void destroy() {
    askToEnd();
  }

  /**
   * Ends it: SIGKILL. With it ends, where the sandbox has a pid namespace, every process in it, and
   * all of them are gone when this is seen to have ended; else what it has started goes on.
   */
  @Override
  public Process destroyForcibly() {
    end();
    return this;
  }

  @Override
  public boolean supportsNormalTermination() {
    return true;
  }

  /** Whether there was a process to ask. */
  boolean askToEnd() {
    try {
      return child.signal(LinuxConstant.SIGTERM);
    } catch (LinuxException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether there was a process to end. */
  boolean end() {
    try {
      return child.destroy();
    } catch (LinuxException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public long pid() {
    return child.pid();
  }

  /** A handle that waits as this does, and for the rest asks the JDK's. */
  @Override
  public ProcessHandle toHandle() {
    return new SandboxHandle(this);
  }

  @Override
  public ProcessHandle.Info info() {
    return toHandle().info();
  }

  /** Completed in another thread than the one that every process's end needs. */
  @Override
  public CompletableFuture<Process> onExit() {
    return child.ended().handleAsync((_, _) -> this);
  }

  @Override
  public String toString() {
    return "SandboxProcess[pid=%d, %s]"
        .formatted(pid(), isAlive() ? "running" : "ended with " + exitValue());
  }
}
