package dev.cloister.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class PipeTest {
  @Test
  void endsWhenItsWriteEndIsClosed() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      pipe.writeEnd().write(Bytes.of("through"));
      pipe.writeEnd().close();
      assertEquals("through", Bytes.readAll(pipe.readEnd()));
    }
  }

  @Test
  void closesBothEnds() throws Exception {
    Pipe pipe = Pipe.open();
    pipe.close();
    pipe.close();
    assertThrows(IllegalStateException.class, () -> pipe.readEnd().number());
    assertThrows(IllegalStateException.class, () -> pipe.writeEnd().number());
  }

  @Test
  void withoutAReaderAWriteIsAnErrorAndNotTheEndOfTheJvm() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      pipe.readEnd().close();
      LinuxException e =
          assertThrows(LinuxException.class, () -> pipe.writeEnd().write(Bytes.of("x")));
      assertEquals(Errno.EPIPE, e.errno().orElseThrow());
    }
  }
}
