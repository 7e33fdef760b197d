package dev.cloister.ffm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryFileTest {
  @Test
  void holdsTheContentAndNobodyCanChangeIt() throws Exception {
    byte[] content = Bytes.of("content");
    try (Descriptor file = MemoryFile.executable("cloister-test", content)) {
      Path path = Path.of("/proc/self/fd/" + file.number());
      assertArrayEquals(content, Files.readAllBytes(path));
      assertTrue(Files.readSymbolicLink(path).toString().contains("cloister-test"));
      assertEquals(
          LinuxConstant.or(
              Architecture.host(),
              List.of(
                  LinuxConstant.F_SEAL_SEAL,
                  LinuxConstant.F_SEAL_SHRINK,
                  LinuxConstant.F_SEAL_GROW,
                  LinuxConstant.F_SEAL_WRITE)),
          new KernelCall(SystemCall.FCNTL)
              .number(file.number())
              .flags(LinuxConstant.F_GET_SEALS)
              .run());
      LinuxException e = assertThrows(LinuxException.class, () -> file.write(Bytes.of("more")));
      assertTrue(e.is(Errno.EPERM), e.getMessage());
    }
  }

  @Test
  void canBeExecuted() throws Exception {
    byte[] program = Files.readAllBytes(Path.of("/bin/false"));
    try (Descriptor file = MemoryFile.executable("false", program)) {
      byte[] path = Bytes.of("/proc/self/fd/" + file.number());
      try (ChildProcess child = Spawn.of(path, Bytes.listOf("false"), List.of()).start()) {
        assertEquals(new ExitStatus.Exited(1), child.waitFor());
      }
    }
  }

  @Test
  void anImpossibleNameIsAnError() {
    LinuxException e =
        assertThrows(
            LinuxException.class, () -> MemoryFile.executable("n".repeat(250), new byte[0]));
    assertTrue(e.is(Errno.EINVAL), e.getMessage());
    assertTrue(e.call().endsWith("\", MFD_CLOEXEC|MFD_ALLOW_SEALING)"), e.call());
  }
}
