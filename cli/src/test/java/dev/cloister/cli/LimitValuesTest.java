package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.spec.Limits;
import dev.cloister.spec.Limits.Cpu;
import dev.cloister.spec.Limits.ResourceLimit;
import dev.cloister.spec.OsString;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LimitValuesTest {
  private static final long UNLIMITED = ResourceLimit.UNLIMITED;

  private static LimitValues value(RunOption option, String value) {
    return new LimitValues(option, OsString.of(value));
  }

  private static Limits rlimit(String value) throws CliException {
    return value(RunOption.RLIMIT, value).resource(Limits.NONE);
  }

  private static void sets(String value, LinuxConstant resource, long soft, long hard)
      throws CliException {
    assertEquals(Map.of(resource, new ResourceLimit(soft, hard)), rlimit(value).resources());
  }

  @Test
  void takesAllNamesInEveryManner() throws CliException {
    assertEquals(16, Limits.known().size());
    for (LinuxConstant resource : Limits.known()) {
      String word = resource.name().substring("RLIMIT_".length());
      for (String name : List.of(word, word.toLowerCase(java.util.Locale.ROOT), resource.name())) {
        sets(name + "=7", resource, 7, 7);
      }
    }
  }

  @Test
  void takesSoftAndHard() throws CliException {
    sets("nofile=3:9", LinuxConstant.RLIMIT_NOFILE, 3, 9);
    sets("nofile=unlimited", LinuxConstant.RLIMIT_NOFILE, UNLIMITED, UNLIMITED);
    sets("core=0:unlimited", LinuxConstant.RLIMIT_CORE, 0, UNLIMITED);
    sets("cpu=18446744073709551614", LinuxConstant.RLIMIT_CPU, -2, -2);
    sets("as=1K:2g", LinuxConstant.RLIMIT_AS, 1024, 2L << 30);
    sets("stack=3M:1T", LinuxConstant.RLIMIT_STACK, 3L << 20, 1L << 40);
  }

  @Test
  void theLastOfAResourceCounts() throws CliException {
    Limits first = value(RunOption.RLIMIT, "core=0").resource(rlimit("nofile=5"));
    assertEquals(
        Map.of(
            LinuxConstant.RLIMIT_NOFILE,
            new ResourceLimit(6, 6),
            LinuxConstant.RLIMIT_CORE,
            new ResourceLimit(0, 0)),
        value(RunOption.RLIMIT, "nofile=6").resource(first).resources());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "nofile",
        "=3",
        "files=3",
        "rlimit_=3",
        "nofile=",
        "nofile=-1",
        "nofile=+1",
        "nofile=1K",
        "cpu=1M",
        "nofile=1:2:3",
        "nofile=:",
        "nofile=3:",
        "nofile=:3",
        "nofile=4:3",
        "nofile=unlimited:3",
        "as=1.5G",
        "as=1KB",
        "as=K",
        "as=18446744073709551616",
        "as=99999999T",
        "nofile=\u0661",
        "nofile=0x10",
        "nofile= 3",
        "as=1P",
        "nofile=Unlimited"
      })
  void refusesAnyOther(String value) {
    String said =
        String.valueOf(assertThrows(CliException.class, () -> rlimit(value)).getMessage());
    assertTrue(said.startsWith("--rlimit " + (value.isEmpty() ? "''" : value) + ": "), said);
    assertEquals(1, said.lines().count());
  }

  @ParameterizedTest
  @CsvSource({
    "1,1",
    "64M,67108864",
    "2k,2048",
    "1T,1099511627776",
    "9223372036854775807,9223372036854775807"
  })
  void takesSizesOfMemory(String text, long bytes) throws CliException {
    assertEquals(bytes, value(RunOption.MEMORY, text).memory());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "0", "0M", "-1", "1.5G", "9223372036854775808", "8388608T", "max", "M"})
  void refusesOtherMemory(String text) {
    assertThrows(CliException.class, value(RunOption.MEMORY, text)::memory);
  }

  @ParameterizedTest
  @CsvSource({"1,1", "10,10", "4194304,4194304"})
  void takesNumbersOfProcesses(String text, long number) throws CliException {
    assertEquals(number, value(RunOption.PIDS, text).pids());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0", "4194305", "1K", "-1", "max", "99999999999999999999"})
  void refusesOtherNumbersOfProcesses(String text) {
    assertThrows(CliException.class, value(RunOption.PIDS, text)::pids);
  }

  @ParameterizedTest
  @CsvSource({"1,100000", "1.5,150000", ".5,50000", "0.01,1000", "0.12345,12345", "64,6400000"})
  void takesNumbersOfProcessors(String text, long quota) throws CliException {
    assertEquals(new Cpu(quota, 100_000), value(RunOption.CPU, text).cpu());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "0", "0.009", "1,5", "1e3", "-1", "50%", "1.", "0.123456", "1000001", "NaN"})
  void refusesOtherNumbersOfProcessors(String text) {
    assertThrows(CliException.class, value(RunOption.CPU, text)::cpu);
  }
}
