package dev.cloister.recipe;

import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.spec.Destination;
import dev.cloister.spec.OsString;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is known, while planning, of the new root after the steps planned so far, and the ways to
 * places in it that follow from that.
 *
 * <p>Where the way to a destination is known, it is used as a path from the new root, which is the
 * working directory; where it leads through something of the host's, it is found with a {@link
 * Lookup}. The methods that return steps take it for granted that these come next.
 */
final class NewRoot {
  /** From the host's root, {@code ..} leads to what is mounted over it: the new root. */
  static final String PATH = "/..";

  /** The working directory, wherever that is. */
  static final OsString HERE = OsString.of(".");

  private final Lookup lookup;
  private Node root = Node.tmpfs();
  private int coveringMounts = 1;

  /** An empty tmpfs over the host's root. */
  NewRoot(Lookup lookup) {
    this.lookup = lookup;
  }

  /**
   * How many mounts lie below the new root: the host's, and each that was the new root until
   * something was mounted over it.
   */
  int coveringMounts() {
    return coveringMounts;
  }

  /** Whether {@code destination} can be used as a path. */
  boolean knows(Destination destination) {
    if (!root.knows(destination)) {
      return false;
    }
    Optional<Node> node = root.find(destination);
    return node.isEmpty() || node.get().kind() == Node.Kind.DIRECTORY;
  }

  /** What is known to be at {@code destination}. */
  Optional<Node> find(Destination destination) {
    return root.find(destination);
  }

  /** Whether something is known to be at {@code destination}. */
  boolean has(Destination destination) {
    return root.find(destination).isPresent();
  }

  /** Makes a directory and its parents, as far as they are missing; the way there is known. */
  List<Instruction> makeDirectory(Destination destination, Modes modes) {
    List<Instruction> steps = new ArrayList<>();
    addMissing(destination, modes, steps);
    return steps;
  }

  private void addMissing(Destination destination, Modes modes, List<Instruction> steps) {
    if (has(destination)) {
      return;
    }
    addMissing(destination.parent(), modes.ofParent(), steps);
    steps.add(Steps.mkdir(destination.relative(), modes.last()));
    put(destination, Node.directory());
  }

  /** Opens a directory as {@link Lookup#DESTINATION}, and makes it where it is missing. */
  List<Instruction> openDirectory(Destination destination, Modes modes) {
    if (!knows(destination)) {
      return lookup.findDirectory(destination, modes);
    }
    List<Instruction> steps = makeDirectory(destination, modes);
    steps.add(Steps.openDirectory(destination.relative(), Lookup.DESTINATION));
    return steps;
  }

  /** The path of {@code destination} for the call given to {@link #mount}. */
  OsString target(Destination destination) {
    return knows(destination) ? destination.relative() : HERE;
  }

  /**
   * Mounts a file system over a directory other than the root, which is made where it is missing.
   *
   * @param mount at {@link #target}
   * @param mounted what is known of it
   */
  List<Instruction> mount(Destination destination, Modes modes, Call mount, Node mounted) {
    List<Instruction> steps = new ArrayList<>();
    if (knows(destination)) {
      steps.addAll(makeDirectory(destination, modes));
      steps.add(mount);
    } else {
      steps.addAll(lookup.findDirectory(destination, modes));
      steps.add(Steps.fchdir(Lookup.DESTINATION));
      steps.add(Steps.close(Lookup.DESTINATION));
      steps.add(mount);
      steps.add(Steps.chdir(PATH));
    }
    set(destination, mounted);
    return steps;
  }

  /** Makes {@code destination}, where something was just mounted, the working directory. */
  List<Instruction> enter(Destination destination) {
    if (root.knows(destination)) {
      return List.of(Steps.chdir(destination.relative()));
    }
    List<Instruction> steps = new ArrayList<>(lookup.findMounted(destination));
    steps.add(Steps.fchdir(Lookup.DESTINATION));
    steps.add(Steps.close(Lookup.DESTINATION));
    return steps;
  }

  /** Notes what was put at {@code destination}, whether by its path or where it was found. */
  void set(Destination destination, Node node) {
    if (knows(destination)) {
      put(destination, node);
    } else {
      forgetWays();
    }
  }

  /** Notes what was put at the path of {@code destination}. */
  void put(Destination destination, Node node) {
    root.find(destination.parent()).orElseThrow().put(destination.name(), node);
  }

  /** What is at {@code destination} and below it is found at run time from now on. */
  void forget(Destination destination) {
    if (root.knows(destination)) {
      put(destination, Node.opaque());
    }
  }

  /**
   * After something was found at run time: a link on the way may have led to any place, also to one
   * that was known until then and is now covered by something of the host's. A path through that
   * would be resolved from the host's root. Where links are refused, it is where it was said to be.
   */
  void forgetWays() {
    if (lookup.followsLinks()) {
      root = root.forgotten();
    }
  }

  /**
   * Notes that something was mounted over the new root, and is that now.
   *
   * @param mounts how many that took, each over the one before
   */
  void cover(Node node, int mounts) {
    root = node;
    coveringMounts += mounts;
  }
}
