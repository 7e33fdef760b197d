package dev.cloister.sandbox;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.ExitStatus;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.Messages;
import dev.cloister.sandbox.LauncherReport.Failed;
import dev.cloister.sandbox.SandboxException.Failure;
import dev.cloister.sandbox.SandboxException.Phase;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Follows a launcher until it has become its command, or failed to. */
final class SetUp {
  private static final int CHUNK = 4096;

  /** A launcher that says nothing any more ends by itself, at once. */
  private static final long GRACE_SECONDS = 2;

  private final RunningChild child;
  private final Descriptor channel;
  private final Consumer<Descriptor> received;
  private final ByteArrayOutputStream said = new ByteArrayOutputStream();
  private final byte[] chunk = new byte[CHUNK];

  /**
   * Follows it.
   *
   * @param received takes the descriptors that the launcher sends
   */
  private SetUp(RunningChild child, Descriptor channel, Consumer<Descriptor> received) {
    this.child = child;
    this.channel = channel;
    this.received = received;
  }

  private SetUp(RunningChild child, Descriptor channel) {
    this(child, channel, child::keepNamespace);
  }

  /**
   * Follows it to the end of its report, which comes when it executes the command: that holds no
   * copy of the channel.
   *
   * @throws SandboxException if the command did not start; the process has ended then and was
   *     reaped
   */
  static void await(RunningChild child, Descriptor channel, Request request) throws IOException {
    SetUp setUp = new SetUp(child, channel);
    if (!setUp.becomesCommand(request)) {
      throw setUp.ended();
    }
  }

  /**
   * The same for one that waited for its command.
   *
   * @return false if somebody ended it before: the command did not run, and can be started anew
   */
  static boolean awaitUnlessEnded(RunningChild child, Descriptor channel, Request request)
      throws IOException {
    if (new SetUp(child, channel).becomesCommand(request)) {
      return true;
    }
    child.kill();
    return false;
  }

  /**
   * Follows it until it waits for its command.
   *
   * @throws SandboxException if it does not come so far; the process has ended then
   */
  static void awaitReady(RunningChild child, Descriptor channel) throws IOException {
    new SetUp(child, channel).awaitReady();
  }

  /**
   * Follows one that sets a sandbox up and leaves it to others, to its end.
   *
   * @param count how many namespaces there are
   * @return descriptors of them
   * @throws SandboxException if it fails; nothing is left then
   */
  static List<Descriptor> awaitNamespaces(RunningChild child, Descriptor channel, int count)
      throws IOException {
    List<Descriptor> namespaces = new ArrayList<>();
    try {
      new SetUp(child, channel, namespaces::add).awaitReady();
      child.ended().join();
      requireAll(namespaces, count);
      return namespaces;
    } catch (IOException | RuntimeException e) {
      for (Descriptor namespace : namespaces) {
        namespace.close();
      }
      throw e;
    }
  }

  /** The kernel drops without a word what it finds no number for. */
  private static void requireAll(List<Descriptor> namespaces, int count) throws SandboxException {
    if (namespaces.size() != count) {
      throw new SandboxException(
          Phase.SPAWN, "too many open files: a sandbox was lost", Failure.UNKNOWN);
    }
  }

  private boolean becomesCommand(Request request) throws IOException {
    if (!child.isSettled()) {
      awaitHangup();
    }
    while (receive()) {
      // All was said before.
    }
    LauncherReport report = report().naming(request);
    requireNoFailure(report);
    return report.executing();
  }

  /** A virtual thread would keep the thread that carries it from others while a call blocks. */
  private void awaitHangup() throws LinuxException {
    if (!Thread.currentThread().isVirtual()) {
      channel.awaitHangup();
      return;
    }
    Readiness hangup = new Readiness(channel, LinuxConstant.EPOLLHUP);
    hangup.lock().lock();
    try {
      hangup.await();
      hangup.leave();
    } finally {
      hangup.lock().unlock();
    }
  }

  private void awaitReady() throws IOException {
    LauncherReport report = report();
    while (!report.ready() && receive()) {
      report = report();
    }
    requireNoFailure(report);
    if (!report.ready()) {
      throw ended();
    }
  }

  private LauncherReport report() {
    byte[] all = said.toByteArray();
    return LauncherReport.parse(all, all.length);
  }

  /** Whether there may be more. */
  private boolean receive() throws LinuxException {
    int count = Messages.receive(channel, chunk, received);
    said.write(chunk, 0, Math.max(count, 0));
    return count >= 0;
  }

  private void requireNoFailure(LauncherReport report) throws IOException {
    if (report.failed().isPresent()) {
      child.kill();
      throw report.failed().get().toException();
    }
  }

  /** What a launcher's waiting process had to say, or else how it ended. */
  private SandboxException ended() throws LinuxException {
    Optional<Failed> lastWords = lastWords().failed();
    if (lastWords.isPresent()) {
      return lastWords.get().toException();
    }
    String how =
        switch (child.ended().join().status()) {
          case ExitStatus.Exited exited -> "ended with status " + exited.code();
          case ExitStatus.Killed killed -> "was ended by signal " + killed.signal();
        };
    return new SandboxException(
        Phase.SET_UP, "the launcher " + how + " before the command started", Failure.UNKNOWN);
  }

  private LauncherReport lastWords() throws LinuxException {
    try {
      child.ended().copy().orTimeout(GRACE_SECONDS, TimeUnit.SECONDS).join();
    } catch (CompletionException e) {
      child.kill();
    }
    return child.lastWords();
  }
}
