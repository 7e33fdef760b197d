package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.spec.Destination;
import dev.cloister.spec.OsString;

/**
 * What a destination must be before something can be mounted there, and how what is missing of it
 * is made.
 *
 * @param directory whether it is made as a directory, and not as an empty file
 */
record MountPoint(Destination destination, boolean directory, Modes modes) {
  /**
   * Makes one component, should nobody else have made it meanwhile.
   *
   * @param parent a descriptor of the one before
   * @param depth which one; the first is 1
   */
  Call make(Operand parent, int depth) {
    OsString name = destination.components().get(depth - 1);
    boolean last = depth == destination.components().size();
    Call make =
        !last || directory
            ? Steps.mkdir(parent, name, last ? modes.last() : modes.parents())
            : Steps.mknod(parent, name);
    return make.tolerate(Errno.EEXIST)
        .hint(Errno.EROFS, Steps.cannotMake(destination))
        .hint(Errno.EACCES, Steps.cannotMake(destination));
  }
}
