package dev.cloister.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.Caller;
import dev.cloister.launch.PrivateDirectory;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Here nothing is filtered; ProbeIT has a filter. */
class HarmlessCallsTest {
  @TempDir Path temporary;

  @Test
  void theKernelRefusesNoneOfThem() throws Exception {
    PrivateDirectory directory =
        PrivateDirectory.in(temporary, Caller.current().uid()).orElseThrow();
    HarmlessCalls calls = new HarmlessCalls(new ProgramRunner(directory));
    for (SystemCall call :
        List.of(
            SystemCall.UNSHARE,
            SystemCall.MOUNT,
            SystemCall.UMOUNT2,
            SystemCall.SETNS,
            SystemCall.OPEN_TREE,
            SystemCall.MOUNT_SETATTR)) {
      for (Errno errno : List.of(Errno.EPERM, Errno.EACCES, Errno.ENOSYS)) {
        assertEquals(Optional.empty(), calls.refused(call, errno), call::toString);
      }
      // Nor do they fail in another way, which would make the test above say nothing.
      assertEquals(Optional.empty(), calls.refused(call, Errno.EINVAL), call::toString);
      assertEquals(Optional.empty(), calls.refused(call, Errno.EFAULT), call::toString);
    }
  }
}
