package dev.cloister.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxException;
import dev.cloister.spec.OsString;
import java.lang.ProcessBuilder.Redirect;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Streams of which some cannot be closed. */
class StandardStreamsTest {
  private static final Request PIPES =
      new Request(
          List.of(OsString.of("true")),
          OsString.of(""),
          List.of(),
          Redirect.PIPE,
          Redirect.PIPE,
          Redirect.PIPE,
          false,
          Map.of());

  @Test
  void theOthersAreClosed() throws Exception {
    StandardStreams streams = StandardStreams.open(PIPES);
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
