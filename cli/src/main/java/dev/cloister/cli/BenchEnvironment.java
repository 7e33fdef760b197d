package dev.cloister.cli;

import dev.cloister.host.Bwrap;
import dev.cloister.host.Evidence;
import dev.cloister.host.HostReport;
import dev.cloister.host.KernelFile;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What numbers depend on, for whoever compares them with others. What cannot be found out is
 * absent.
 *
 * @param cpu the model
 * @param cpus how many are online
 * @param kernel system, release and architecture
 * @param jdk its version and vendor
 * @param bwrap what bubblewrap says is its version
 * @param load how many processes ran or waited for a disk in the last minute, on average
 * @param uid the caller's, effective
 */
record BenchEnvironment(
    Optional<String> cpu,
    int cpus,
    String kernel,
    String jdk,
    Optional<String> bwrap,
    OptionalDouble load,
    long uid) {
  private static final Path CPUS = Path.of("/proc/cpuinfo");
  private static final Path LOAD = Path.of("/proc/loadavg");

  /** Above this, on each processor, measured programs wait for others noticeably often. */
  private static final double CALM_LOAD = 0.5;

  /** Looks at this host. */
  static BenchEnvironment collect(HostReport host) {
    String processors = KernelFile.read(CPUS).orElse("");
    return new BenchEnvironment(
        model(processors),
        count(processors),
        Evidence.collect().kernel(),
        Runtime.version() + " " + System.getProperty("java.vendor"),
        host.bwrap().flatMap(Bwrap::version),
        load(KernelFile.read(LOAD).orElse("")),
        host.caller().uid());
  }

  /** From {@code /proc/cpuinfo}; not every architecture says it there. */
  static Optional<String> model(String processors) {
    return processors
        .lines()
        .filter(line -> line.startsWith("model name"))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst();
  }

  /**
   * From {@code /proc/cpuinfo}: the load is that of the whole machine, so those that this process
   * may use are not what it is shared by.
   */
  static int count(String processors) {
    long count = processors.lines().filter(line -> line.startsWith("processor")).count();
    return count == 0 ? Runtime.getRuntime().availableProcessors() : Math.toIntExact(count);
  }

  /** From {@code /proc/loadavg}: its first number. */
  static OptionalDouble load(String averages) {
    try {
      return OptionalDouble.of(Double.parseDouble(averages.split(" ", 2)[0]));
    } catch (NumberFormatException e) {
      return OptionalDouble.empty();
    }
  }

  /** Whether other programs are in the way. */
  boolean loaded() {
    return load.orElse(0) > CALM_LOAD * cpus;
  }

  /** The processors, for a person. */
  String cpuText() {
    return cpuCount() + cpu.map(it -> " (" + it + ")").orElse("");
  }

  /** How many, for a person. */
  String cpuCount() {
    return cpus == 1 ? "1 CPU" : cpus + " CPUs";
  }

  /** The load, for a person. */
  String loadText() {
    return load.isPresent() ? "load average " + load.getAsDouble() : "unknown load";
  }
}
