package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.Caller;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.spec.GivenNamespaces;
import dev.cloister.spec.Privileges;
import dev.cloister.spec.Privileges.Authority;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Takes from a process what the command is not to have, and every way to get that back, before it
 * becomes the command (capabilities(7)).
 */
final class PrivilegeDrop {
  /**
   * A capability that protects the sandbox's init from the command: who lacks one that another
   * process has is not let trace that one, even with the same ids in the same user namespace
   * (ptrace(2)). Permitted and not effective, it allows nothing. Which one it is does not matter.
   */
  private static final LinuxConstant SHIELD = LinuxConstant.CAP_SYS_PACCT;

  private final Caller caller;
  private final SandboxSpec spec;
  private final Privileges privileges;
  private final GivenNamespaces given;

  PrivilegeDrop(Caller caller, SandboxSpec spec) {
    this.caller = caller;
    this.spec = spec;
    this.privileges = spec.privileges();
    this.given = spec.given();
  }

  /**
   * Takes every capability and every way to get one back over execve(2). A process that is uid 0 in
   * its user namespace needs both: without no_new_privs, exec would give them all again.
   */
  static List<Instruction> takeAll() {
    return List.of(noNewPrivileges(), CapabilitySet.NONE.setEffective());
  }

  private static Call noNewPrivileges() {
    return Prctl.set(LinuxConstant.PR_SET_NO_NEW_PRIVS, 1);
  }

  /** {@link #takeAll}, but for what was asked for. */
  List<Instruction> takeOthers() {
    List<Instruction> steps = new ArrayList<>();
    if (given.shared()) {
      // A change of ids may have taken it back.
      steps.add(Prctl.set(LinuxConstant.PR_SET_DUMPABLE, 0));
    }
    if (privileges.authority() == Authority.ALL_OF_CALLERS) {
      steps.add(noNewPrivileges());
    } else if (privileges.capabilities().isEmpty()) {
      steps.addAll(takeAll());
    } else {
      steps.addAll(keepCapabilities());
    }
    return steps;
  }

  /**
   * As ambient capabilities they survive execve(2) for every user, and no_new_privs keeps it from
   * adding others: what root of the user namespace is given there is cut down to what it had, and
   * neither file capabilities nor set-user-ID bits count. So the bounding set decides nothing.
   */
  private List<Instruction> keepCapabilities() {
    Set<LinuxConstant> kept = privileges.capabilities();
    List<Instruction> steps = new ArrayList<>();
    steps.add(noNewPrivileges());
    steps.add(CapabilitySet.of(kept).setInheritable());
    boolean all = kept.containsAll(Privileges.allCapabilities());
    for (LinuxConstant capability : kept) {
      Call raise = Prctl.raiseAmbient(capability);
      // All means all that this kernel has.
      steps.add(
          all
              ? raise.tolerate(Errno.EINVAL)
              : raise.hint(Errno.EINVAL, "this kernel does not know " + capability));
    }
    return steps;
  }

  /**
   * Whether the init can be protected from the command by {@link #takeAllButShield}, and must,
   * because the one who asked for {@link dev.cloister.spec.Reports} has a use for the process id
   * only if {@code /proc/PID/ns} is open to it; what forbids everyone to trace a process closes
   * that to all but root.
   */
  boolean shieldsInit() {
    Set<LinuxConstant> kept = privileges.capabilities();
    return spec.reports().any()
        && !given.shared()
        && !caller.isPrivileged()
        && !kept.contains(SHIELD)
        && !kept.contains(LinuxConstant.CAP_SYS_PTRACE);
  }

  /** Leaves the init what protects it. */
  static Call takeAllButShield() {
    return CapabilitySet.of(List.of(SHIELD)).setPermitted();
  }
}
