package dev.cloister.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class SocketPairTest {
  @Test
  void carriesBytesBothWays() throws Exception {
    try (SocketPair pair = SocketPair.open()) {
      pair.first().write(Bytes.of("there"));
      byte[] buffer = new byte[5];
      assertEquals(5, pair.second().read(buffer));
      assertEquals("there", Bytes.text(buffer));
      pair.second().write(Bytes.of("and back"));
      pair.second().close();
      assertEquals("and back", Bytes.readAll(pair.first()));
    }
  }

  @Test
  void whatWasNotReadIsAnErrorAtTheOtherEnd() throws Exception {
    try (SocketPair pair = SocketPair.open()) {
      pair.first().write(Bytes.of("there"));
      pair.second().close();
      LinuxException e = assertThrows(LinuxException.class, () -> pair.first().read(new byte[1]));
      assertEquals(Errno.ECONNRESET, e.errno().orElseThrow());
    }
  }

  @Test
  void isClosedOnExec() throws Exception {
    try (SocketPair pair = SocketPair.open()) {
      assertEquals(1, descriptorFlags(pair.first()));
      assertEquals(1, descriptorFlags(pair.second()));
    }
  }

  private static long descriptorFlags(Descriptor descriptor) throws LinuxException {
    return new KernelCall(SystemCall.FCNTL)
        .number(descriptor.number())
        .flags(LinuxConstant.F_GETFD)
        .run();
  }

  @Test
  void closesBoth() throws Exception {
    SocketPair pair = SocketPair.open();
    pair.close();
    pair.close();
    assertThrows(IllegalStateException.class, () -> pair.first().number());
    assertThrows(IllegalStateException.class, () -> pair.second().number());
  }
}
