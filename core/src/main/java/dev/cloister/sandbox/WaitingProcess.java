package dev.cloister.sandbox;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.Messages;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;

/** A sandbox with a launcher that waits in it, and gets its command through a socket. */
final class WaitingProcess implements Waiting {
  /** In bytes, of what precedes the strings of a command. */
  private static final int HEADER = 16;

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
