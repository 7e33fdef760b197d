package dev.cloister.recipe;

import dev.cloister.program.Instruction;
import dev.cloister.program.Slot;
import dev.cloister.spec.Destination;
import java.util.List;

/**
 * Finds destinations when the program runs: those the way to which leads through something of the
 * host's. Whatever lies on the way, none is found outside of the new root, which is the working
 * directory. What is found is held by a descriptor.
 */
interface Lookup {
  /** The descriptor of what was found. */
  Slot DESTINATION = new Slot("destination");

  /** That of a directory on the way, {@code depth} components below the new root. */
  static Slot directorySlot(int depth) {
    return new Slot("directory" + depth);
  }

  /** Finds {@code place}, and makes what is missing of it, as bubblewrap does. */
  List<Instruction> find(MountPoint place);

  /** The same where nothing but a directory will do. */
  List<Instruction> findDirectory(Destination destination, Modes modes);

  /**
   * Finds {@code destination}, and makes nothing.
   *
   * @param missing what to say where it does not exist
   */
  List<Instruction> findExisting(Destination destination, String missing);

  /** Finds the directory over which something was just mounted. */
  List<Instruction> findMounted(Destination destination);

  /**
   * Opens a file to write to: an existing one is emptied, a missing one made, with its directory.
   *
   * @param parents of directories that are made
   * @param mode of the file, if that is made
   */
  List<Instruction> createFile(Destination destination, Modes parents, Slot into, int mode);

  /**
   * Whether symbolic links on the way are followed, so that something can be found in another place
   * than it was said to be.
   */
  boolean followsLinks();
}
