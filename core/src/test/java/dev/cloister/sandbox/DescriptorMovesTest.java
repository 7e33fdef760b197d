package dev.cloister.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Held against a model of a process's descriptor table. */
class DescriptorMovesTest {
  private static final int CASES = 20_000;

  /** Small, so that own numbers and given ones lie in each other's way. */
  private static final int NUMBERS = 12;

  /** The table after dup2(2), one after the other; what is at a number says where it came from. */
  private static Map<Integer, Integer> after(DescriptorMoves moves) {
    Map<Integer, Integer> table = new TreeMap<>();
    for (int number = 0; number < 2 * NUMBERS; number++) {
      table.put(number, number);
    }
    for (DescriptorMoves.Move move : moves.inOrder()) {
      assertTrue(table.containsKey(move.from()));
      table.put(move.to(), table.getOrDefault(move.from(), -1));
    }
    return table;
  }

  @Test
  void everyNumberGetsItsOwn() {
    Random random = new Random(6);
    for (int i = 0; i < CASES; i++) {
      Map<Integer, Integer> wanted = new TreeMap<>();
      DescriptorMoves moves = new DescriptorMoves();
      for (int many = random.nextInt(NUMBERS); many > 0; many--) {
        int own = random.nextInt(NUMBERS);
        int number = random.nextInt(NUMBERS);
        wanted.put(number, own);
        moves.give(own, number);
      }
      int kept = random.nextInt(NUMBERS);
      moves.keep(kept);
      Map<Integer, Integer> table = after(moves);
      wanted.forEach((number, own) -> assertEquals(own, table.get(number), moves::toString));
      assertEquals(kept, table.get(moves.placeOf(kept)));
      wanted.keySet().forEach(number -> assertTrue(moves.has(number)));
    }
  }

  /** What stays where it is has to lose its mark to be closed on exec, which dup2(2) does. */
  @Test
  void whatIsInItsPlaceIsNamedNevertheless() {
    DescriptorMoves moves = new DescriptorMoves().give(5, 5);
    assertEquals(List.of(new DescriptorMoves.Move(5, 5)), moves.inOrder());
  }

  @Test
  void whatLiesInNobodysWayIsNotMoved() {
    DescriptorMoves moves = new DescriptorMoves().give(7, 0).give(7, 1).keep(9);
    assertEquals(
        List.of(new DescriptorMoves.Move(7, 0), new DescriptorMoves.Move(7, 1)), moves.inOrder());
    assertEquals(9, moves.placeOf(9));
    assertFalse(moves.has(9));
  }

  @Test
  void whatACopyIsGivenTheOriginalHasNot() {
    DescriptorMoves moves = new DescriptorMoves().give(7, 0).keep(0);
    DescriptorMoves copy = moves.copy().give(8, 1).keep(1);
    assertEquals(
        List.of(new DescriptorMoves.Move(0, 8), new DescriptorMoves.Move(7, 0)), moves.inOrder());
    assertFalse(moves.has(1));
    assertTrue(copy.has(0));
    assertTrue(copy.has(1));
    assertEquals(9, copy.placeOf(0));
    assertEquals(10, copy.placeOf(1));
  }
}
