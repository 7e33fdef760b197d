package dev.cloister.sandbox;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.Messages;
import dev.cloister.ffm.SocketPair;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Sandboxes of one kind that are set up and wait for a command. Each is used once; in its place a
 * thread in the background starts another. They end with this JVM, whose end of their sockets is
 * the only one.
 */
final class WaitingSandboxes implements AutoCloseable {
  /** In bytes, of what precedes the strings of a command. */
  private static final int HEADER = 16;

  /** A short command has ended by then. */
  private static final long PAUSE_NANOS = 2_000_000;

  private final Starter starter;
  private final int size;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private int wanted;
  private boolean isStarting;
  private boolean closed;
  private @Nullable IOException failure;

  private WaitingSandboxes(Starter starter, int size) {
    this.starter = starter;
    this.size = size;
    this.wanted = size;
  }

  /** One that waits, and the socket on which its command is sent to it. */
  private record Waiting(RunningChild child, Descriptor socket) {}

  /** Starts as many, in the background. */
  static WaitingSandboxes start(Starter starter, int size) {
    WaitingSandboxes sandboxes = new WaitingSandboxes(starter, size);
    Thread.ofPlatform()
        .name("cloister-prewarm")
        .daemon()
        .inheritInheritableThreadLocals(false)
        .start(sandboxes::refill);
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

  private void refill() {
    while (awaitDemand()) {
      try {
        add(startOne());
      } catch (IOException | RuntimeException e) {
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
      letStart();
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  /** Leaves the processors to what was just started, unless the next start would find none. */
  private void letStart() {
    long left = PAUSE_NANOS;
    while (isStarting && !waiting.isEmpty() && !closed && left > 0) {
      try {
        left = changed.awaitNanos(left);
      } catch (InterruptedException e) {
        // Nobody has a reason to.
        left = 0;
      }
    }
    isStarting = false;
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

  private Waiting startOne() throws IOException {
    SocketPair sockets = SocketPair.open();
    try {
      RunningChild child = start(sockets.second());
      SetUp.awaitReady(child, sockets.first());
      return new Waiting(child, sockets.first());
    } catch (IOException | RuntimeException e) {
      try (sockets) {
        throw e;
      }
    }
  }

  /** Only the launcher may hold its end, or nobody would notice that it is gone. */
  private RunningChild start(Descriptor theirs) throws IOException {
    try (theirs) {
      return starter.startWaiting(theirs);
    }
  }

  private void add(Waiting one) throws LinuxException {
    if (!keep(one)) {
      one.socket().close();
      return;
    }
    one.child().beforeEnd(() -> discard(one));
  }

  private boolean keep(Waiting one) {
    lock.lock();
    try {
      if (closed) {
        return false;
      }
      waiting.add(one);
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
      one.socket().close();
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
    for (Optional<Waiting> next = take(); next.isPresent(); next = take()) {
      Waiting one = next.get();
      try (Descriptor socket = one.socket()) {
        if (send(request, streams, socket)
            && SetUp.awaitUnlessEnded(one.child(), socket, request)) {
          streams.close();
          return Optional.of(one.child());
        }
      }
    }
    return Optional.empty();
  }

  private Optional<Waiting> take() {
    lock.lock();
    try {
      Waiting one = waiting.poll();
      if (!closed) {
        wanted = size - waiting.size();
        isStarting = true;
        changed.signalAll();
      }
      return Optional.ofNullable(one);
    } finally {
      lock.unlock();
    }
  }

  /** Whether it got the command: one that has ended gets nothing any more. */
  private static boolean send(Request request, StandardStreams streams, Descriptor socket)
      throws LinuxException {
    List<Descriptor> standard = List.of(streams.theirs(0), streams.theirs(1), streams.theirs(2));
    try {
      Messages.send(socket, encode(request), standard);
      return true;
    } catch (LinuxException e) {
      if (e.is(Errno.EPIPE) || e.is(Errno.ECONNRESET)) {
        return false;
      }
      throw e;
    }
  }

  /** The size of the strings, how many arguments and variables they are, and each with its NUL. */
  static byte[] encode(Request request) {
    List<OsString> strings = request.arguments();
    int arguments = strings.size();
    strings.addAll(request.environment());
    int size = 0;
    for (OsString string : strings) {
      size = Math.addExact(size, string.length() + 1);
    }
    ByteBuffer message =
        ByteBuffer.allocate(Math.addExact(HEADER, size)).order(ByteOrder.LITTLE_ENDIAN);
    message.putInt(size).putInt(arguments).putInt(strings.size() - arguments).putInt(0);
    for (OsString string : strings) {
      message.put(string.bytes()).put((byte) 0);
    }
    return message.array();
  }

  /** Ends those that wait. */
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
  }
}
