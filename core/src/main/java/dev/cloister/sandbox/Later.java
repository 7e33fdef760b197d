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

/**
 * Has things done in a moment, when a short command has had time to end, by the thread for events.
 * No thread is woken before: that would take a processor from the command that was just started.
 */
final class Later {
  private static final Duration MOMENT = Duration.ofMillis(2);

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

  private static final class Shared {
    private static final Later INSTANCE = open();

    private static Later open() {
      try {
        return new Later(Timer.open());
      } catch (LinuxException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private Later(Timer timer) throws LinuxException {
    this.timer = timer;
    this.watch =
        EventThread.shared().watch(timer.descriptor(), LinuxConstant.EPOLLIN, this::onTimer);
  }

  static Later shared() {
    return Shared.INSTANCE;
  }

  /**
   * Has it done.
   *
   * @param action must not block
   */
  synchronized void run(Runnable action) throws LinuxException {
    due.add(new Due(System.nanoTime() + MOMENT.toNanos(), action));
    if (!isSet) {
      timer.set(MOMENT);
      isSet = true;
    }
  }

  private void onTimer() {
    for (Runnable action : takeDue()) {
      action.run();
    }
  }

  private synchronized List<Runnable> takeDue() {
    List<Runnable> actions = new ArrayList<>();
    long now = System.nanoTime();
    while (!due.isEmpty() && due.element().time() - now <= 0) {
      actions.add(due.remove().action());
    }
    try {
      // Nothing is due soon if nothing is left; to set it all the same is what resets it.
      isSet = !due.isEmpty();
      timer.set(isSet ? Duration.ofNanos(due.element().time() - now) : Duration.ofDays(1));
      watch.rearm();
    } catch (LinuxException e) {
      throw new UncheckedIOException(e);
    }
    return actions;
  }
}
