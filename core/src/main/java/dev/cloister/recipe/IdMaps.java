package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The maps of a user namespace that this process has just made: which id inside is which outside,
 * one of users and one of groups (user_namespaces(7)).
 */
final class IdMaps {
  /** Two ids of ten digits, one more digit, blanks and a NUL. */
  private static final Buffer MAP = new Buffer("map", 32);

  private static final Slot MAP_LENGTH = new Slot("map_length");

  private static final Operand SPACE = Operand.of(" ");
  private static final Operand ONE_ID = Operand.of(" 1");

  private static final Map<Errno, String> HINTS =
      Map.of(
          Errno.EACCES,
          "a security module (AppArmor, SELinux, Landlock) refuses the new user namespace its rights;"
              + " see `cloister probe`",
          Errno.EPERM,
          "the kernel refuses this id map: the caller may lack CAP_SETFCAP for id 0, or setgroups is"
              + " still allowed");

  private final Slot proc;
  private final boolean composed;

  /**
   * Writes them.
   *
   * @param proc a /proc that shows this process
   * @param composed whether ids are found, and so maps composed, when the program runs
   */
  IdMaps(Slot proc, boolean composed) {
    this.proc = proc;
    this.composed = composed;
  }

  /** Only with this may a process without CAP_SETGID map its group (user_namespaces(7)). */
  List<Instruction> denySetgroups() {
    return Steps.writeFile(proc, "self/setgroups", "deny", HINTS);
  }

  /** Maps these, and no others. */
  List<Instruction> write(Ids inside, Ids outside) {
    List<Instruction> steps = new ArrayList<>();
    steps.addAll(write("self/uid_map", inside.uid(), outside.uid()));
    steps.addAll(write("self/gid_map", inside.gid(), outside.gid()));
    return steps;
  }

  private List<Instruction> write(String file, Id inside, Id outside) {
    if (!composed && inside instanceof Id.Known(long in) && outside instanceof Id.Known(long out)) {
      String line = Long.toUnsignedString(in) + " " + Long.toUnsignedString(out) + " 1";
      return Steps.writeFile(proc, file, line, HINTS);
    }
    List<Instruction> steps = new ArrayList<>();
    steps.add(
        new Instruction.Compose(
            MAP, List.of(inside.part(), SPACE, outside.part(), ONE_ID), MAP_LENGTH));
    List<Instruction> write =
        Steps.writeFile(proc, file, Operand.of(MAP), Operand.of(MAP_LENGTH), HINTS);
    // The last steps close what is left open.
    steps.addAll(write.subList(0, 2));
    return steps;
  }
}
