package dev.cloister.sandbox;

import dev.cloister.ffm.ChildProcess;
import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.Pipe;
import dev.cloister.ffm.SignalSet;
import dev.cloister.ffm.SocketPair;
import dev.cloister.ffm.Spawn;
import dev.cloister.sandbox.Launchers.Kind;
import dev.cloister.sandbox.Launchers.Stage;
import dev.cloister.spec.Handover;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/** Starts the launchers of one sandbox. */
final class Starter {
  private static final int STANDARD = 3;
  private static final byte[] NOTHING = "/dev/null".getBytes(StandardCharsets.US_ASCII);

  /** In place of a command that comes later. */
  private static final List<OsString> NO_COMMAND =
      List.of(OsString.of("cloister"), OsString.of(""), OsString.of(""));

  private static final int MAX_BUSY = 1000;
  private static final long BUSY_NANOS = 1_000_000;

  private final Launchers launchers;

  Starter(Launchers launchers) {
    this.launchers = launchers;
  }

  /** What a launcher is started with, but for its channels. */
  private record Order(
      Kind kind, DescriptorMoves moves, List<OsString> arguments, List<OsString> environment) {
    /**
     * The moves with those, and nothing useful at the numbers that are left over between. New ones
     * for each attempt: the channels of one that came to nothing are others' by the next.
     */
    DescriptorMoves withChannels(Descriptor report, Descriptor status) {
      Handover handover = kind.handover();
      DescriptorMoves all = moves.copy();
      all.give(report.number(), handover.report());
      all.give(status.number(), handover.status());
      for (int number = STANDARD; number < handover.report(); number++) {
        if (!all.has(number)) {
          all.give(report.number(), number);
        }
      }
      return all;
    }
  }

  /**
   * Starts a command and follows it until it runs.
   *
   * @param streams of which what the process inherits is closed when it has it
   * @throws SandboxException if it did not start; then nothing of it is left
   */
  RunningChild start(Request request, StandardStreams streams) throws IOException {
    try (PassedDescriptors passed = PassedDescriptors.copy(request.descriptors())) {
      DescriptorMoves moves = new DescriptorMoves();
      passed.addTo(moves);
      Handover handover = Handover.library(request.descriptors().keySet());
      return start(Kind.whole(handover), moves, request, streams);
    }
  }

  /**
   * The same in a sandbox that {@link #prepare} has set up.
   *
   * @param namespaces the caller's
   */
  RunningChild startIn(List<Descriptor> namespaces, Request request, StandardStreams streams)
      throws IOException {
    Handover handover = Handover.entering(namespaces.size());
    DescriptorMoves moves = new DescriptorMoves();
    for (int i = 0; i < namespaces.size(); i++) {
      moves.give(namespaces.get(i).number(), handover.firstNamespace() + i);
    }
    return start(new Kind(Stage.COMMAND, handover), moves, request, streams);
  }

  private RunningChild start(
      Kind kind, DescriptorMoves moves, Request request, StandardStreams streams)
      throws IOException {
    for (int number = 0; number < STANDARD; number++) {
      moves.give(streams.theirs(number).number(), number);
    }
    Order order = new Order(kind, moves, request.arguments(), request.environment());
    return start(
        order,
        (child, report) -> {
          streams.close();
          SetUp.await(child, report, request);
          return child;
        });
  }

  /**
   * Sets a sandbox up that waits for its command.
   *
   * @throws SandboxException if that fails; then nothing of it is left
   */
  Waiting prepare() throws IOException {
    try (Descriptor nothing = Descriptor.open(NOTHING, LinuxConstant.O_RDWR)) {
      OptionalInt namespaces = launchers.namespacesToEnter();
      if (namespaces.isPresent()) {
        return new WaitingNamespaces(this, setUp(namespaces.getAsInt(), nothing));
      }
      return startWaiting(withoutCommand(Kind.whole(Handover.PREWARMED), nothing));
    }
  }

  private List<Descriptor> setUp(int namespaces, Descriptor nothing) throws IOException {
    Kind kind = new Kind(Stage.SET_UP, Handover.library(Set.of()));
    return start(
        withoutCommand(kind, nothing),
        (child, report) -> SetUp.awaitNamespaces(child, report, namespaces));
  }

  private static Order withoutCommand(Kind kind, Descriptor nothing) {
    DescriptorMoves moves = new DescriptorMoves();
    for (int number = 0; number < STANDARD; number++) {
      moves.give(nothing.number(), number);
    }
    return new Order(kind, moves, NO_COMMAND, List.of());
  }

