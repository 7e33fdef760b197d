package dev.cloister.spec;

import dev.cloister.ffm.LinuxConstant;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a sandbox may use of the machine. By default there is no limit but the caller's own.
 *
 * @param resources limits of each process, by {@code RLIMIT_...} (setrlimit(2))
 * @param memory bytes for all processes together, by a cgroup
 * @param pids processes and threads together, by a cgroup
 * @param cpu processor time, by a cgroup
 */
public record Limits(
    Map<LinuxConstant, ResourceLimit> resources,
    OptionalLong memory,
    OptionalLong pids,
    Optional<Cpu> cpu) {
  /** Made when it is first asked for: by few. */
  private static final class Resources {
    private static final Set<LinuxConstant> ALL = Collections.unmodifiableSet(all());

    private static Set<LinuxConstant> all() {
      Set<LinuxConstant> all = new TreeSet<>();
      for (LinuxConstant constant : LinuxConstant.values()) {
        if (constant.compareTo(LinuxConstant.RLIMIT_CPU) >= 0
            && constant.compareTo(LinuxConstant.RLIMIT_RTTIME) <= 0) {
          all.add(constant);
        }
      }
      return all;
    }
  }

  /** What {@link #resources} may name: all there is. */
  public static Set<LinuxConstant> known() {
    return Resources.ALL;
  }

  /** The default. */
  public static final Limits NONE =
      new Limits(Map.of(), OptionalLong.empty(), OptionalLong.empty(), Optional.empty());

  /**
   * A limit of one process.
   *
   * @param soft what counts
   * @param hard up to which the process may raise it; {@link #UNLIMITED} for none
   */
  public record ResourceLimit(long soft, long hard) {
    /** RLIM_INFINITY, the largest unsigned number. */
    public static final long UNLIMITED = -1;

    public ResourceLimit {
      if (Long.compareUnsigned(soft, hard) > 0) {
        throw new IllegalArgumentException("the soft limit is above the hard limit");
      }
    }
  }

  /**
   * A share of the processors.
   *
   * @param quotaMicros how much of each period, in microseconds
   * @param periodMicros the period, in microseconds
   */
  public record Cpu(long quotaMicros, long periodMicros) {
    public Cpu {
      requirePositive(quotaMicros);
      requirePositive(periodMicros);
    }
  }

  public Limits {
    if (resources.isEmpty()) {
      resources = Map.of();
    } else {
      Map<LinuxConstant, ResourceLimit> copy = new TreeMap<>(resources);
      if (!known().containsAll(copy.keySet())) {
        throw new IllegalArgumentException("not a resource in " + copy.keySet());
      }
      resources = Collections.unmodifiableMap(copy);
    }
    requirePositive(memory.orElse(1));
    requirePositive(pids.orElse(1));
  }

  private static void requirePositive(long number) {
    if (number < 1) {
      throw new IllegalArgumentException("not a limit: " + number);
    }
  }

  /** Whether these need a cgroup of the sandbox's own. */
  public boolean needCgroup() {
    return memory.isPresent() || pids.isPresent() || cpu.isPresent();
  }

  public Limits with(LinuxConstant resource, ResourceLimit limit) {
    Map<LinuxConstant, ResourceLimit> more = new TreeMap<>(resources);
    more.put(resource, limit);
    return new Limits(more, memory, pids, cpu);
  }

  public Limits withMemory(long bytes) {
    return new Limits(resources, OptionalLong.of(bytes), pids, cpu);
  }

  public Limits withPids(long number) {
    return new Limits(resources, memory, OptionalLong.of(number), cpu);
  }

  public Limits withCpu(Cpu share) {
    return new Limits(resources, memory, pids, Optional.of(share));
  }
}
