package dev.cloister.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.recipe.Alignment.Step;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class AlignmentTest {
  private final Random random = new Random(1);

  /** The same by the textbook, in time and memory that grow with the square of the length. */
  private static List<Step> textbook(int[] left, int[] right) {
    int[][] common = new int[left.length + 1][right.length + 1];
    for (int i = left.length - 1; i >= 0; i--) {
      for (int j = right.length - 1; j >= 0; j--) {
        common[i][j] =
            left[i] == right[j]
                ? common[i + 1][j + 1] + 1
                : Math.max(common[i + 1][j], common[i][j + 1]);
      }
    }
    List<Step> steps = new ArrayList<>();
    int i = 0;
    int j = 0;
    while (i < left.length && j < right.length) {
      if (left[i] == right[j]) {
        steps.add(Step.BOTH);
        i++;
        j++;
      } else if (common[i + 1][j] >= common[i][j + 1]) {
        steps.add(Step.LEFT);
        i++;
      } else {
        steps.add(Step.RIGHT);
        j++;
      }
    }
    steps.addAll(Collections.nCopies(left.length - i, Step.LEFT));
    steps.addAll(Collections.nCopies(right.length - j, Step.RIGHT));
    return steps;
  }

  private int[] randomSequence() {
    return random.ints(random.nextInt(12), 0, 1 + random.nextInt(6)).toArray();
  }

  /** Which of several longest subsequences it is decides what emitted files look like. */
  @Test
  void isTheTextbooks() {
    for (int i = 0; i < 20_000; i++) {
      int[] left = randomSequence();
      int[] right = randomSequence();
      assertEquals(textbook(left, right), Alignment.of(left, right));
    }
  }

  @Test
  void longSequencesThatDifferInLittle() {
    int length = 200_000;
    int[] left = IntStream.range(0, length).toArray();
    int[] right = left.clone();
    right[3] = -1;
    right[length - 3] = -2;
    List<Step> steps = Alignment.of(left, right);
    assertEquals(length - 2, Collections.frequency(steps, Step.BOTH));
    assertEquals(length + 2, steps.size());
  }

  @Test
  void longSequencesThatDifferInAllButTheirStart() {
    int length = 50_000;
    int[] left = IntStream.range(0, length).toArray();
    int[] right = IntStream.range(0, length).map(i -> i < 5 ? i : -i).toArray();
    List<Step> steps = Alignment.of(left, right);
    assertEquals(Collections.nCopies(5, Step.BOTH), steps.subList(0, 5));
    assertEquals(Collections.nCopies(length - 5, Step.LEFT), steps.subList(5, length));
    assertEquals(Collections.nCopies(length - 5, Step.RIGHT), steps.subList(length, steps.size()));
  }
}
