package dev.cloister.sandbox;

import dev.cloister.ffm.LinuxException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Sandboxes of one kind that are set up and wait for a command. Each is used once; in its place a
 * thread in the background starts another. They end with this JVM, which alone has what keeps them.
 */
final class WaitingSandboxes implements AutoCloseable {
  private final Source source;
  private final int size;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private int wanted;
  private boolean closed;
  private @Nullable IOException failure;

  private final Thread thread =
      Thread.ofPlatform()
          .name("cloister-prewarm")
          .daemon()
          .inheritInheritableThreadLocals(false)
          .unstarted(this::refill);

  /** Sets one up. */
  @FunctionalInterface
  interface Source {
    Waiting prepare() throws IOException;
  }

  private WaitingSandboxes(Source source, int size) {
    this.source = source;
    this.size = size;
    this.wanted = size;
  }

  /** Starts as many, in the background. */
  static WaitingSandboxes start(Source source, int size) {
    WaitingSandboxes sandboxes = new WaitingSandboxes(source, size);
    sandboxes.thread.start();
    return sandboxes;
  }

  /**
   * Waits until all wait.
   *
   * @throws SandboxException if one could not be set up
   */
  void awaitAll() throws IOException, InterruptedException {
    lock.lockInterruptibly();
    try {
      while (wanted > 0 && failure == null && !closed) {
        changed.await();
      }
      if (failure != null) {
        throw failure;
      }
    } finally {
      lock.unlock();
    }
  }

  /** How many wait. */
  int count() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  /** Whatever goes wrong is told: who waits would wait forever for a thread that died of it. */
  private void refill() {
    while (awaitDemand()) {
      try {
        add(source.prepare());
      } catch (Throwable e) {
        giveUp(e instanceof IOException known ? known : new IOException(e));
      }
    }
  }

  private boolean awaitDemand() {
    lock.lock();
    try {
      while (wanted == 0 && !closed) {
        changed.awaitUninterruptibly();
      }
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  /** The next start that finds none here tries for itself, and says what is wrong. */
  private void giveUp(IOException e) {
    lock.lock();
    try {
      failure = e;
      wanted = 0;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void add(Waiting one) throws LinuxException {
    if (!keep(one)) {
      one.end();
    }
  }

  private boolean keep(Waiting one) {
    lock.lock();
    try {
      if (closed) {
        return false;
      }
      waiting.add(one);
      // Before anybody can take it: a start has its process do something else at its end.
      one.whenLost(() -> discard(one));
      wanted--;
      failure = null;
      changed.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * One that somebody killed before it had a command. It is replaced when the next is taken, and
   * not at once: what killed it would perhaps kill its successors as fast.
   */
  private void discard(Waiting one) {
    boolean mine;
    lock.lock();
    try {
      mine = waiting.remove(one);
    } finally {
      lock.unlock();
    }
    if (mine) {
      close(one);
    }
  }

  private static void close(Waiting one) {
    try {
      one.end();
    } catch (LinuxException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Has one that waits become the command.
   *
   * @return nothing if none waits
   * @throws SandboxException if the command did not start
   */
  Optional<RunningChild> start(Request request, StandardStreams streams) throws IOException {
    try {
      for (Optional<Waiting> next = take(); next.isPresent(); next = take()) {
        Optional<RunningChild> child = next.get().start(request, streams);
        if (child.isPresent()) {
          return child;
        }
      }
      return Optional.empty();
    } finally {
      // Until then the processors are left to what was just started.
      Later.run(this::wakeStarter);
    }
  }

  /** It is not woken here unless the next start would find none. */
  private Optional<Waiting> take() {
    lock.lock();
    try {
      Waiting one = waiting.poll();
      if (!closed) {
        wanted = size - waiting.size();
      }
      if (waiting.isEmpty()) {
        changed.signalAll();
      }
      return Optional.ofNullable(one);
    } finally {
      lock.unlock();
    }
  }

  private void wakeStarter() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Ends those that wait, and waits for one that is being set up: no launcher is needed then. */
  @Override
  public void close() {
    Deque<Waiting> rest;
    lock.lock();
    try {
      closed = true;
      rest = new ArrayDeque<>(waiting);
      waiting.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    rest.forEach(WaitingSandboxes::close);
    joinThread();
  }

  private void joinThread() {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
