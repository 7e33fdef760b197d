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
 * Without openat2(2): component by component, each below the descriptor of the one before. No
 * symbolic link is followed, so none leads out; a destination behind one is refused, as what the
 * link means inside cannot be found out safely.
 */
final class Walk implements Lookup {
  private static final String NEEDS = "to follow it safely needs openat2 (Linux 5.6)";

  @Override
  public List<Instruction> find(MountPoint place) {
    return walk(place.destination(), place.directory(), Optional.of(place), Optional.empty());
  }

  @Override
  public List<Instruction> findDirectory(Destination destination, Modes modes) {
    return find(new MountPoint(destination, true, modes));
  }

  @Override
  public List<Instruction> findExisting(Destination destination, String missing) {
    return walk(destination, false, Optional.empty(), Optional.of(missing));
  }

  @Override
  public List<Instruction> findMounted(Destination destination) {
    return walk(destination, true, Optional.empty(), Optional.empty());
  }

  @Override
  public List<Instruction> createFile(Destination destination, Modes parents, Slot into, int mode) {
    List<Instruction> steps = new ArrayList<>(findDirectory(destination.parent(), parents));
    steps.add(Steps.createIn(DESTINATION, destination, into, mode));
    steps.add(Steps.close(DESTINATION));
    return steps;
  }

  @Override
  public boolean followsLinks() {
    return false;
  }

  /**
   * Goes all the way.
   *
   * @param directory whether it must lead to a directory
   * @param made what is made where it is missing; nothing to make nothing
   * @param missing what is said then, where that is not which component it was
   */
  private static List<Instruction> walk(
      Destination destination,
      boolean directory,
      Optional<MountPoint> made,
      Optional<String> missing) {
    Operand here = Operand.of(LinuxConstant.AT_FDCWD);
    if (destination.isRoot()) {
      return List.of(open(here, destination, true).into(DESTINATION));
    }
    List<Instruction> steps = new ArrayList<>();
    Operand parent = here;
    Optional<Slot> passed = Optional.empty();
    for (int depth = 1; depth <= destination.components().size(); depth++) {
      boolean last = depth == destination.components().size();
      Slot found = last ? DESTINATION : Lookup.directorySlot(depth);
      Destination place = destination.prefix(depth);
      Call open = openComponent(parent, place, found, !last || directory);
      steps.add(
          made.isPresent()
              ? open.recover(Errno.ENOENT, List.of(made.get().make(parent, depth), open))
              : open.hint(Errno.ENOENT, missing.orElse(place + " does not exist in the sandbox")));
      if (last && !directory) {
        steps.add(refuseLink(found, destination));
      }
      passed.ifPresent(slot -> steps.add(Steps.close(slot)));
      passed = Optional.of(found);
      parent = Operand.of(found);
    }
    return steps;
  }

  private static Call openComponent(
      Operand parent, Destination place, Slot found, boolean isDirectory) {
    Call open = open(parent, place, isDirectory).into(found);
    return isDirectory ? open.recover(Errno.ENOTDIR, explain(parent, place, found)) : open;
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
