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

  /**
   * What a launcher is started with.
   *
   * @param report the descriptor that it reports on
   */
  private record Start(
      Kind kind,
      Descriptor report,
      DescriptorMoves moves,
      List<OsString> arguments,
      List<OsString> environment) {
    /** Gives it its channels, and nothing useful at the numbers that are left over between. */
    void addChannels(Descriptor status) {
      Handover handover = kind.handover();
      moves.give(report.number(), handover.report());
      moves.give(status.number(), handover.status());
      for (int number = STANDARD; number < handover.report(); number++) {
        if (!moves.has(number)) {
          moves.give(report.number(), number);
        }
      }
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
    try (SocketPair report = SocketPair.open()) {
      for (int number = 0; number < STANDARD; number++) {
        moves.give(streams.theirs(number).number(), number);
      }
      RunningChild child =
          start(
              new Start(kind, report.second(), moves, request.arguments(), request.environment()));
      report.second().close();
      streams.close();
      SetUp.await(child, report.first(), request);
      return child;
    }
  }

  /**
   * Sets a sandbox up that waits for its command.
   *
   * @throws SandboxException if that fails; then nothing of it is left
   */
  Waiting prepare() throws IOException {
    SocketPair sockets = SocketPair.open();
    try {
      return prepare(sockets);
    } catch (IOException | RuntimeException e) {
      try (sockets) {
        throw e;
      }
    }
  }

  private Waiting prepare(SocketPair sockets) throws IOException {
    if (launchers.canBeEntered()) {
      Kind kind = new Kind(Stage.SET_UP, Handover.library(Set.of()));
      RunningChild child = startWithoutCommand(kind, sockets.second());
      try (Descriptor socket = sockets.first()) {
        return new WaitingNamespaces(this, SetUp.awaitNamespaces(child, socket));
      }
    }
    RunningChild child = startWithoutCommand(Kind.whole(Handover.PREWARMED), sockets.second());
    SetUp.awaitReady(child, sockets.first());
    return new WaitingProcess(child, sockets.first());
  }

  /** Only the launcher may hold its end of the socket, or nobody would notice that it is gone. */
  private RunningChild startWithoutCommand(Kind kind, Descriptor theirs) throws IOException {
    try (theirs;
        Descriptor nothing = Descriptor.open(NOTHING, LinuxConstant.O_RDWR)) {
      DescriptorMoves moves = new DescriptorMoves();
      for (int number = 0; number < STANDARD; number++) {
        moves.give(nothing.number(), number);
      }
      return start(new Start(kind, theirs, moves, NO_COMMAND, List.of()));
    }
  }

  private RunningChild start(Start start) throws IOException {
    String strategy = launchers.choice().strategy().name();
    if (!launchers.someoneWaits()) {
      start.addChannels(start.report());
      Optional<ChildProcess> resident = startResident(start);
      return resident.isPresent()
          ? RunningChild.adopt(resident.get(), strategy, null, true)
          : RunningChild.adopt(spawn(start), strategy, null, false);
    }
    Pipe status = Pipe.open();
    try {
      // A process of the launcher's that outlives its parent for a moment may still hold the other.
      status.readEnd().setNonBlocking();
      start.addChannels(status.writeEnd());
      RunningChild child = RunningChild.adopt(spawn(start), strategy, status.readEnd(), false);
      status.writeEnd().close();
      return child;
    } catch (IOException | RuntimeException e) {
      try (status) {
        throw e;
      }
    }
  }

  private Optional<ChildProcess> startResident(Start start) throws LinuxException {
    Optional<ResidentLauncher> launcher = launchers.resident(start.kind());
    return launcher.isEmpty()
        ? Optional.empty()
        : launcher
            .get()
            .start(bytes(start.arguments()), bytes(start.environment()), start.moves().toArray());
  }

  private ChildProcess spawn(Start start) throws IOException {
    Descriptor launcher = launchers.file(start.kind());
    int number = start.moves().keep(launcher.number()).placeOf(launcher.number());
    byte[] path = OsString.of("/proc/self/fd/" + number).bytes();
    // A JVM's threads block signals that nobody expects to be blocked in a new program.
    Spawn spawn =
        Spawn.of(path, bytes(start.arguments()), bytes(start.environment()))
            .signalMask(SignalSet.NONE);
    start.moves().addTo(spawn);
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
