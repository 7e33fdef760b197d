package dev.cloister.recipe;

import dev.cloister.spec.MountOperation;

/**
 * The permissions of directories that are made for a destination.
 *
 * @param last of the destination itself
 * @param parents of what is missing on the way to it
 */
record Modes(int last, int parents) {
  /** For something to be mounted over it. */
  static final Modes MOUNT_POINT = new Modes(0755, 0755);

  /** For a directory of this mode. */
  static Modes of(int mode) {
    return new Modes(mode, MountOperation.parentsMode(mode));
  }

  /** For a mount point of what will have this mode. */
  static Modes under(int mode) {
    return new Modes(0755, MountOperation.parentsMode(mode));
  }

  /** Of those parents alone. */
  Modes ofParent() {
    return new Modes(parents, parents);
  }
}
