package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.SIGSEGV;
import static dev.cloister.ffm.LinuxConstant.SIGUSR1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Signals.Disposition;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

class SignalsTest {
  /** In a thread of its own, whose mask no other test needs. */
  @Test
  void setsTheMaskOfTheThread() throws Exception {
    try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
      SignalSet set = new SignalSet(1L << 9 | 1L << 27); // SIGUSR1, SIGWINCH
      String status =
          thread
              .submit(
                  () -> {
                    Signals.setMask(set);
                    return Files.readString(Path.of("/proc/thread-self/status"));
                  })
              .get();
      assertTrue(status.contains("SigBlk:\t%016x\n".formatted(set.bits())), status);
    }
  }

  @Test
  void setsDispositions() throws Exception {
    assertEquals(Disposition.DEFAULT, Signals.disposition(SIGUSR1));
    Signals.ignore(SIGUSR1);
    try {
      assertEquals(Disposition.IGNORED, Signals.disposition(SIGUSR1));
    } finally {
      Signals.reset(SIGUSR1);
    }
    assertEquals(Disposition.DEFAULT, Signals.disposition(SIGUSR1));
  }

  @Test
  void theJvmHandlesSegmentationFaults() throws Exception {
    assertEquals(Disposition.HANDLED, Signals.disposition(SIGSEGV));
  }

  @Test
  void killCannotBeIgnored() {
    LinuxException e =
        assertThrows(LinuxException.class, () -> Signals.ignore(LinuxConstant.SIGKILL));
    assertEquals(
        "rt_sigaction(SIGKILL, {SIG_IGN}, NULL, 8): EINVAL (Invalid argument)", e.getMessage());
  }
}
