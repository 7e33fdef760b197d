package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Destination;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds a destination in the new root without openat2(2): component by component, each below the
 * descriptor of the one before. No symbolic link is followed, so none leads out; a destination
 * behind one is refused, as what the link means inside cannot be found out safely.
 */
final class Walk {
  private static final String NEEDS = "to follow it safely needs openat2 (Linux 5.6)";

  private final Destination destination;
  private final Slot into;
  private final boolean directory;
  private final Optional<Modes> modes;

  private Walk(Destination destination, Slot into, boolean directory, Optional<Modes> modes) {
    this.destination = destination;
    this.into = into;
    this.directory = directory;
    this.modes = modes;
  }

  /** Finds what exists and is a directory. */
  static List<Instruction> to(Destination destination, Slot into) {
    return new Walk(destination, into, true, Optional.empty()).steps();
  }

  /**
   * Makes what is missing, too.
   *
   * @param directory whether it must be a directory
   * @param modes of directories that are made
   */
  static List<Instruction> making(
      Destination destination, Slot into, boolean directory, Modes modes) {
    return new Walk(destination, into, directory, Optional.of(modes)).steps();
  }

  private List<Instruction> steps() {
    Operand here = Operand.of(LinuxConstant.AT_FDCWD);
    if (destination.isRoot()) {
      return List.of(open(here, destination, true).into(into));
    }
    List<Instruction> steps = new ArrayList<>();
    Operand parent = here;
    Optional<Slot> passed = Optional.empty();
    for (int depth = 1; depth <= destination.components().size(); depth++) {
      boolean last = depth == destination.components().size();
      Slot found = last ? into : MountPlanner.directorySlot(depth);
      steps.add(step(parent, destination.prefix(depth), found, last));
      if (last && !directory) {
        steps.add(refuseLink(found, destination));
      }
      passed.ifPresent(slot -> steps.add(Steps.close(slot)));
      passed = Optional.of(found);
      parent = Operand.of(found);
    }
    return steps;
  }

  private Call step(Operand parent, Destination place, Slot found, boolean last) {
    boolean isDirectory = !last || directory;
    Call open = open(parent, place, isDirectory).into(found);
    if (isDirectory) {
      open = open.recover(Errno.ENOTDIR, explain(parent, place, found));
    }
    if (modes.isEmpty()) {
      return open.hint(Errno.ENOENT, place + " does not exist in the sandbox");
    }
    Call make =
        isDirectory
            ? Steps.mkdir(parent, place.name(), last ? modes.get().last() : modes.get().parents())
            : Steps.mknod(parent, place.name());
    return open.recover(
        Errno.ENOENT,
        List.of(
            make.tolerate(Errno.EEXIST)
                .hint(Errno.EROFS, MountPlanner.cannotMake(destination))
                .hint(Errno.EACCES, MountPlanner.cannotMake(destination)),
            open));
  }

  private static Call open(Operand parent, Destination place, boolean isDirectory) {
    List<LinuxConstant> flags = new ArrayList<>();
    flags.add(LinuxConstant.O_PATH);
    flags.add(LinuxConstant.O_NOFOLLOW);
    if (isDirectory) {
      flags.add(LinuxConstant.O_DIRECTORY);
    }
    flags.add(LinuxConstant.O_CLOEXEC);
    return Call.of(SystemCall.OPENAT, parent, Operand.of(place.name()), new Operand.Flags(flags));
  }

  /** Never succeeds: says whether what is no directory is a link. */
  private static List<Instruction> explain(Operand parent, Destination place, Slot found) {
    return List.of(
        open(parent, place, false).into(found),
        readLink(found)
            .hint(Errno.EFAULT, place + " is a symbolic link; " + NEEDS)
            .hint(Errno.ENOENT, place + " in the sandbox is not a directory"));
  }

  /**
   * With O_PATH and O_NOFOLLOW the descriptor of a symbolic link is the link's own (open(2)), and a
   * mount would go over the link. readlinkat(2) of the empty path is ENOENT for all but a link; of
   * a link, it writes to nowhere.
   */
  private static Call refuseLink(Slot found, Destination place) {
    return readLink(found)
        .tolerate(Errno.ENOENT)
        .hint(Errno.EFAULT, place + " is a symbolic link; " + NEEDS);
  }

  private static Call readLink(Slot file) {
    return Call.of(
        SystemCall.READLINKAT, Operand.of(file), Operand.of(""), Operand.NULL, Operand.of(1));
  }
}
