package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.GivenNamespaces;
import java.util.ArrayList;
import java.util.List;

/**
 * Goes into namespaces that the caller gave (setns(2)).
 *
 * <p>With a user namespace alone, all is made in it. With a pid namespace, all is made in the user
 * namespace that owns that one, as it takes capabilities there to enter it and to mount a {@code
 * /proc} of it (pid_namespaces(7)), and the user namespace that was given comes last. It may be the
 * same.
 *
 * <p>Other processes are there already, and none of the caller's friends perhaps. While this one
 * has descriptors of the host's, they must not trace it, so it lets itself be traced by nobody from
 * before it enters until it executes the command (ptrace(2); CVE-2016-9962 was this in runc).
 */
final class Joining {
  /** {@code _IO(0xb7, 1)} and {@code _IO(0xb7, 4)} of linux/nsfs.h, since Linux 4.9 and 4.11. */
  private static final Operand NS_GET_USERNS = new Operand.Literal(0xb701, "NS_GET_USERNS");

  private static final Operand NS_GET_OWNER_UID = new Operand.Literal(0xb704, "NS_GET_OWNER_UID");

  private static final Slot OWNER = new Slot("owner");
  private static final Buffer OWNER_UID = new Buffer("owner_uid", Integer.BYTES);

  private final GivenNamespaces given;

  Joining(GivenNamespaces given) {
    this.given = given;
  }

  /** Whether the user namespace comes last, though the command is in no other. */
  boolean userComesLast() {
    return given.user().isPresent() && given.pid().isPresent();
  }

  /** Before any namespace is made. A pid namespace is that of children from now on. */
  List<Instruction> first() {
    List<Instruction> steps = new ArrayList<>();
    if (!given.shared()) {
      return steps;
    }
    steps.add(Prctl.set(LinuxConstant.PR_SET_DUMPABLE, 0));
    if (userComesLast()) {
      steps.add(requireUser(given.user().getAsInt()));
      steps.addAll(enterOwner(given.pid().getAsInt()));
    } else if (given.user().isPresent()) {
      steps.add(
          enterUser(given.user().getAsInt(), "--userns")
              .hint(
                  Errno.EINVAL,
                  "--userns: this descriptor is not of a user namespace, or of the one the caller"
                      + " is in"));
    }
    if (given.pid().isPresent()) {
      steps.add(enterPid(given.pid().getAsInt()));
    }
    return steps;
  }

  /**
   * When all is made.
   *
   * @param become what is done in the user namespace that comes last, before one below it
   */
  List<Instruction> last(List<Instruction> become) {
    List<Instruction> steps = new ArrayList<>();
    if (userComesLast()) {
      // It may be the owner, where this process is already.
      steps.add(enterUser(given.user().getAsInt(), "--userns").tolerate(Errno.EINVAL));
      steps.addAll(become);
    }
    if (given.last().isPresent()) {
      steps.add(
          enterUser(given.last().getAsInt(), "--userns2")
              .hint(
                  Errno.EINVAL,
                  "--userns2: this descriptor is not of a user namespace, or of the one that the"
                      + " sandbox is made in"));
    }
    return steps;
  }

  /** A file that is no namespace has no such request, and another namespace no owner's id. */
  private static Call requireUser(int descriptor) {
    String wrong = "--userns: this descriptor is not of a user namespace";
    return notOpen(
        Call.of(SystemCall.IOCTL, Operand.of(descriptor), NS_GET_OWNER_UID, Operand.of(OWNER_UID))
            .hint(Errno.ENOTTY, wrong)
            .hint(Errno.EINVAL, wrong),
        "--userns");
  }

  private static List<Instruction> enterOwner(int pid) {
    return List.of(
        notOpen(
            Call.of(SystemCall.IOCTL, Operand.of(pid), NS_GET_USERNS)
                .into(OWNER)
                .hint(Errno.ENOTTY, "--pidns: this descriptor is not of a namespace")
                .hint(
                    Errno.EPERM,
                    "--pidns: the owner of this pid namespace is no user namespace of the caller's"),
            "--pidns"),
        // The caller may be there.
        Steps.setns(OWNER, LinuxConstant.CLONE_NEWUSER)
            .tolerate(Errno.EINVAL)
            .hint(
                Errno.EPERM,
                "--pidns: this user may not enter the user namespace that owns this pid namespace"));
  }

  private static Call enterPid(int descriptor) {
    return notOpen(
        setns(descriptor, LinuxConstant.CLONE_NEWPID)
            .hint(
                Errno.EINVAL,
                "--pidns: this descriptor is not of a pid namespace, or of none at or below the"
                    + " caller's")
            .hint(Errno.EPERM, "--pidns: this user may not enter that pid namespace"),
        "--pidns");
  }

  private static Call enterUser(int descriptor, String option) {
    return notOpen(
        setns(descriptor, LinuxConstant.CLONE_NEWUSER)
            .hint(
                Errno.EPERM,
                option
                    + ": this user may not enter that user namespace, which must be one below the"
                    + " one that the sandbox is made in"),
        option);
  }

  private static Call setns(int descriptor, LinuxConstant type) {
    return Call.of(SystemCall.SETNS, Operand.of(descriptor), Operand.of(type));
  }

  private static Call notOpen(Call call, String option) {
    return call.hint(Errno.EBADF, option + ": this descriptor is not open");
  }
}
