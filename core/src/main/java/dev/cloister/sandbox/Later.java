package dev.cloister.sandbox;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.Timer;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Has things done in a moment, when a short command has had time to end, by the thread for events.
 * No thread is woken before: that would take a processor from the command that was just started.
 */
final class Later {
  private static final Duration MOMENT = Duration.ofMillis(2);
  private static final Duration FOREVER = Duration.ofDays(1);

  private final Timer timer;
  private final Deque<Due> due = new ArrayDeque<>();
  private final EventThread.Watch watch;
  private boolean isSet;

  /**
   * Something to do.
   *
   * @param time from which on, as {@link System#nanoTime} has it
   */
  private record Due(long time, Runnable action) {}

  private static @Nullable Later shared;

  private Later(Timer timer) throws LinuxException {
    this.timer = timer;
    this.watch =
        EventThread.shared().watch(timer.descriptor(), LinuxConstant.EPOLLIN, this::onTimer);
  }

  private static synchronized Later shared() throws LinuxException {
    if (shared == null) {
      shared = open();
    }
    return shared;
  }

  private static Later open() throws LinuxException {
    Timer timer = Timer.open();
    try {
      return new Later(timer);
    } catch (LinuxException | RuntimeException | Error e) {
      try (timer) {
        throw e;
      }
    }
  }

  /**
   * Has it done; at once where there is no timer.
   *
   * @param action must not block
   */
  static void run(Runnable action) {
    try {
      shared().add(action);
    } catch (LinuxException e) {
      action.run();
    }
  }

  private synchronized void add(Runnable action) throws LinuxException {
    if (!isSet) {
      timer.set(MOMENT);
      isSet = true;
    }
    due.add(new Due(System.nanoTime() + MOMENT.toNanos(), action));
  }

  private void onTimer() {
    try {
      takeDue().forEach(EventThread::react);
    } finally {
      setAgain();
    }
  }

  private synchronized List<Runnable> takeDue() {
    List<Runnable> actions = new ArrayList<>();
    long now = System.nanoTime();
    while (!due.isEmpty() && due.element().time() - now <= 0) {
      actions.add(due.remove().action());
    }
    return actions;
  }

  private synchronized void setAgain() {
    try {
      isSet = !due.isEmpty();
      // Where nothing is due, this only makes the timer forget that it has expired.
      timer.set(isSet ? left(due.element()) : FOREVER);
      watch.rearm();
    } catch (LinuxException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A timer cannot be set to none. */
  private static Duration left(Due next) {
    return Duration.ofNanos(Math.max(1, next.time() - System.nanoTime()));
  }
}
