package dev.cloister.recipe;

import dev.cloister.program.Instruction;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation.DataFile;
import dev.cloister.spec.OsString;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Puts what is read from descriptors of the caller's into files. */
final class DataFiles {
  private static final Slot DATA = new Slot("data");

  private final NewRoot root;
  private final Lookup lookup;
  private final Optional<Operand> lifeline;

  /**
   * None yet.
   *
   * @param lifeline of the process, which ends with what that watches, while it waits for data
   */
  DataFiles(NewRoot root, Lookup lookup, Optional<Operand> lifeline) {
    this.root = root;
    this.lookup = lookup;
    this.lifeline = lifeline;
  }

  /** One in the new root. */
  List<Instruction> make(DataFile file) throws PlanException {
    Destination destination = file.destination();
    Modes parents = Modes.of(file.mode()).ofParent();
    List<Instruction> steps = new ArrayList<>();
    if (!root.knows(destination)) {
      steps.addAll(lookup.createFile(destination, parents, DATA, file.mode()));
      steps.addAll(copy(file.descriptor(), destination));
    } else if (root.has(destination)) {
      throw new PlanException(
          "--file %d %s: that is a directory in the sandbox"
              .formatted(file.descriptor(), destination));
    } else {
      steps.addAll(root.makeDirectory(destination.parent(), parents));
      steps.addAll(createNew(destination.relative(), file.mode(), file.descriptor(), destination));
    }
    root.set(destination, Node.opaque());
    return steps;
  }

  /**
   * One where none is yet.
   *
   * @param path where it is made
   * @param destination what it is for
   */
  List<Instruction> createNew(OsString path, int mode, int descriptor, Destination destination) {
    List<Instruction> steps = new ArrayList<>();
    steps.add(Steps.createNew(path, DATA, mode));
    steps.addAll(copy(descriptor, destination));
    return steps;
  }

  private List<Instruction> copy(int descriptor, Destination destination) {
    String what = "copying descriptor %d to %s".formatted(descriptor, destination);
    return List.of(new Instruction.CopyData(descriptor, DATA, what, lifeline), Steps.close(DATA));
  }
}
