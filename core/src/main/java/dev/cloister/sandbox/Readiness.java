package dev.cloister.sandbox;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * This program's end of a pipe, which does not block, and the threads that wait until something can
 * be done with it. All methods are called with {@link #lock} held.
 */
final class Readiness {
  private final Descriptor pipe;
  private final LinuxConstant event;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private boolean asked;
  private boolean closed;
  private EventThread.@Nullable Watch watch;

  /**
   * Takes over an end of a pipe.
   *
   * @param event what is waited for
   * @throws LinuxException if that is impossible; the pipe stays the caller's then
   */
  Readiness(Descriptor pipe, LinuxConstant event) throws LinuxException {
    this.pipe = pipe;
    this.event = event;
    pipe.setNonBlocking();
  }

  /** Held only for what does not block. */
  ReentrantLock lock() {
    return lock;
  }

  Descriptor pipe() {
    return pipe;
  }

  /** Waits for the event, or for the close. An interrupt does not end the wait. */
  void await() throws LinuxException {
    ask();
    while (asked && !closed) {
      changed.awaitUninterruptibly();
    }
  }

  /** The kernel is asked once; whoever else waits sees the same change. */
  private void ask() throws LinuxException {
    if (asked || closed) {
      return;
    }
    asked = true;
    try {
      if (watch == null) {
        watch = EventThread.shared().watch(pipe, event, this::onEvent);
      } else {
        watch.rearm();
      }
    } catch (LinuxException e) {
      asked = false;
      throw e;
    }
  }

  private void onEvent() {
    lock.lock();
    try {
      asked = false;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Gives the pipe back. Nobody waits. */
  void leave() throws LinuxException {
    if (watch != null) {
      watch.cancel();
      watch = null;
    }
  }

  /** Closes the pipe, unless that was done, and wakes whoever waits. */
  void close() throws LinuxException {
    if (closed) {
      return;
    }
    closed = true;
    changed.signalAll();
    try (pipe) {
      if (watch != null) {
        watch.cancel();
      }
    }
  }
}
