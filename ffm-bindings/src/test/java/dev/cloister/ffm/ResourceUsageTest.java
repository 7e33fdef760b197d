package dev.cloister.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ResourceUsageTest {
  @Test
  void takesEachNumberFromItsField() {
    try (Arena arena = Arena.ofConfined()) {
      Structure usage = Structure.allocate(arena, LinuxStruct.RUSAGE);
      setTime(usage.part(StructField.RUSAGE_UTIME), 3, 4);
      setTime(usage.part(StructField.RUSAGE_STIME), 5, 999_999);
      usage.set(StructField.RUSAGE_MAXRSS, 1L << 32);
      usage.set(StructField.RUSAGE_MINFLT, 6);
      usage.set(StructField.RUSAGE_MAJFLT, 7);
      usage.set(StructField.RUSAGE_INBLOCK, 8);
      usage.set(StructField.RUSAGE_OUBLOCK, 9);
      usage.set(StructField.RUSAGE_NVCSW, 10);
      usage.set(StructField.RUSAGE_NIVCSW, 11);
      assertEquals(
          new ResourceUsage(
              Duration.ofSeconds(3, 4_000),
              Duration.ofSeconds(5, 999_999_000),
              1L << 42,
              6,
              7,
              8,
              9,
              10,
              11),
          ResourceUsage.of(usage));
      byte[] bytes = usage.memory().toArray(ValueLayout.JAVA_BYTE);
      assertEquals(ResourceUsage.of(usage), ResourceUsage.decode(bytes));
    }
  }

  private static void setTime(Structure timeval, long seconds, long microseconds) {
    timeval.set(StructField.TIMEVAL_SEC, seconds);
    timeval.set(StructField.TIMEVAL_USEC, microseconds);
  }
}
