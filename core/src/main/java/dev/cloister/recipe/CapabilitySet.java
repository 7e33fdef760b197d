package dev.cloister.recipe;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Some capabilities (capabilities(7)), and the ways in which a process can have these and no others
 * (capset(2)). The kernel takes them in two halves of 32 bits.
 */
final class CapabilitySet {
  static final CapabilitySet NONE = of(List.of());

  /** Bits of capabilities that this kernel does not know are ignored (capset(2)). */
  static final CapabilitySet ALL = new CapabilitySet(everyBit(), everyBit());

  private final Operand.Literal low;
  private final Operand.Literal high;

  private CapabilitySet(Operand.Literal low, Operand.Literal high) {
    this.low = low;
    this.high = high;
  }

  private static Operand.Literal everyBit() {
    return new Operand.Literal(0xffff_ffffL, "~0U");
  }

  static CapabilitySet of(Collection<LinuxConstant> capabilities) {
    return new CapabilitySet(half(capabilities, 0), half(capabilities, Integer.SIZE));
  }

  /** The bits of those that are at {@code first} or within the 32 above it, by their names. */
  private static Operand.Literal half(Collection<LinuxConstant> capabilities, int first) {
    long bits = 0;
    StringBuilder text = new StringBuilder();
    for (LinuxConstant capability : capabilities) {
      long bit = number(capability) - first;
      if (bit >= 0 && bit < Integer.SIZE) {
        bits |= 1L << bit;
        text.append(text.isEmpty() ? "1<<" : "|1<<").append(capability);
      }
    }
    return new Operand.Literal(bits, text.toString());
  }

  /** The same on every architecture (linux/capability.h). */
  private static long number(LinuxConstant capability) {
    return capability.value(Architecture.X86_64);
  }

  /**
   * Those with these bits.
   *
   * @param bits one for each, as {@link dev.cloister.host.Caller} has them
   */
  static CapabilitySet of(long bits) {
    return new CapabilitySet(half(bits & 0xffff_ffffL), half(bits >>> Integer.SIZE));
  }

  private static Operand.Literal half(long bits) {
    return new Operand.Literal(bits, "0x" + Long.toHexString(bits));
  }

  /** Permitted: to be made effective later. */
  Call setPermitted() {
    return set(StructField.USER_CAP_DATA_PERMITTED);
  }

  /** Effective, and so permitted, too. */
  Call setEffective() {
    return set(StructField.USER_CAP_DATA_EFFECTIVE, StructField.USER_CAP_DATA_PERMITTED);
  }

  /** Effective and inheritable, as they must be to become ambient. */
  Call setInheritable() {
    return set(
        StructField.USER_CAP_DATA_EFFECTIVE,
        StructField.USER_CAP_DATA_PERMITTED,
        StructField.USER_CAP_DATA_INHERITABLE);
  }

  private Call set(StructField... sets) {
    Operand header =
        Operand.of(
            LinuxStruct.USER_CAP_HEADER,
            Map.of(
                StructField.USER_CAP_HEADER_VERSION,
                Operand.of(LinuxConstant._LINUX_CAPABILITY_VERSION_3)));
    List<Map<StructField, Operand>> halves = List.of(fields(sets, low), fields(sets, high));
    return Call.of(
        SystemCall.CAPSET, header, new Operand.Structure(LinuxStruct.USER_CAP_DATA, halves));
  }

  private static Map<StructField, Operand> fields(StructField[] sets, Operand.Literal bits) {
    if (bits.value() == 0) {
      return Map.of();
    }
    Map<StructField, Operand> fields = new LinkedHashMap<>();
    for (StructField set : sets) {
      fields.put(set, bits);
    }
    return fields;
  }
}
