package dev.cloister.sandbox;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.Messages;
import dev.cloister.sandbox.SandboxException.Failure;
import dev.cloister.sandbox.SandboxException.Phase;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** A sandbox with a launcher that waits in it, and gets its command through a socket. */
final class WaitingProcess implements Waiting {
  /** In bytes, of what precedes the strings of a command. */
  private static final int HEADER = 16;

  /**
   * In bytes, of a string with its NUL: 32 pages, execve(2). The pages of aarch64 have up to 64
   * KiB; what is too much for smaller ones the launcher's own execve(2) refuses.
   */
  private static final int LONGEST =
      32 * (Architecture.host() == Architecture.X86_64 ? 0x1000 : 0x10000);

  private final RunningChild child;
  private final Descriptor socket;

  /** Takes over a launcher that waits, and the socket on which its command is sent to it. */
  WaitingProcess(RunningChild child, Descriptor socket) {
    this.child = child;
    this.socket = socket;
  }

  @Override
  public Optional<RunningChild> start(Request request, StandardStreams streams) throws IOException {
    try (socket) {
      if (send(request, streams, socket) && SetUp.awaitUnlessEnded(child, socket, request)) {
        streams.close();
        return Optional.of(child);
      }
      return Optional.empty();
    }
  }

  /** Whether it got the command: one that has ended gets nothing any more. */
  private static boolean send(Request request, StandardStreams streams, Descriptor socket)
      throws IOException {
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

  /**
   * The size of the strings, how many arguments and variables they are, and each with its NUL.
   *
   * @throws SandboxException if one is too long: as for a launcher that is executed with it
   */
  static byte[] encode(Request request) throws SandboxException {
    List<OsString> strings = request.arguments();
    int arguments = strings.size();
    strings.addAll(request.environment());
    int size = 0;
    for (OsString string : strings) {
      requireShort(string);
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

  private static void requireShort(OsString string) throws SandboxException {
    if (string.length() >= LONGEST) {
      Errno errno = Errno.E2BIG;
      throw new SandboxException(
          Phase.SPAWN,
          "the command or a variable of it has %d bytes: %s (%s)"
              .formatted(string.length(), errno.name(), errno.text()),
          new Failure(OptionalInt.empty(), Optional.empty(), Optional.of(errno), Optional.empty()));
    }
  }

  @Override
  public void whenLost(Runnable action) {
    child.beforeEnd(action);
  }

  /** The end of the socket is that of the launcher. */
  @Override
  public void end() throws LinuxException {
    socket.close();
  }
}
