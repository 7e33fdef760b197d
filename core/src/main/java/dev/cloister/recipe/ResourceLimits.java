package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.HostReport;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.spec.Limits;
import dev.cloister.spec.Limits.ResourceLimit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;

/** The limits of each process: setrlimit(2). */
public final class ResourceLimits {
  private ResourceLimits() {}

  /**
   * Raises hard limits, while the caller's privilege to do so lasts. A soft limit is set as high,
   * for now: what the launcher does itself shall not meet a limit that is meant for the command.
   */
  public static List<Instruction> raise(Limits limits, HostReport host) {
    List<Instruction> steps = new ArrayList<>();
    for (Map.Entry<LinuxConstant, ResourceLimit> limit : limits.resources().entrySet()) {
      long hard = limit.getValue().hard();
      OptionalLong present = host.allowance().hardLimit(limit.getKey());
      if (present.isPresent() && Long.compareUnsigned(hard, present.getAsLong()) > 0) {
        steps.add(set(limit.getKey(), new ResourceLimit(hard, hard)));
      }
    }
    return steps;
  }

  /**
   * Sets them, for the command to start with: nothing that follows may open a file, write to one or
   * start a process.
   */
  public static List<Instruction> set(Limits limits) {
    List<Instruction> steps = new ArrayList<>();
    for (Map.Entry<LinuxConstant, ResourceLimit> limit : limits.resources().entrySet()) {
      steps.add(set(limit.getKey(), limit.getValue()));
    }
    return steps;
  }

  private static Call set(LinuxConstant resource, ResourceLimit limit) {
    Map<StructField, Operand> fields = new LinkedHashMap<>();
    fields.put(StructField.RLIMIT_CUR, number(limit.soft()));
    fields.put(StructField.RLIMIT_MAX, number(limit.hard()));
    return Call.of(
            SystemCall.PRLIMIT64,
            Operand.of(0),
            Operand.of(resource),
            Operand.of(LinuxStruct.RLIMIT, fields),
            Operand.NULL)
        .hint(Errno.EPERM, hint(resource));
  }

  private static Operand number(long value) {
    return value == ResourceLimit.UNLIMITED
        ? Operand.of(LinuxConstant.RLIM_INFINITY)
        : new Operand.Literal(value, Long.toUnsignedString(value));
  }

  private static String hint(LinuxConstant resource) {
    String most =
        resource == LinuxConstant.RLIMIT_NOFILE ? ", and to no more than /proc/sys/fs/nr_open" : "";
    return "--rlimit "
        + word(resource)
        + ": only CAP_SYS_RESOURCE raises a hard limit above the caller's"
        + most;
  }

  /** As in {@code --rlimit}. */
  public static String word(LinuxConstant resource) {
    return resource.name().substring("RLIMIT_".length()).toLowerCase(Locale.ROOT);
  }
}
