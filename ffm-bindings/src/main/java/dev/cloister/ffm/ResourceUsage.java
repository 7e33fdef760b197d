package dev.cloister.ffm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.time.temporal.ChronoUnit;

/**
 * What a process and all the processes it waited for took: getrusage(2).
 *
 * @param userTime for which they ran their own code
 * @param systemTime for which the kernel worked for them
 * @param maxResidentBytes the most memory that any one of them had at once, in bytes. What they had
 *     before execve(2) counts, and until then a process that {@link Spawn} or {@link
 *     ResidentProgram} starts has the memory of this JVM, so it is never less than the JVM's own
 *     peak until the start.
 * @param minorFaults pages that were mapped without reading a device
 * @param majorFaults pages that had to be read from a device
 * @param blocksRead how often a file system had to read a device
 * @param blocksWritten how often a file system had to write to a device
 * @param voluntarySwitches how often they gave up a processor, mostly to wait
 * @param involuntarySwitches how often a processor was taken from them
 */
public record ResourceUsage(
    Duration userTime,
    Duration systemTime,
    long maxResidentBytes,
    long minorFaults,
    long majorFaults,
    long blocksRead,
    long blocksWritten,
    long voluntarySwitches,
    long involuntarySwitches) {
  /** Linux counts memory in units of 1024 bytes here, whatever the size of its pages is. */
  private static final long KIBIBYTE = 1024;

  static ResourceUsage of(Structure rusage) {
    return new ResourceUsage(
        duration(rusage.part(StructField.RUSAGE_UTIME)),
        duration(rusage.part(StructField.RUSAGE_STIME)),
        rusage.get(StructField.RUSAGE_MAXRSS) * KIBIBYTE,
        rusage.get(StructField.RUSAGE_MINFLT),
        rusage.get(StructField.RUSAGE_MAJFLT),
        rusage.get(StructField.RUSAGE_INBLOCK),
        rusage.get(StructField.RUSAGE_OUBLOCK),
        rusage.get(StructField.RUSAGE_NVCSW),
        rusage.get(StructField.RUSAGE_NIVCSW));
  }

  /**
   * What another process was told by wait4(2) or getrusage(2).
   *
   * @param rusage a {@code struct rusage}
   */
  public static ResourceUsage decode(byte[] rusage) {
    try (Arena arena = Arena.ofConfined()) {
      Structure structure = Structure.allocate(arena, LinuxStruct.RUSAGE);
      MemorySegment.copy(
          rusage, 0, structure.memory(), ValueLayout.JAVA_BYTE, 0, LinuxStruct.RUSAGE.size());
      return of(structure);
    }
  }

  private static Duration duration(Structure timeval) {
    return Duration.of(timeval.get(StructField.TIMEVAL_SEC), ChronoUnit.SECONDS)
        .plus(timeval.get(StructField.TIMEVAL_USEC), ChronoUnit.MICROS);
  }
}
