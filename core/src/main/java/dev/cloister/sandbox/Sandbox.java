package dev.cloister.sandbox;

import dev.cloister.ffm.LinuxException;
import dev.cloister.sandbox.SandboxException.Phase;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * A sandbox for this host, which commands are started in, each in one of its own made anew. It was
 * compiled once, to an executable that is held open until {@link #close}, and never changes; any
 * thread may use it.
 *
 * {@snippet class="dev.cloister.strategies.LibrarySnippets" region="run"}
 */
public final class Sandbox implements AutoCloseable {
  private final Launchers launchers;
  private final Starter starter;
  private final List<OsString> environment;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private @Nullable WaitingSandboxes waiting;
  private volatile boolean closed;

  Sandbox(Launchers launchers, List<OsString> environment) {
    this.launchers = launchers;
    this.starter = new Starter(launchers);
    this.environment = List.copyOf(environment);
  }

  /** An empty root and nothing else, to which more is added. */
  public static SandboxBuilder builder() {
    return new SandboxBuilder();
  }

  /**
   * A command to start in this sandbox. Without a slash in its name it is looked up in the {@code
   * PATH} of its environment, inside.
   *
   * @throws NullPointerException if a word is null
   * @throws IndexOutOfBoundsException if there is none
   */
  public SandboxCommand command(String... command) {
    return command(List.of(command));
  }

  /** The same. */
  public SandboxCommand command(List<String> command) {
    return new SandboxCommand(this, command);
  }

  /**
   * Keeps some sandboxes set up and waiting, so that a start costs little more than executing the
   * command: each that is used is replaced in the background. What they show is what was there when
   * they were set up. Returns when all wait.
   *
   * <p>They hold no processor, and end with this program, however that ends. Where no process has
   * to wait for the command, such as the init of a pid namespace, they are namespaces only, a few
   * descriptors of this program's each; else a process. Starts that find none waiting, or pass
   * descriptors, set up their own.
   *
   * @param count 0 to keep none
   * @throws SandboxException if one could not be set up; none is kept then
   * @throws InterruptedException if this thread is interrupted; they are kept nevertheless
   * @throws IllegalStateException if the sandbox is closed
   */
  public void prewarm(int count) throws SandboxException, InterruptedException {
    if (count < 0) {
      throw new IllegalArgumentException("count: " + count);
    }
    WaitingSandboxes more = replaceWaiting(count);
    if (more == null) {
      return;
    }
    try {
      more.awaitAll();
    } catch (IOException e) {
      forget(more);
      throw typed(e);
    }
  }

  /** By now there may be others in their place, or the sandbox may be closed. */
  private void forget(WaitingSandboxes failed) {
    lock.writeLock().lock();
    try {
      if (waiting == failed) {
        failed.close();
        waiting = null;
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  private @Nullable WaitingSandboxes replaceWaiting(int count) {
    lock.writeLock().lock();
    try {
      requireOpen();
      if (waiting != null) {
        waiting.close();
      }
      waiting = count == 0 ? null : WaitingSandboxes.start(starter::prepare, count);
      return waiting;
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** How many sandboxes wait for a command right now. */
  public int waiting() {
    lock.readLock().lock();
    try {
      return waiting == null ? 0 : waiting.count();
    } finally {
      lock.readLock().unlock();
    }
  }

  /** The variables of a command that does not change them. */
  List<OsString> environment() {
    return environment;
  }

  SandboxProcess start(Request request) throws SandboxException {
    // A file that it would be redirected to is left as it is.
    requireOpen();
    // Not with the lock held: a FIFO is opened when somebody opens its other side.
    try (StandardStreams streams = StandardStreams.open(request)) {
      return start(request, streams);
    } catch (IOException e) {
      throw typed(e);
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the sandbox is closed");
    }
  }

  private SandboxProcess start(Request request, StandardStreams streams) throws IOException {
    // Nobody closes the launcher while it is executed; its number could be another file's then.
    lock.readLock().lock();
    try {
      requireOpen();
      RunningChild child = startChild(request, streams);
      child.beforeEnd(() -> closeStreams(streams));
      return new SandboxProcess(child, streams);
    } catch (IOException | RuntimeException | Error e) {
      streams.processEnded();
      throw e;
    } finally {
      lock.readLock().unlock();
    }
  }

  private RunningChild startChild(Request request, StandardStreams streams) throws IOException {
    if (waiting != null && request.descriptors().isEmpty()) {
      Optional<RunningChild> child = waiting.start(request, streams);
      if (child.isPresent()) {
        return child.get();
      }
    }
    return starter.start(request, streams);
  }

  private static void closeStreams(StandardStreams streams) {
    try {
      streams.processEnded();
    } catch (LinuxException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static SandboxException typed(IOException e) {
    return e instanceof SandboxException known ? known : SandboxException.of(Phase.SPAWN, e);
  }

  /** The name of the strategy that makes it, as in {@code cloister probe}. */
  public String strategy() {
    return launchers.choice().strategy().name();
  }

  /** Why that one, and what the sandbox can be relied on for and what not: lines for a person. */
  public List<String> report() {
    return launchers.choice().report();
  }

  /**
   * Frees the launcher, and ends the sandboxes that wait for a command. Commands that run go on.
   * Waits for starts and set-ups that have begun.
   */
  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      closed = true;
      if (waiting != null) {
        waiting.close();
      }
      launchers.close();
    } catch (LinuxException e) {
      throw new UncheckedIOException(e);
    } finally {
      lock.writeLock().unlock();
    }
  }
}
