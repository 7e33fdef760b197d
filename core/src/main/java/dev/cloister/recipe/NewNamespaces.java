package dev.cloister.recipe;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What new namespaces need to be of use. */
final class NewNamespaces {
  private NewNamespaces() {}

  /**
   * Does what {@code spec} asks of those that were made, by a process with all capabilities over
   * them.
   */
  static List<Instruction> setUp(Set<Namespace> made, SandboxSpec spec) {
    List<Instruction> steps = new ArrayList<>();
    if (made.contains(Namespace.UTS)) {
      steps.addAll(nameHost(spec));
    }
    if (made.contains(Namespace.NET)) {
      steps.addAll(bringUpLoopback());
    }
    return steps;
  }

  private static List<Instruction> nameHost(SandboxSpec spec) {
    return spec.hostname()
        .map(
            name ->
                List.<Instruction>of(
                    Call.of(SystemCall.SETHOSTNAME, Operand.of(name), Operand.of(name.length()))))
        .orElse(List.of());
  }

  /** A new network namespace has a loopback device that is down; IPv4 and IPv6 come with it. */
  private static List<Instruction> bringUpLoopback() {
    Slot socket = new Slot("socket");
    Map<StructField, Operand> request = new LinkedHashMap<>();
    request.put(StructField.IFREQ_NAME, Operand.of("lo"));
    request.put(
        StructField.IFREQ_FLAGS, Operand.of(LinuxConstant.IFF_UP, LinuxConstant.IFF_RUNNING));
    return List.of(
        Call.of(
                SystemCall.SOCKET,
                Operand.of(LinuxConstant.AF_INET),
                Operand.of(LinuxConstant.SOCK_DGRAM, LinuxConstant.SOCK_CLOEXEC),
                Operand.of(0))
            .into(socket),
        Call.of(
            SystemCall.IOCTL,
            Operand.of(socket),
            Operand.of(LinuxConstant.SIOCSIFFLAGS),
            Operand.of(LinuxStruct.IFREQ, request)),
        Steps.close(socket));
  }
}
