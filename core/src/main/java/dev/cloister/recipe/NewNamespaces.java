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
import dev.cloister.spec.Namespace;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Namespaces that are made at once (unshare(2)), and what they need to be of use. */
final class NewNamespaces {
  static final NewNamespaces NONE = of(Set.of());

  private final boolean user;
  private final boolean mounts;
  private final Set<Namespace> others;

  private NewNamespaces(boolean user, boolean mounts, Set<Namespace> others) {
    this.user = user;
    this.mounts = mounts;
    this.others = others;
  }

  static NewNamespaces of(Set<Namespace> namespaces) {
    return new NewNamespaces(false, false, namespaces);
  }

  /** The same and a mount namespace. */
  NewNamespaces withMounts() {
    return new NewNamespaces(user, true, others);
  }

  /** The same and a user namespace, which owns the others (user_namespaces(7)). */
  NewNamespaces withUser() {
    return new NewNamespaces(true, mounts, others);
  }

  boolean isEmpty() {
    return !user && !mounts && others.isEmpty();
  }

  /** Makes them. */
  Call unshare() {
    List<LinuxConstant> flags = new ArrayList<>();
    if (user) {
      flags.add(LinuxConstant.CLONE_NEWUSER);
    }
    if (mounts) {
      flags.add(LinuxConstant.CLONE_NEWNS);
    }
    for (Namespace namespace : Namespace.values()) {
      if (others.contains(namespace)) {
        flags.add(namespace.flag());
      }
    }
    Call unshare = Call.of(SystemCall.UNSHARE, new Operand.Flags(flags));
    return user ? withUserHints(unshare) : unshare;
  }

  private static Call withUserHints(Call call) {
    return call.hint(
            Errno.EPERM,
            "new user namespaces are refused: by a seccomp filter, a security module, a sysctl, or"
                + " because this process is in a chroot; see `cloister probe`")
        .hint(
            Errno.ENOSPC,
            "the limit on user namespaces is reached: see /proc/sys/user/max_user_namespaces")
        .hint(Errno.EUSERS, "user namespaces are nested too deeply (32 levels)");
  }

  /** They, for a process that enters them later. */
  KeptNamespaces keep() {
    return KeptNamespaces.of(user, mounts, others);
  }

  /**
   * Does what {@code spec} asks of those that were made, by a process with all capabilities over
   * them.
   */
  List<Instruction> setUp(SandboxSpec spec) {
    List<Instruction> steps = new ArrayList<>();
    if (others.contains(Namespace.UTS)) {
      steps.addAll(nameHost(spec));
    }
    if (others.contains(Namespace.NET)) {
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
