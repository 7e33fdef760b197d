package dev.cloister.recipe;

import dev.cloister.program.Instruction;
import dev.cloister.spec.OsString;
import java.util.List;

/**
 * Something of the host's on its way into the new root. The steps of one method leave it there with
 * no more rights than it shall have.
 */
interface HostMount {
  /** Takes hold of it, before anything is made ready for it. */
  default List<Instruction> take() {
    return List.of();
  }

  /** Attaches it over what has this path. */
  List<Instruction> attach(OsString target);

  /** Lets go of it, once it is attached there. */
  default List<Instruction> release() {
    return List.of();
  }

  /**
   * Attaches it over what is found as {@link Lookup#DESTINATION}, and lets go of both.
   *
   * @param find what finds that
   * @param mismatch what to say where only one of the two is a directory
   */
  List<Instruction> attachFound(List<Instruction> find, String mismatch);
}
