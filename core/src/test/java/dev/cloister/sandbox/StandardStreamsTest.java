package dev.cloister.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxException;
import org.junit.jupiter.api.Test;

/** Streams of which some cannot be closed. */
class StandardStreamsTest {
  @Test
  void theOthersAreClosed() throws Exception {
    StandardStreams streams = StandardStreams.open(Requests.in(""));
    for (int number = 0; number < 2; number++) {
      Descriptor.owning(streams.theirs(number).number()).close();
    }
    LinuxException e = assertThrows(LinuxException.class, streams::close);
    assertTrue(e.is(Errno.EBADF), e::getMessage);
    assertEquals(1, e.getSuppressed().length);
    for (int number = 0; number < 3; number++) {
      assertThrows(IllegalStateException.class, streams.theirs(number)::number);
    }
    streams.processEnded();
  }
}
