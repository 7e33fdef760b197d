package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation.Symlink;
import dev.cloister.spec.OsString;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Makes symbolic links, but none over anything else that is there. */
final class Symlinks {
  /** What a symbolic link says: at most PATH_MAX of linux/limits.h, and a NUL. */
  private static final Buffer EXISTING = new Buffer("existing", 4096);

  private static final Slot EXISTING_LENGTH = new Slot("existing_length");

  private final NewRoot root;
  private final Lookup lookup;

  Symlinks(NewRoot root, Lookup lookup) {
    this.root = root;
    this.lookup = lookup;
  }

  List<Instruction> make(Symlink symlink) throws PlanException {
    Destination destination = symlink.destination();
    Optional<Node> existing = root.find(destination);
    if (existing.isPresent()) {
      // Repeating a link is no mistake, as with bubblewrap.
      if (!existing.get().target().equals(Optional.of(symlink.target()))) {
        throw new PlanException(otherThan(symlink, existing.get().target()));
      }
      return List.of();
    }
    List<Instruction> steps = new ArrayList<>();
    if (root.knows(destination)) {
      steps.addAll(root.makeDirectory(destination.parent(), Modes.MOUNT_POINT));
      steps.add(Steps.symlink(symlink.target(), destination.relative()));
    } else {
      steps.addAll(lookup.findDirectory(destination.parent(), Modes.MOUNT_POINT));
      steps.add(
          Steps.symlink(symlink.target(), Operand.of(Lookup.DESTINATION), destination.name())
              .recover(Errno.EEXIST, requireSame(symlink)));
      steps.add(Steps.close(Lookup.DESTINATION));
    }
    root.set(destination, Node.symlink(symlink.target()));
    return steps;
  }

  /** What stands in the way of a symbolic link must be one that says the same. */
  private static List<Instruction> requireSame(Symlink symlink) {
    return List.of(
        Steps.readLink(Lookup.DESTINATION, symlink.destination().name(), EXISTING, EXISTING_LENGTH)
            .hint(Errno.EINVAL, otherThan(symlink, Optional.empty())),
        new Instruction.Terminate(EXISTING, EXISTING_LENGTH),
        new Instruction.RequireText(
            EXISTING, symlink.target(), otherThan(symlink, Optional.of(OsString.of("")))));
  }

  /**
   * Why a link cannot be made, in words that bubblewrap's users look for.
   *
   * @param existing what a link says that is in the way; nothing for what is none
   */
  private static String otherThan(Symlink symlink, Optional<OsString> existing) {
    String why =
        existing.isPresent()
            ? "existing destination is " + existing.get()
            : "destination exists and is not a symlink";
    return "--symlink "
        + symlink.target()
        + ": Can't make symlink at "
        + symlink.destination()
        + ": "
        + why;
  }
}
