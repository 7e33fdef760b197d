package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A Landlock domain (landlock(7)): of the rights that it handles, its processes have only those
 * that a rule grants below some place. Whatever the rules, they can trace, and look into the {@code
 * /proc/PID} of, those in the domain only.
 */
public final class LandlockDomain {
  private static final Slot RULESET = new Slot("ruleset");

  /** A rule names its place by a number that is known when the program is compiled. */
  private static final int PLACE_FD = InheritedDescriptors.FIRST_KNOWN;

  private LandlockDomain() {}

  /** Starts one that handles these rights to files. */
  public static Call create(List<LinuxConstant> handled) {
    return create(
        LinuxStruct.LANDLOCK_RULESET,
        Map.of(StructField.LANDLOCK_RULESET_HANDLED_ACCESS_FS, new Operand.Flags(handled)));
  }

  /**
   * The same.
   *
   * @param scoped what its processes cannot reach outside of it, since Linux 6.12
   */
  public static Call create(List<LinuxConstant> handled, List<LinuxConstant> scoped) {
    Map<StructField, Operand> fields = new LinkedHashMap<>();
    fields.put(StructField.LANDLOCK_SCOPED_RULESET_HANDLED_ACCESS_FS, new Operand.Flags(handled));
    fields.put(StructField.LANDLOCK_SCOPED_RULESET_SCOPED, new Operand.Flags(scoped));
    return create(LinuxStruct.LANDLOCK_SCOPED_RULESET, fields);
  }

  private static Call create(LinuxStruct struct, Map<StructField, Operand> fields) {
    return Call.of(
            SystemCall.LANDLOCK_CREATE_RULESET,
            Operand.of(struct, fields),
            Operand.of(struct.size()),
            Operand.of(0))
        .into(RULESET);
  }

  /** The number of a place, which must be free before the first is allowed. */
  public static int placeNumber(InheritedDescriptors descriptors) {
    return descriptors.ownNumber(PLACE_FD);
  }

  /**
   * Grants rights at and below an open place.
   *
   * @param number of {@link #placeNumber}
   */
  public static List<Instruction> allow(Slot place, List<LinuxConstant> rights, int number) {
    Map<StructField, Operand> rule = new LinkedHashMap<>();
    rule.put(StructField.LANDLOCK_PATH_BENEATH_ALLOWED_ACCESS, new Operand.Flags(rights));
    rule.put(StructField.LANDLOCK_PATH_BENEATH_PARENT_FD, Operand.of(number));
    return List.of(
        Steps.duplicate(place, number),
        Call.of(
            SystemCall.LANDLOCK_ADD_RULE,
            Operand.of(RULESET),
            Operand.of(LinuxConstant.LANDLOCK_RULE_PATH_BENEATH),
            Operand.of(LinuxStruct.LANDLOCK_PATH_BENEATH, rule),
            Operand.of(0)));
  }

  /** Goes into it for good; needs no_new_privs. */
  public static Call enter() {
    return Call.of(SystemCall.LANDLOCK_RESTRICT_SELF, Operand.of(RULESET), Operand.of(0))
        .hint(Errno.E2BIG, "Landlock domains are nested too deeply (16 levels)");
  }

  /**
   * Closes what the other steps left open.
   *
   * @param places whether there were rules
   */
  public static List<Instruction> close(boolean places, int number) {
    Call ruleset = Steps.close(RULESET);
    return places ? List.of(ruleset, Steps.close(number)) : List.of(ruleset);
  }
}
