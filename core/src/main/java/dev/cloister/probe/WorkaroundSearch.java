package dev.cloister.probe;

import dev.cloister.host.HostFiles;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.SyscallProgram;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds out what plans must do differently on a host where the plain way failed. Only what makes
 * the difference is taken: a workaround may cost a guarantee.
 */
final class WorkaroundSearch {
  /** Ways for a caller with CAP_SYS_ADMIN to a new root and out of its capabilities, best first. */
  private static final List<Set<Workaround>> PRIVILEGED_WAYS =
      List.of(
          Set.of(),
          Set.of(Workaround.LEAVE_CHROOT),
          Set.of(Workaround.NO_USER_NAMESPACE, Workaround.LANDLOCK_DOMAIN),
          Set.of(Workaround.LEAVE_CHROOT, Workaround.NO_USER_NAMESPACE, Workaround.LANDLOCK_DOMAIN),
          Set.of(Workaround.NO_USER_NAMESPACE),
          Set.of(Workaround.LEAVE_CHROOT, Workaround.NO_USER_NAMESPACE));

  private static final Map<Capability, Workaround> CALLS =
      Map.of(
          Capability.MOVE_MOUNT, Workaround.BIND_BY_PATH,
          Capability.READ_ONLY, Workaround.REMOUNT_EACH,
          Capability.RESOLVE_IN_ROOT, Workaround.WALK_PATHS);

  private final ProgramRunner runner;
  private final HostReport host;

  WorkaroundSearch(ProgramRunner runner, HostReport host) {
    this.runner = runner;
    this.host = host;
  }

  /** What is needed; nothing if that is nothing, or if nothing helps. */
  Set<Workaround> needed() {
    if (!host.caller().isPrivileged()) {
      return works(Capability.TMPFS, Set.of()) ? withMissingCalls(Set.of()) : Set.of();
    }
    for (Set<Workaround> way : PRIVILEGED_WAYS) {
      Set<Workaround> needed = withProc(way);
      if (works(Capability.NESTED_USER_NAMESPACE, needed)) {
        return withMissingCalls(needed);
      }
    }
    return Set.of();
  }

  private static Set<Workaround> withProc(Set<Workaround> way) {
    return HostFiles.hasProc() ? way : with(way, Workaround.OWN_PROC);
  }

  private Set<Workaround> withMissingCalls(Set<Workaround> way) {
    Set<Workaround> needed = way;
    for (Map.Entry<Capability, Workaround> call : CALLS.entrySet()) {
      if (!works(call.getKey(), way)) {
        needed = with(needed, call.getValue());
      }
    }
    return needed;
  }

  /** Why something does not work is of no interest here. */
  private boolean works(Capability capability, Set<Workaround> workarounds) {
    SyscallProgram program = CapabilityProbe.program(capability, host.with(workarounds));
    return runner.run(program) instanceof Outcome.Success;
  }

  private static Set<Workaround> with(Set<Workaround> some, Workaround one) {
    Set<Workaround> more = EnumSet.of(one);
    more.addAll(some);
    return more;
  }
}