  private Waiting startWaiting(Order order) throws IOException {
    EventThread.require();
    SocketPair sockets = SocketPair.open();
    try {
      RunningChild child = spawn(order, sockets.second());
      SetUp.awaitReady(child, sockets.first());
      return new WaitingProcess(child, sockets.first());
    } catch (IOException | RuntimeException e) {
      try (sockets) {
        throw e;
      }
    }
  }

  /** What to do with a launcher that was started, until all is said on its report channel. */
  @FunctionalInterface
  private interface Following<T> {
    T follow(RunningChild child, Descriptor report) throws IOException;
  }

  private <T> T start(Order order, Following<T> following) throws IOException {
    EventThread.require();
    Optional<ResidentLauncher> resident =
        launchers.someoneWaits() ? Optional.empty() : launchers.resident(order.kind());
    if (resident.isPresent()) {
      Optional<T> result = startResident(resident.get(), order, following);
      if (result.isPresent()) {
        return result.get();
      }
    }
    try (SocketPair report = SocketPair.open()) {
      return following.follow(spawn(order, report.second()), report.first());
    }
  }

  private <T> Optional<T> startResident(
      ResidentLauncher launcher, Order order, Following<T> following) throws IOException {
    Optional<SocketPair> sockets = ReportSockets.shared().take();
    if (sockets.isEmpty()) {
      return Optional.empty();
    }
    boolean allIsRead = false;
    try {
      Optional<T> result = startResident(launcher, order, sockets.get(), following);
      allIsRead = true;
      return result;
    } finally {
      ReportSockets.shared().giveBack(sockets.get(), allIsRead);
    }
  }

  private <T> Optional<T> startResident(
      ResidentLauncher launcher, Order order, SocketPair sockets, Following<T> following)
      throws IOException {
    Descriptor report = sockets.second();
    Optional<ChildProcess> process =
        launcher.start(
            bytes(order.arguments()),
            bytes(order.environment()),
            order.withChannels(report, report).toArray());
    if (process.isEmpty()) {
      return Optional.empty();
    }
    RunningChild child = RunningChild.adopt(process.get(), strategy(), null, true);
    return Optional.of(following.follow(child, sockets.first()));
  }

  private String strategy() {
    return launchers.choice().strategy().name();
  }

  /**
   * Executes a launcher.
   *
   * @param report which is closed here: only the launcher may hold it, or nobody would notice that
   *     it is gone
   */
  private RunningChild spawn(Order order, Descriptor report) throws IOException {
    try (report) {
      if (!launchers.someoneWaits()) {
        return RunningChild.adopt(
            spawn(order, order.withChannels(report, report)), strategy(), null, false);
      }
      return spawnWithStatus(order, report);
    }
  }

  /** One that leaves someone who waits for the command, and says how that ended. */
  private RunningChild spawnWithStatus(Order order, Descriptor report) throws IOException {
    Pipe status = Pipe.open();
    try {
      // A process of the launcher's that outlives its parent for a moment may still hold the other.
      status.readEnd().setNonBlocking();
      ChildProcess process = spawn(order, order.withChannels(report, status.writeEnd()));
      RunningChild child = RunningChild.adopt(process, strategy(), status.readEnd(), false);
      status.writeEnd().close();
      return child;
    } catch (IOException | RuntimeException e) {
      try (status) {
        throw e;
      }
    }
  }

  private ChildProcess spawn(Order order, DescriptorMoves moves) throws IOException {
    Descriptor launcher = launchers.file(order.kind());
    int number = moves.keep(launcher.number()).placeOf(launcher.number());
    byte[] path = OsString.of("/proc/self/fd/" + number).bytes();
    // A JVM's threads block signals that nobody expects to be blocked in a new program.
    Spawn spawn =
        Spawn.of(path, bytes(order.arguments()), bytes(order.environment()))
            .signalMask(SignalSet.NONE);
    moves.addTo(spawn);
    return spawn(spawn);
  }

  /**
   * A process that this JVM started while the launcher was written to a file has it open for
   * writing until it executes another program, and meanwhile nobody can execute it (execve(2)).
   */
  private static ChildProcess spawn(Spawn spawn) throws LinuxException {
    for (int tries = 0; tries < MAX_BUSY; tries++) {
      try {
        return spawn.start();
      } catch (LinuxException e) {
        if (!e.is(Errno.ETXTBSY)) {
          throw e;
        }
        LockSupport.parkNanos(BUSY_NANOS);
      }
    }
    return spawn.start();
  }

  private static List<byte[]> bytes(List<OsString> strings) {
    List<byte[]> bytes = new ArrayList<>(strings.size());
    for (OsString string : strings) {
      bytes.add(string.bytes());
    }
    return bytes;
  }
}
