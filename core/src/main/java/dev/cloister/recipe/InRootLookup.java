package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.program.Instruction;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Destination;
import java.util.ArrayList;
import java.util.List;

/**
 * With openat2(2), which takes the working directory for the root: a symbolic link means what it
 * will mean to the command.
 */
final class InRootLookup implements Lookup {
  @Override
  public List<Instruction> find(MountPoint place) {
    return List.of(Steps.find(place.destination(), DESTINATION).recover(Errno.ENOENT, make(place)));
  }

  @Override
  public List<Instruction> findDirectory(Destination destination, Modes modes) {
    MountPoint place = new MountPoint(destination, true, modes);
    return List.of(
        Steps.findDirectory(destination, DESTINATION).recover(Errno.ENOENT, make(place)));
  }

  @Override
  public List<Instruction> findExisting(Destination destination, String missing) {
    return List.of(Steps.find(destination, DESTINATION).hint(Errno.ENOENT, missing));
  }

  @Override
  public List<Instruction> findMounted(Destination destination) {
    return List.of(Steps.find(destination, DESTINATION));
  }

  @Override
  public List<Instruction> createFile(Destination destination, Modes parents, Slot into, int mode) {
    List<Instruction> steps = new ArrayList<>(findDirectory(destination.parent(), parents));
    steps.add(Steps.close(DESTINATION));
    // From the root anew, so that a link leads where it will for the command.
    steps.add(Steps.createFound(destination, into, mode));
    return steps;
  }

  @Override
  public boolean followsLinks() {
    return true;
  }

  /**
   * Makes the missing components one by one, each below the descriptor of the one before, so that a
   * link planted anywhere is met by the kernel's in-root resolution or by EEXIST.
   */
  private static List<Instruction> make(MountPoint place) {
    List<Instruction> steps = new ArrayList<>();
    Destination destination = place.destination();
    int last = destination.components().size();
    steps.add(Steps.find(destination.prefix(0), Lookup.directorySlot(0)));
    for (int depth = 1; depth <= last; depth++) {
      Destination prefix = destination.prefix(depth);
      Slot parent = Lookup.directorySlot(depth - 1);
      Slot found = depth == last ? DESTINATION : Lookup.directorySlot(depth);
      steps.add(
          Steps.find(prefix, found)
              .recover(
                  Errno.ENOENT,
                  List.of(place.make(Operand.of(parent), depth), Steps.find(prefix, found))));
      steps.add(Steps.close(parent));
    }
    return steps;
  }
}
