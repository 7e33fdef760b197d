package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Privileges.UserNamespaces;
import java.util.List;
import java.util.Map;

/** Sees to it that the command can make no user namespace, if that is asked for. */
final class UserNamespaceLimit {
  private static final Map<Errno, String> HINTS =
      Map.of(
          Errno.EROFS,
          "--disable-userns: /proc/sys is read-only here (in a container?), so the limit on user"
              + " namespaces cannot be set",
          Errno.ENOENT,
          "--disable-userns: this kernel has no limit on user namespaces (Linux 4.9)");

  /** How a kernel or what guards it says that a process gets no user namespace. */
  private static final Errno[] REFUSED = {
    Errno.EPERM, Errno.EACCES, Errno.ENOSPC, Errno.EUSERS, Errno.EINVAL, Errno.ENOSYS
  };

  private final Slot proc;
  private final UserNamespaces asked;

  /**
   * What is asked for.
   *
   * @param proc a /proc that shows this process
   */
  UserNamespaceLimit(Slot proc, UserNamespaces asked) {
    this.proc = proc;
    this.asked = asked;
  }

  /** Whether there is to be one. */
  boolean isSet() {
    return asked == UserNamespaces.DISABLED;
  }

  /**
   * Lets one more user namespace be made below this one, and none below that: each counts against
   * the limits of all above it, which a process inside cannot change (namespaces(7)).
   */
  List<Instruction> set() {
    return isSet() ? Steps.writeFile(proc, "sys/user/max_user_namespaces", "1", HINTS) : List.of();
  }

  /** Proves, in the command's place, that none can be made, for whatever reason. */
  List<Instruction> prove() {
    if (asked == UserNamespaces.UNCHANGED) {
      return List.of();
    }
    String option = isSet() ? "--disable-userns" : "--assert-userns-disabled";
    return List.of(
        new Instruction.ExpectFailure(
            Call.of(SystemCall.UNSHARE, Operand.of(LinuxConstant.CLONE_NEWUSER)).tolerate(REFUSED),
            option + ": user namespaces can still be made in the sandbox"));
  }
}
