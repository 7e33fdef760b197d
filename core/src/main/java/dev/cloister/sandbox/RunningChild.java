package dev.cloister.sandbox;

import dev.cloister.ffm.ChildProcess;
import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import dev.cloister.spec.Handover;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A launcher's process from its start to its end, which is noticed and reaped whether anybody waits
 * for it or not.
 */
final class RunningChild {
  /** More than a launcher's longest message but one that names the whole PATH. */
  private static final int LONGEST_WORDS = 16 * 1024;

  /** For what takes the kernel less than one, as long as the process is not stopped. */
  private static final long PATIENCE_MILLIS = 1000;

  private final ChildProcess process;
  private final String strategy;
  private final @Nullable Descriptor statusChannel;
  private final boolean isSettled;
  private final CompletableFuture<Result> ended = new CompletableFuture<>();
  private EventThread.@Nullable Watch watch;
  private Runnable whenEnded = () -> {};
  private boolean isWaitedFor;
  private boolean hasThread;
  private boolean isReaped;
  private boolean isReleased;
  private final List<Descriptor> namespaces = new ArrayList<>();
  private volatile LauncherReport lastWords = LauncherReport.NOTHING;

  private RunningChild(
      ChildProcess process,
      String strategy,
      @Nullable Descriptor statusChannel,
      boolean isSettled) {
    this.process = process;
    this.strategy = strategy;
    this.statusChannel = statusChannel;
    this.isSettled = isSettled;
  }

  /**
   * Takes over a process that was just started. If that is impossible, it is killed.
   *
   * @param statusChannel the reading end, if the launcher has a process that waits
   * @param isSettled whether it has become its command already, or ended
   */
  static RunningChild adopt(
      ChildProcess process,
      String strategy,
      @Nullable Descriptor statusChannel,
      boolean isSettled) {
    RunningChild child = new RunningChild(process, strategy, statusChannel, isSettled);
    try {
      child.follow();
      return child;
    } catch (RuntimeException | Error e) {
      end(process, e);
      throw e;
    }
  }

  private void follow() {
    if (process.pidfd().isPresent()) {
      Later.run(this::watch);
    } else {
      waitInThread();
    }
  }

  /** Of what nobody follows nothing may be left. */
  private static void end(ChildProcess process, Throwable reason) {
    try (process) {
      process.signal(LinuxConstant.SIGKILL);
      process.await();
    } catch (LinuxException e) {
      reason.addSuppressed(e);
    }
  }

  /**
   * Has the thread for events notice the end, unless another does. Not at once: most of those who
   * start a short command wait for it, and then two threads would be woken for one event.
   */
  private synchronized void watch() {
    Optional<Descriptor> pidfd = process.pidfd();
    if (isReaped || isWaitedFor || hasThread || watch != null || pidfd.isEmpty()) {
      return;
    }
    try {
      watch = EventThread.shared().watch(pidfd.get(), LinuxConstant.EPOLLIN, this::reap);
    } catch (LinuxException e) {
      // There may be too many watches (epoll(7), max_user_watches). It must be reaped all the same.
      waitInThread();
    }
  }

  /**
   * Where there are no pidfds (Linux before 5.3) only a thread of its own can wait without polling.
   */
  private synchronized void waitInThread() {
    Thread.ofPlatform().name("cloister-wait").daemon().start(this::awaitAndReap);
    hasThread = true;
  }

  private void awaitAndReap() {
    try {
      process.await();
      reap();
    } catch (LinuxException e) {
      ended.completeExceptionally(e);
    }
  }

  private void reap() {
    try {
      Optional<ChildProcess.Ended> end = process.ended();
      if (end.isPresent()) {
        finish(end.get());
      } else {
        rearm();
      }
    } catch (LinuxException | RuntimeException | Error e) {
      ended.completeExceptionally(e);
    }
  }

  private synchronized void rearm() throws LinuxException {
    if (watch != null) {
      watch.rearm();
    }
  }

  /**
   * Waits in the calling thread, in place of the one for events, if that can be: an end is noticed
   * the sooner for it. Where it cannot, as without a descriptor for that, or when it returns,
   * {@link #ended} is to be waited for.
   *
   * @throws InterruptedException if this thread is interrupted
   */
  void awaitDirectly() throws LinuxException, InterruptedException {
    Optional<Descriptor> pidfd = takeOver();
    if (pidfd.isEmpty()) {
      return;
    }
    try {
      // A short command often has ended by now, and then there is nothing to wait in.
      reap();
      if (!isReaped()) {
        DirectWait.await(pidfd.get());
        reap();
      }
    } catch (LinuxException e) {
      // The thread for events needs nothing for it that could be lacking.
    } finally {
      giveBack();
    }
  }

