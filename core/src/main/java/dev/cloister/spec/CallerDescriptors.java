package dev.cloister.spec;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * What a launcher does with descriptors that its caller left open, by their numbers. The standard
 * ones, 0 to 2, are the command's unless they are used here.
 *
 * @param inherited whether the command gets all others; else they are closed at once
 * @param uses what needs some of them: these are open while the sandbox is made, and closed before
 *     the command is executed
 * @param held of those in use, the ones that the process which waits for the command keeps open as
 *     long as the sandbox is there
 * @param awaited of those in use, the one from which something must be there to read, or its end,
 *     before the command is executed
 */
public record CallerDescriptors(
    boolean inherited, List<Use> uses, List<Integer> held, OptionalInt awaited) {
  /** Those are none of the launcher's business. */
  public static final CallerDescriptors NONE =
      new CallerDescriptors(false, List.of(), List.of(), OptionalInt.empty());

  /**
   * One descriptor that is needed.
   *
   * @param option who needs it, for a person
   */
  public record Use(int number, String option) {
    public Use {
      if (number < 0) {
        throw new IllegalArgumentException("not the number of a descriptor: " + number);
      }
    }

    @Override
    public String toString() {
      return option + " " + number;
    }
  }

  public CallerDescriptors {
    uses = List.copyOf(uses);
    held = List.copyOf(held);
  }

  /** The same, where the command gets those that nothing else needs. */
  public CallerDescriptors inheriting() {
    return new CallerDescriptors(true, uses, held, awaited);
  }

  /** The same with one that {@code option} needs, which need not be the first to do so. */
  public CallerDescriptors using(String option, int number) {
    if (uses(number)) {
      return this;
    }
    List<Use> more = new ArrayList<>(uses);
    more.add(new Use(number, option));
    return new CallerDescriptors(inherited, more, held, awaited);
  }

  /** The same with one that is kept open as long as the sandbox is there. */
  public CallerDescriptors holding(String option, int number) {
    if (held.contains(number)) {
      return this;
    }
    List<Integer> more = new ArrayList<>(held);
    more.add(number);
    return new CallerDescriptors(inherited, using(option, number).uses, more, awaited);
  }

  /** The same, where the command waits for this one. */
  public CallerDescriptors awaiting(String option, int number) {
    return new CallerDescriptors(
        inherited, using(option, number).uses, held, OptionalInt.of(number));
  }

  /** Whether something needs that number. */
  public boolean uses(int number) {
    for (Use use : uses) {
      if (use.number() == number) {
        return true;
      }
    }
    return false;
  }

  /** The numbers in use that are at least {@code first}, in ascending order. */
  public List<Integer> numbersFrom(int first) {
    List<Integer> numbers = new ArrayList<>();
    for (Use use : uses) {
      if (use.number() >= first) {
        numbers.add(use.number());
      }
    }
    numbers.sort(null);
    return numbers;
  }

  /** The lowest number from {@code first} on that nothing needs, nor those after it. */
  public int firstUnused(int first, int count) {
    int number = first;
    for (int used : numbersFrom(first)) {
      if (used >= number + count) {
        break;
      }
      number = used + 1;
    }
    return number;
  }
}
