package dev.cloister.sandbox;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.EventQueue;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that waits for all processes and streams of this JVM's sandboxes: epoll(7). It
 * sleeps while nothing happens, and does no more than what cannot block.
 */
final class EventThread {
  /** How many events are taken at once, at most. */
  private static final int BATCH = 64;

  private final EventQueue queue;
  private final Map<Long, Runnable> reactions = new ConcurrentHashMap<>();
  private final AtomicLong lastToken = new AtomicLong();

  private static @Nullable EventThread shared;

  private EventThread(EventQueue queue) {
    this.queue = queue;
  }

  /**
   * Started when the first sandbox needs it. Not when a class is initialized: that is tried once,
   * and the descriptors that are lacking now may be there later.
   *
   * @throws LinuxException if it cannot be started now
   */
  static synchronized EventThread shared() throws LinuxException {
    if (shared == null) {
      shared = start();
    }
    return shared;
  }

  private static EventThread start() throws LinuxException {
    EventQueue queue = EventQueue.open();
    try {
      EventThread events = new EventThread(queue);
      Thread.ofPlatform()
          .name("cloister-events")
          .daemon()
          .inheritInheritableThreadLocals(false)
          .start(events::run);
      return events;
    } catch (RuntimeException | Error e) {
      try (queue) {
        throw e;
      }
    }
  }

  /**
   * Sees to it that there is one: to be called before there is a process whose end would else go
   * unnoticed.
   *
   * @throws LinuxException if it cannot be started now
   */
  static void require() throws LinuxException {
    shared();
  }

  /**
   * A descriptor that is watched. Its owner cancels the watch before closing the descriptor: a
   * process that is just being started holds a copy, and the kernel goes on watching that.
   */
  final class Watch {
    private final Descriptor descriptor;
    private final LinuxConstant event;
    private final long token;

    private Watch(Descriptor descriptor, LinuxConstant event, long token) {
      this.descriptor = descriptor;
      this.event = event;
      this.token = token;
    }

    /** Asks for the reaction once more. */
    void rearm() throws LinuxException {
      queue.rearm(descriptor, token, event);
    }

    /** Ends the watch. A reaction that has begun goes on. */
    void cancel() throws LinuxException {
      reactions.remove(token);
      queue.forget(descriptor);
    }
  }

  /**
   * Reacts once to an event of a descriptor, which is not watched yet.
   *
   * @param reaction must not block
   */
  Watch watch(Descriptor descriptor, LinuxConstant event, Runnable reaction) throws LinuxException {
    long token = lastToken.incrementAndGet();
    reactions.put(token, reaction);
    try {
      queue.watch(descriptor, token, event);
    } catch (LinuxException e) {
      reactions.remove(token);
      throw e;
    }
    return new Watch(descriptor, event, token);
  }

  private void run() {
    long[] tokens = new long[BATCH];
    while (true) {
      try {
        int count = queue.await(tokens);
        for (int i = 0; i < count; i++) {
          Runnable reaction = reactions.get(tokens[i]);
          if (reaction != null) {
            react(reaction);
          }
        }
      } catch (LinuxException e) {
        // Only for a queue that is closed or memory that is no array, and so a mistake of ours.
        throw new UncheckedIOException(e);
      }
    }
  }

  /** What goes wrong for one process must not stop the others' events. */
  static void react(Runnable reaction) {
    try {
      reaction.run();
    } catch (RuntimeException | Error e) {
      Thread thread = Thread.currentThread();
      thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
    }
  }
}
