package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.spec.GivenNamespaces;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * The user and the groups of the command, and how a process becomes that user (credentials(7)).
 *
 * <p>A privileged caller's process really becomes another one, for the kernel, too. Any other's
 * only seems to be another one inside, by the maps of a user namespace ({@link IdMaps}). And in a
 * user namespace that others have mapped, it becomes whom they have mapped the ids to.
 */
final class CommandUser {
  private final HostReport host;
  private final Caller caller;
  private final SandboxSpec spec;
  private final boolean isReal;
  private final Ids callers;
  private final Ids own;

  private CommandUser(HostReport host, SandboxSpec spec, boolean isReal) {
    this.host = host;
    this.caller = host.caller();
    this.spec = spec;
    this.isReal = isReal;
    this.callers = Ids.ofCaller(host);
    this.own = Ids.ofCommand(spec.identity(), host);
  }

  static CommandUser of(HostReport host, SandboxSpec spec) {
    return new CommandUser(
        host, spec, host.caller().isPrivileged() && !areMappedByOthers(spec.given()));
  }

  /** One that is who was asked for to the kernel, whoever the caller is. */
  static CommandUser real(HostReport host, SandboxSpec spec) {
    return new CommandUser(host, spec, true);
  }

  /** Whether the ids that are asked for mean those of a user namespace that others have mapped. */
  static boolean areMappedByOthers(GivenNamespaces given) {
    return given.user().isPresent() || given.mapped().isPresent();
  }

  /** The caller's. */
  Ids callers() {
    return callers;
  }

  /** Those that the command sees itself with. */
  Ids own() {
    return own;
  }

  /** The user that the command is for the kernel. */
  Id realUid() {
    return isReal ? own.uid() : callers.uid();
  }

  /** Whether the command may be root to the kernel; an unprivileged caller's only looks so. */
  boolean mayBeRoot() {
    return realUid().mayBeRoot() || isUnknown(spec.identity().uid());
  }

  /** Whether that id is whatever others have mapped it to. */
  private boolean isUnknown(OptionalLong id) {
    return areMappedByOthers(spec.given()) && id.isPresent();
  }

  private boolean isOtherUser() {
    return !own.uid().is(callers.uid());
  }

  private boolean isOtherGroup() {
    return !own.gid().is(callers.gid());
  }

  /**
   * Lets what is made from now on, directories, files and file systems, be the command's: an
   * unprivileged caller's are, and it could not write to a {@code --tmpfs} of root's. A caller that
   * may pass by no permission needs its own ids for its sources.
   */
  List<Instruction> makeFiles() {
    List<Instruction> steps = new ArrayList<>();
    if (!isReal || !caller.isPrivileged() || !caller.has(LinuxConstant.CAP_DAC_OVERRIDE)) {
      return steps;
    }
    if (isOtherGroup()) {
      steps.add(Call.of(SystemCall.SETFSGID, own.gid().operand()));
    }
    if (isOtherUser()) {
      steps.add(Call.of(SystemCall.SETFSUID, own.uid().operand()));
      // That took those that concern files from the effective ones (capabilities(7)).
      steps.add(CapabilitySet.of(caller.capabilities()).setEffective());
    }
    return steps;
  }

  /**
   * Becomes it in the caller's user namespace, if it shall be so to the kernel. A map alone would
   * leave a caller who is really root the owner of everything that is root's, so it becomes the
   * other user before the map.
   */
  List<Instruction> becomeReal() {
    List<Instruction> steps = new ArrayList<>();
    if (!isReal) {
      return steps;
    }
    if (caller.canDropGroups()) {
      steps.add(dropGroups());
    }
    if (isOtherGroup()) {
      steps.add(setGroup("the caller's user namespace"));
    }
    if (isOtherUser()) {
      steps.addAll(becomeOtherUser());
    }
    if (isOtherUser() || isOtherGroup()) {
      // A change of ids made this process's own files in /proc root's (proc(5)).
      steps.add(Prctl.set(LinuxConstant.PR_SET_DUMPABLE, 1));
    }
    return steps;
  }

  private List<Instruction> becomeOtherUser() {
    Call become = setUser("the caller's user namespace");
    return host.needs(Workaround.NO_USER_NAMESPACE) && spec.given().last().isEmpty()
        ? List.of(become)
        : List.of(
            // The next user namespace may be allowed to nobody without CAP_SYS_ADMIN.
            Prctl.set(LinuxConstant.PR_SET_KEEPCAPS, 1),
            become,
            CapabilitySet.of(List.of(LinuxConstant.CAP_SYS_ADMIN)).setEffective());
  }

  /**
   * Becomes who was asked for, in a user namespace that others have mapped and in which this
   * process has every capability. Whoever was not asked for stays what the caller is in it.
   */
  List<Instruction> becomeMapped() {
    List<Instruction> steps = new ArrayList<>();
    if (isUnknown(spec.identity().gid())) {
      steps.add(setGroup("the user namespace"));
    }
    if (isUnknown(spec.identity().uid())) {
      steps.add(Prctl.set(LinuxConstant.PR_SET_KEEPCAPS, 1));
      steps.add(setUser("the user namespace"));
      // Who was root in it has lost the effective ones by that (capabilities(7)).
      steps.add(CapabilitySet.ALL.setEffective());
    }
    return steps;
  }

  private Call setGroup(String where) {
    Operand id = own.gid().operand();
    return Call.of(SystemCall.SETRESGID, id, id, id)
        .hint(Errno.EINVAL, "--gid: " + where + " has no gid " + own.gid());
  }

  private Call setUser(String where) {
    Operand id = own.uid().operand();
    return Call.of(SystemCall.SETRESUID, id, id, id)
        .hint(Errno.EINVAL, "--uid: " + where + " has no uid " + own.uid());
  }

  /**
   * Drops groups that the command's user namespace may not let this process drop. Where that is one
   * that Cloister maps, {@link #becomeReal} does it.
   */
  List<Instruction> dropGroupsBefore() {
    return dropsGroupsBefore() ? List.of(dropGroups()) : List.of();
  }

  private boolean dropsGroupsBefore() {
    return areMappedByOthers(spec.given()) && caller.isPrivileged() && caller.canDropGroups();
  }

  private Call dropGroups() {
    Call drop = Call.of(SystemCall.SETGROUPS, Operand.of(0), Operand.NULL);
    // In a user namespace that denies it (user_namespaces(7)), which is not known before.
    return host.anyOf().isPresent() ? drop.tolerate(Errno.EPERM) : drop;
  }

  /**
   * Whether the command has no groups that open more to it than its own. The group id itself is
   * often in the list, where it opens nothing more.
   */
  boolean hasNoOtherGroups() {
    if (host.anyOf().isPresent()) {
      return false;
    }
    boolean staysCaller = spec.privileges().authority().isCallers();
    if (!staysCaller && ((isReal && caller.canDropGroups()) || dropsGroupsBefore())) {
      return true;
    }
    if (isUnknown(spec.identity().gid())) {
      return caller.groups().isEmpty();
    }
    Id kept = isReal ? own.gid() : callers.gid();
    for (long group : caller.groups()) {
      if (!kept.is(new Id.Known(group))) {
        return false;
      }
    }
    return true;
  }
}
