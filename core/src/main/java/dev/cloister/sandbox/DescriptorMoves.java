package dev.cloister.sandbox;

import dev.cloister.ffm.Spawn;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * How descriptors get the numbers under which a new process is to find them, one dup2(2) after the
 * other, without one taking the place of another that is needed later.
 */
final class DescriptorMoves {
  private final SortedMap<Integer, Integer> sources = new TreeMap<>();
  private final List<Integer> kept = new ArrayList<>();

  /** One dup2(2). */
  record Move(int from, int to) {}

  /** The same, to which more can be added. */
  DescriptorMoves copy() {
    DescriptorMoves copy = new DescriptorMoves();
    copy.sources.putAll(sources);
    copy.kept.addAll(kept);
    return copy;
  }

  /** This process's descriptor {@code own} becomes {@code number}. */
  DescriptorMoves give(int own, int number) {
    sources.put(number, own);
    return this;
  }

  /**
   * A descriptor that is needed after the moves, under whatever number: {@link #placeOf}. It is
   * closed by whoever is executed.
   */
  DescriptorMoves keep(int own) {
    kept.add(own);
    return this;
  }

  /** Where a descriptor that is kept is after the moves. */
  int placeOf(int own) {
    return aside().getOrDefault(own, own);
  }

  /** Whether a number has been given. */
  boolean has(int number) {
    return sources.containsKey(number);
  }

  /**
   * The moves in their order. What lies where another one goes is first moved out of the way, above
   * all that are concerned; the launcher closes those copies as its first step.
   */
  List<Move> inOrder() {
    Map<Integer, Integer> aside = aside();
    List<Move> moves = new ArrayList<>();
    aside.forEach((own, place) -> moves.add(new Move(own, place)));
    sources.forEach((number, own) -> moves.add(new Move(aside.getOrDefault(own, own), number)));
    return moves;
  }

  /** Which have to be moved out of the way, and where to. */
  private Map<Integer, Integer> aside() {
    Set<Integer> needed = new TreeSet<>(kept);
    for (Map.Entry<Integer, Integer> each : sources.entrySet()) {
      if (!each.getKey().equals(each.getValue())) {
        needed.add(each.getValue());
      }
    }
    int free = 1 + Math.max(highest(needed), highest(sources.keySet()));
    Map<Integer, Integer> aside = new TreeMap<>();
    for (int own : needed) {
      if (sources.containsKey(own)) {
        aside.put(own, free++);
      }
    }
    return aside;
  }

  private static int highest(Set<Integer> numbers) {
    return numbers.isEmpty() ? 0 : Collections.max(numbers);
  }

  /** The moves as pairs of numbers. */
  int[] toArray() {
    List<Move> moves = inOrder();
    int[] numbers = new int[2 * moves.size()];
    for (int i = 0; i < moves.size(); i++) {
      numbers[2 * i] = moves.get(i).from();
      numbers[2 * i + 1] = moves.get(i).to();
    }
    return numbers;
  }

  /** Has a process that is about to be started make them. */
  void addTo(Spawn spawn) {
    for (Move move : inOrder()) {
      spawn.duplicate(move.from(), move.to());
    }
  }
}
