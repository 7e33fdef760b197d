package dev.cloister.benchmarks.report;

/**
 * What figures depend on besides what is measured.
 *
 * @param date when, in UTC, to the second
 * @param cores how many processors the JVM may use
 * @param memoryMiB of the whole machine
 * @param hypervisor whether the processor says that there is one; system calls that change memory
 *     maps cost more then
 * @param kernel release and architecture
 * @param bubblewrap what it says its version is; "none" where it is missing
 * @param load how many processes ran or wanted to, on average over a minute, before anything was
 *     measured
 */
public record Environment(
    String date,
    String cpu,
    int cores,
    long memoryMiB,
    boolean hypervisor,
    String kernel,
    String jdk,
    String bubblewrap,
    long uid,
    double load) {
  /** A quarter of the processors busy with something else shows in every median. */
  private static final double BUSY = 0.25;

  /** Whether something else ran before, so that its figures are not to be trusted. */
  public boolean isLoaded() {
    return load > BUSY * cores;
  }

  /** In one line, for a person. */
  public String line() {
    return "%s, %d cores%s, Linux %s, JDK %s, %s, uid %d, load %.2f"
        .formatted(cpu, cores, hypervisor ? " (virtual)" : "", kernel, jdk, bubblewrap, uid, load);
  }
}
