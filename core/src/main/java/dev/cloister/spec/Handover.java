package dev.cloister.spec;

import dev.cloister.ffm.LinuxConstant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What a program that starts a launcher hands over to it besides the standard descriptors, and how
 * it hears of it. A person on a command line hands over nothing.
 *
 * <p>With channels, the launcher finds two more descriptors above those that it passes on. On
 * {@link #report} it says whether it became the command, and why not; that it is closed then, by
 * every process of the launcher's, is part of the answer. On {@link #status} the process that waits
 * for the command, if there is one, says how that ended. docs/adr/0018-library.md has the format.
 *
 * @param descriptors which the command finds open, under the same numbers as the launcher; from 3
 *     to {@value #MAX}
 * @param channels whether there are channels; the launcher's first argument is then the command's
 *     working directory, if it is not empty
 * @param waits whether the launcher, once all is set up, gets its command through {@link #report}
 * @param namespaces how many descriptors of namespaces, which the launcher enters, follow above the
 *     channels
 */
public record Handover(
    SortedSet<Integer> descriptors, boolean channels, boolean waits, int namespaces) {
  /** The highest number that can be passed on. */
  public static final int MAX = 255;

  /**
   * The signal on which a process that waits for the command ends it, and then itself: were it
   * killed at once, the command would live a moment longer, and nobody would know how long. Nothing
   * else sends this one (signal(7)).
   */
  public static final LinuxConstant KILLER = LinuxConstant.SIGSTKFLT;

  /** Said on {@link #report}, in a 32-bit word: the next thing is to execute the command. */
  public static final int EXECUTING = -2;

  /** The same: all is set up, and the command is waited for. */
  public static final int READY = -3;

  /** The same: with this comes a descriptor of the mount namespace. */
  public static final int MOUNTS = -4;

  /** The same: with this comes a descriptor of a namespace that is to be kept. */
  public static final int KEEP = -5;

  private static final int FIRST_OTHER = 3;

  /** What a command line hands over. */
  public static final Handover NONE = new Handover(Collections.emptySortedSet(), false, false, 0);

  /** For a launcher that gets its command later. */
  public static final Handover PREWARMED =
      new Handover(Collections.emptySortedSet(), true, true, 0);

  public Handover {
    descriptors = Collections.unmodifiableSortedSet(new TreeSet<>(descriptors));
    if (!descriptors.isEmpty() && (descriptors.first() < FIRST_OTHER || descriptors.last() > MAX)) {
      throw new IllegalArgumentException(
          "a descriptor to pass on has a number from %d to %d: %s"
              .formatted(FIRST_OTHER, MAX, descriptors));
    }
    if (waits && (!channels || !descriptors.isEmpty())) {
      throw new IllegalArgumentException("who waits for a command gets it through a channel");
    }
    if (!channels && (!descriptors.isEmpty() || namespaces > 0)) {
      throw new IllegalArgumentException("only a library passes descriptors on");
    }
  }

  /** For a launcher that becomes its command at once. */
  public static Handover library(Collection<Integer> descriptors) {
    return new Handover(new TreeSet<>(descriptors), true, false, 0);
  }

  /** For a launcher that enters namespaces which are there, and becomes its command. */
  public static Handover entering(int namespaces) {
    return new Handover(Collections.emptySortedSet(), true, false, namespaces);
  }

  /** The lowest number that the launcher itself can use. */
  public int firstFree() {
    return channels ? firstNamespace() + namespaces : FIRST_OTHER;
  }

  /** The number of the first descriptor of a namespace, if there is one. */
  public int firstNamespace() {
    return status() + 1;
  }

  /** The number of the channel on which it reports. */
  public int report() {
    return descriptors.isEmpty() ? FIRST_OTHER : descriptors.last() + 1;
  }

  /** The number of the channel on which it says how the command ended. */
  public int status() {
    return report() + 1;
  }

  /** The numbers below the channels that mean nothing; the starter fills them with anything. */
  public List<Integer> gaps() {
    List<Integer> gaps = new ArrayList<>();
    for (int number = FIRST_OTHER; number < report(); number++) {
      if (!descriptors.contains(number)) {
        gaps.add(number);
      }
    }
    return gaps;
  }
}
