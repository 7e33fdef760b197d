package dev.cloister.sandbox;

import dev.cloister.ffm.LinuxException;
import java.io.IOException;
import java.util.Optional;

/** A sandbox that is set up and waits for its command. Used by one thread at a time. */
interface Waiting {
  /**
   * Has it become the command. It is used up then, whatever comes of it.
   *
   * @return nothing if it was ended before it had the command
   * @throws SandboxException if the command did not start
   */
  Optional<RunningChild> start(Request request, StandardStreams streams) throws IOException;

  /** Has this done should it be lost while it waits. */
  void whenLost(Runnable action);

  /** Ends it unused. */
  void end() throws LinuxException;
}
