package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation.LateBind;
import java.util.List;

/** Steps for what is looked at only when the sandbox is made. */
final class LateSources {
  /** Longest target of a symbolic link, and a NUL (PATH_MAX of linux/limits.h). */
  private static final int PATH_MAX = 4096;

  private LateSources() {}

  /** A copy of the source while its path means what it says; none if it may be missing and is. */
  static Call clone(LateBind late, Slot into) {
    Call clone = Steps.openTree(late.source(), into);
    return late.optional()
        ? clone.tolerate(Errno.ENOENT, Errno.ENOTDIR)
        : clone.hint(
            Errno.ENOENT,
            late.source() + " does not exist here: create it, or emit with --bind-try");
  }

  /** What the link says, or else a copy of what is no link; neither where there is nothing. */
  static List<Instruction> readOrClone(Destination entry, Slot into) {
    Buffer target = link(entry);
    return List.of(
        Call.of(
                SystemCall.READLINKAT,
                Operand.of(LinuxConstant.AT_FDCWD),
                Operand.of(entry.absolute()),
                Operand.of(target),
                Operand.of(PATH_MAX - 1))
            .into(linkLength(entry))
            .recover(Errno.EINVAL, List.of(Steps.openTree(entry.absolute(), into)))
            .tolerate(Errno.ENOENT));
  }

  /** Set if the host's entry is a link. */
  static Slot linkLength(Destination entry) {
    return new Slot("link_" + entry.name());
  }

  private static Buffer link(Destination entry) {
    return new Buffer("target_of_" + entry.name(), PATH_MAX);
  }

  /** The same link as the host's. */
  static Call makeLink(Destination entry) {
    return Call.of(
        SystemCall.SYMLINKAT,
        Operand.of(link(entry)),
        Operand.of(LinuxConstant.AT_FDCWD),
        Operand.of(entry.relative()));
  }

  /** Attaches a copy over what is there. */
  static Call attach(LateBind late, Slot tree) {
    return withMismatch(late, Steps.moveMount(tree, late.destination().relative()));
  }

  /** The same at a descriptor. */
  static Call attach(LateBind late, Slot tree, Slot at) {
    return withMismatch(late, Steps.moveMount(tree, at));
  }

  /**
   * Attaches a copy over a directory that was made for it. What is none needs a file: move_mount(2)
   * says EINVAL.
   */
  static Call attachOnNew(LateBind late, Slot tree) {
    Call remove =
        Call.of(
            SystemCall.UNLINKAT,
            Operand.of(LinuxConstant.AT_FDCWD),
            Operand.of(late.destination().relative()),
            Operand.of(LinuxConstant.AT_REMOVEDIR));
    return Steps.moveMount(tree, late.destination().relative())
        .recover(
            Errno.EINVAL,
            List.of(remove, Steps.mknod(late.destination().relative()), attach(late, tree)));
  }

  private static Call withMismatch(LateBind late, Call attach) {
    String mismatch =
        "of %s and %s in the sandbox only one is a directory"
            .formatted(late.source(), late.destination());
    return attach.hint(Errno.ENOTDIR, mismatch).hint(Errno.EINVAL, mismatch);
  }

  /** Set by {@link #openIfDirectory}. */
  static Slot directory(Slot tree) {
    return new Slot(tree.name() + "_directory");
  }

  /** It stays open until the last steps, which close all. */
  static Call openIfDirectory(Slot tree, Slot into) {
    return Call.of(
            SystemCall.OPENAT,
            Operand.of(tree),
            Operand.of("."),
            Operand.of(LinuxConstant.O_PATH, LinuxConstant.O_DIRECTORY, LinuxConstant.O_CLOEXEC))
        .into(into)
        .tolerate(Errno.ENOTDIR);
  }
}
