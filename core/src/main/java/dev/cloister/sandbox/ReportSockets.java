package dev.cloister.sandbox;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.Messages;
import dev.cloister.ffm.SocketPair;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * The sockets on which launchers in this program's memory report. One pair serves many starts, one
 * after the other: what a launcher says is there when its start returns, and is read to the end
 * then. There are as many as starts have used at the same time.
 */
final class ReportSockets {
  /** Each is two descriptors; more starts than that at once are rare, and can do without. */
  static final int MOST = Math.min(Runtime.getRuntime().availableProcessors(), 16);

  private static final int CHUNK = 4096;

  private final Deque<SocketPair> idle = new ArrayDeque<>(MOST);
  private int missing = MOST;

  private static final class Shared {
    private static final ReportSockets INSTANCE = new ReportSockets();
  }

  private ReportSockets() {}

  static ReportSockets shared() {
    return Shared.INSTANCE;
  }

  /** A pair that is to be given back; nothing if all are in use and there can be no more. */
  synchronized Optional<SocketPair> take() throws LinuxException {
    SocketPair known = idle.poll();
    if (known != null || missing == 0) {
      return Optional.ofNullable(known);
    }
    Optional<SocketPair> made = make();
    missing -= made.isPresent() ? 1 : 0;
    return made;
  }

  private static Optional<SocketPair> make() throws LinuxException {
    try {
      return Optional.of(open());
    } catch (LinuxException e) {
      if (e.is(Errno.EMFILE) || e.is(Errno.ENFILE)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static SocketPair open() throws LinuxException {
    SocketPair pair = SocketPair.open();
    try {
      pair.first().setNonBlocking();
      return pair;
    } catch (LinuxException e) {
      try (pair) {
        throw e;
      }
    }
  }

  /**
   * Takes a pair back.
   *
   * @param allIsRead whether nothing can be left of what was said, which would be taken for the
   *     next one's
   */
  void giveBack(SocketPair pair, boolean allIsRead) throws LinuxException {
    if (!allIsRead) {
      discardRest(pair.first());
    }
    synchronized (this) {
      idle.push(pair);
    }
  }

  private static void discardRest(Descriptor socket) throws LinuxException {
    byte[] rest = new byte[CHUNK];
    List<Descriptor> received = new ArrayList<>();
    while (Messages.receive(socket, rest, received::add) != Descriptor.WOULD_BLOCK) {
      // Nobody wants it.
    }
    for (Descriptor descriptor : received) {
      descriptor.close();
    }
  }
}
