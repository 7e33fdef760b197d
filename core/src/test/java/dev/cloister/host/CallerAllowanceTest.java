package dev.cloister.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.ResourceLimit;
import dev.cloister.spec.Limits;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CallerAllowanceTest {
  @TempDir Path empty;

  /** The kernel says the same in words and in numbers. */
  @Test
  void readsEachLimitFromItsLine() throws LinuxException {
    CallerAllowance allowance = new CallerAllowance(Path.of("/"));
    for (LinuxConstant resource : Limits.known()) {
      assertEquals(
          OptionalLong.of(ResourceLimit.of(resource).hard()),
          allowance.hardLimit(resource),
          resource::name);
    }
  }

  @Test
  void knowsNothingWithoutProc() {
    CallerAllowance allowance = new CallerAllowance(empty);
    assertEquals(OptionalLong.empty(), allowance.hardLimit(LinuxConstant.RLIMIT_NOFILE));
  }
}