  private synchronized boolean isReaped() {
    return isReaped;
  }

  /** From now on nobody closes it. */
  private synchronized Optional<Descriptor> takeOver() throws LinuxException {
    if (isReaped || isWaitedFor || hasThread || Thread.currentThread().isVirtual()) {
      return Optional.empty();
    }
    if (watch != null) {
      watch.cancel();
      watch = null;
    }
    isWaitedFor = process.pidfd().isPresent();
    return process.pidfd();
  }

  private synchronized void giveBack() throws LinuxException {
    isWaitedFor = false;
    if (isReaped) {
      process.close();
    } else {
      watch();
    }
  }

  /** By whoever notices the end first. */
  private void finish(ChildProcess.Ended end) throws LinuxException {
    if (!markReaped()) {
      return;
    }
    lastWords = readLastWords();
    ChildProcess.Ended ofCommand = lastWords.ended().orElse(end);
    Runnable last = release();
    last.run();
    ended.complete(new Result(ofCommand.status(), ofCommand.usage(), strategy));
    releaseNamespaces();
  }

  private synchronized boolean markReaped() {
    boolean first = !isReaped;
    isReaped = true;
    return first;
  }

  private synchronized Runnable release() throws LinuxException {
    if (watch != null) {
      watch.cancel();
    }
    if (!isWaitedFor) {
      process.close();
    }
    if (statusChannel != null) {
      statusChannel.close();
    }
    isReleased = true;
    return whenEnded;
  }

  /** Has this done before anybody learns that the process has ended, or at once if it has. */
  void beforeEnd(Runnable last) {
    synchronized (this) {
      if (!isReleased) {
        whenEnded = last;
        return;
      }
    }
    last.run();
  }

  private synchronized void releaseNamespaces() {
    namespaces.forEach(NamespaceRelease.shared()::close);
    namespaces.clear();
  }

  /**
   * Takes over a namespace of the command's, which is thereby kept until its end is known: taking
   * its mounts down is then nothing that anybody waits for.
   */
  synchronized void keepNamespace(Descriptor namespace) {
    namespaces.add(namespace);
    if (ended.isDone()) {
      releaseNamespaces();
    }
  }

  /** Does not block: what was to be written was written before the end. */
  private LauncherReport readLastWords() throws LinuxException {
    if (statusChannel == null) {
      return LauncherReport.NOTHING;
    }
    byte[] words = new byte[LONGEST_WORDS];
    int size = statusChannel.tryRead(words, 0, words.length);
    return size > 0 ? LauncherReport.parse(words, size) : LauncherReport.NOTHING;
  }

  /** What the launcher's waiting process said, once this has ended. */
  LauncherReport lastWords() {
    return lastWords;
  }

  /** Whether all has been said on its way to the command, or to its end. */
  boolean isSettled() {
    return isSettled;
  }

  int pid() {
    return process.pid();
  }

  /** Completed by the thread that everyone's events need: what depends on it must not block. */
  CompletableFuture<Result> ended() {
    watch();
    return ended;
  }

  boolean isEnded() {
    return ended.isDone();
  }

  /** Sends a signal, unless the process has ended: whether it was sent. */
  synchronized boolean signal(LinuxConstant signal) throws LinuxException {
    if (isReaped || process.ended().isPresent()) {
      return false;
    }
    try {
      process.signal(signal);
      return true;
    } catch (LinuxException e) {
      // It has just ended, and was reaped by who was waiting for that.
      if (e.is(Errno.ESRCH)) {
        return false;
      }
      throw e;
    }
  }

  /**
   * Ends it: whether it had not ended. A process that waits for the command is asked to see to
   * that, and ends after it; should it be stopped, it is killed itself.
   */
  boolean destroy() throws LinuxException {
    if (statusChannel == null) {
      return signal(LinuxConstant.SIGKILL);
    }
    if (!signal(Handover.KILLER)) {
      return false;
    }
    CompletableFuture.delayedExecutor(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
        .execute(this::killIfAlive);
    return true;
  }

  private void killIfAlive() {
    try {
      signal(LinuxConstant.SIGKILL);
    } catch (LinuxException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends it at once and waits until it has ended. */
  void kill() throws LinuxException {
    signal(LinuxConstant.SIGKILL);
    ended().join();
  }
}
