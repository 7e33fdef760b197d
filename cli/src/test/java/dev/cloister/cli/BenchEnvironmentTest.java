package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class BenchEnvironmentTest {
  private static final String X86 =
      """
      processor\t: 0
      vendor_id\t: GenuineIntel
      model name\t: A CPU @ 2.00GHz: fast

      processor\t: 1
      model name\t: A CPU @ 2.00GHz: fast
      """;

  static BenchEnvironment loaded(int cpus, double load) {
    return new BenchEnvironment(
        Optional.of("A CPU"),
        cpus,
        "Linux 6.1 x86_64",
        "25.0.1 Somebody",
        Optional.of("bubblewrap 0.8.0"),
        OptionalDouble.of(load),
        1000);
  }

  @Test
  void readsTheProcessors() {
    assertEquals(Optional.of("A CPU @ 2.00GHz: fast"), BenchEnvironment.model(X86));
    assertEquals(2, BenchEnvironment.count(X86));
  }

  /** On aarch64 there is no model; without a /proc, nothing at all. */
  @Test
  void leavesOutWhatIsNotThere() {
    assertEquals(Optional.empty(), BenchEnvironment.model("processor\t: 0\nCPU part\t: 0xd0c\n"));
    assertEquals(Optional.empty(), BenchEnvironment.model(""));
    assertTrue(BenchEnvironment.count("") > 0);
    assertEquals(OptionalDouble.empty(), BenchEnvironment.load(""));
  }

  @Test
  void readsTheLoadOfTheLastMinute() {
    assertEquals(OptionalDouble.of(1.68), BenchEnvironment.load("1.68 1.31 1.40 3/217 4711"));
  }

  @Test
  void isLoadedByWhatEachProcessorHas() {
    assertFalse(loaded(2, 1.0).loaded());
    assertTrue(loaded(2, 1.01).loaded());
    assertFalse(loaded(8, 3.9).loaded());
    assertTrue(loaded(1, 0.6).loaded());
  }

  @Test
  void countsInWords() {
    assertEquals("1 CPU (A CPU)", loaded(1, 0).cpuText());
    assertEquals("2 CPUs (A CPU)", loaded(2, 0).cpuText());
  }
}
