package dev.cloister.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Another JVM, whose kernel lacks what newer ones have. */
@Timeout(120)
class OlderKernelTest {
  /** Refuses pidfd_open(2) and pidfd_send_signal(2) with an errno, by a seccomp filter. */
  private static final String HIDE =
      """
      import ctypes, os, struct, sys
      code = struct.pack("HBBI", 0x20, 0, 0, 0)
      for call in (434, 424):
          code += struct.pack("HBBI", 0x15, 0, 1, call)
          code += struct.pack("HBBI", 0x06, 0, 0, 0x50000 | int(sys.argv[1]))
      code += struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000)
      text = ctypes.create_string_buffer(code, len(code))
      program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(text))
      libc = ctypes.CDLL(None)
      if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
          sys.exit("no filter")
      os.execv(sys.argv[2], sys.argv[2:])
      """;

  static final class WithoutPidfd {
    /** The same promises, so the same tests, which a runner of their own would only hide. */
    @SuppressWarnings("JUnitMethodInvoked")
    static void main() throws Exception {
      KernelCall open = new KernelCall(SystemCall.PIDFD_OPEN).number(1).flags();
      LinuxException e = assertThrows(LinuxException.class, open::run);
      assertTrue(e.is(Errno.ENOSYS) || e.is(Errno.EPERM), e.getMessage());
      SpawnTest tests = new SpawnTest();
      tests.tellsHowTheProcessEnded();
      tests.leavesNothingBehind();
      tests.looksWithoutWaiting();
      tests.aProcessThatIsWaitedForCanBeKilled();
      tests.severalThreadsMayWait();
      tests.theStatusIsNotLostWhereSigchldIsIgnored();
      interrupts();
      System.out.println("good");
    }

    private static void interrupts() throws Exception {
      try (ChildProcess child =
          Spawn.of(Bytes.of("/bin/sleep"), Bytes.listOf("sleep", "0.1"), List.of()).start()) {
        assertTrue(child.pidfd().isEmpty());
        Thread.currentThread().interrupt();
        assertEquals(new ExitStatus.Exited(0), child.waitFor());
        assertTrue(Thread.interrupted(), "the interrupt was forgotten");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {38, 1})
  void processesAreWaitedForWithoutPidfd(int errno) throws Exception {
    Path python = Path.of("/usr/bin/python3");
    Required.that(Files.isExecutable(python), "the program python3");
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    Process process =
        new ProcessBuilder(
                python.toString(),
                "-c",
                HIDE,
                Integer.toString(errno),
                java,
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                WithoutPidfd.class.getName())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals("good\n", output);
    assertEquals(0, process.waitFor());
  }
}
