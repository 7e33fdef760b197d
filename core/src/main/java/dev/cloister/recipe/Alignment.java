package dev.cloister.recipe;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Two sequences side by side, with as much in common as they can have: Myers, "An O(ND) Difference
 * Algorithm and Its Variations" (1986). Quick where they differ in little, however long they are;
 * where they differ in more than {@link #MAX_DIFFERENCES} places, only what both begin with is
 * common, so that neither time nor memory grows with the square of the length.
 */
final class Alignment {
  /** More than sensible options make; as many numbers are remembered as half its square. */
  static final int MAX_DIFFERENCES = 2000;

  /** What comes next. */
  enum Step {
    BOTH,
    LEFT,
    RIGHT
  }

  private final int[] left;
  private final int[] right;

  /**
   * By the number of differences, and then by diagonals: from where on the left the rest of both
   * has at most so many. On diagonal k are the pairs whose left index is greater by k; those of
   * number d go from the last one's k minus d to k plus d, and only every second can be reached.
   */
  private final List<int[]> reached = new ArrayList<>();

  private Alignment(int[] left, int[] right) {
    this.left = left;
    this.right = right;
  }

  /** Equal numbers stand for what is equal. Where there is a choice, the left comes first. */
  static List<Step> of(int[] left, int[] right) {
    Alignment alignment = new Alignment(left, right);
    int differences = alignment.differences();
    return differences > MAX_DIFFERENCES
        ? alignment.afterCommonStart()
        : alignment.shortest(differences);
  }

  /** How many there are, or one more than the most that are looked for. */
  private int differences() {
    for (int d = 0; d <= MAX_DIFFERENCES; d++) {
      reached.add(reach(d));
      if (isWithin(0, 0, d)) {
        return d;
      }
    }
    return MAX_DIFFERENCES + 1;
  }

  /** From those with one difference less. */
  private int[] reach(int d) {
    int[] starts = new int[d + 1];
    for (int place = 0; place <= d; place++) {
      int diagonal = left.length - right.length - d + 2 * place;
      int start = left.length;
      if (d > 0) {
        int[] before = reached.get(d - 1);
        int skippingRight = place > 0 ? before[place - 1] : Integer.MAX_VALUE;
        int skippingLeft = place < d ? before[place] - 1 : Integer.MAX_VALUE;
        start = Math.max(Math.min(skippingRight, skippingLeft), Math.max(0, diagonal));
      }
      while (start > 0 && start > diagonal && left[start - 1] == right[start - diagonal - 1]) {
        start--;
      }
      starts[place] = start;
    }
    return starts;
  }

  /** Whether the rest from these indices on has at most {@code d} differences. */
  private boolean isWithin(int i, int j, int d) {
    int twice = i - j - (left.length - right.length) + d;
    return twice >= 0 && twice <= 2 * d && twice % 2 == 0 && i >= reached.get(d)[twice / 2];
  }

  private List<Step> shortest(int differences) {
    List<Step> steps = new ArrayList<>();
    int rest = differences;
    int i = 0;
    int j = 0;
    while (i < left.length || j < right.length) {
      if (i < left.length && j < right.length && left[i] == right[j]) {
        steps.add(Step.BOTH);
        i++;
        j++;
        continue;
      }
      rest--;
      if (j == right.length || (i < left.length && isWithin(i + 1, j, rest))) {
        steps.add(Step.LEFT);
        i++;
      } else {
        steps.add(Step.RIGHT);
        j++;
      }
    }
    return steps;
  }

  private List<Step> afterCommonStart() {
    int mismatch = Arrays.mismatch(left, right);
    List<Step> steps = new ArrayList<>(Collections.nCopies(mismatch, Step.BOTH));
    steps.addAll(Collections.nCopies(left.length - mismatch, Step.LEFT));
    steps.addAll(Collections.nCopies(right.length - mismatch, Step.RIGHT));
    return steps;
  }
}
