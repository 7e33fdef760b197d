package dev.cloister.recipe;

import dev.cloister.host.CallerKind;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Init;
import dev.cloister.program.Instruction.OnlyFor;
import dev.cloister.program.Instruction.Supervise;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One list of instructions made of several, one for each kind of callers: what they have in common
 * stands there once, in its order, and the rest is {@link OnlyFor} those whose list has it.
 */
final class MergedProgram {
  /** An instruction with those whose list has it at this place. */
  private record Line(Set<CallerKind> kinds, Instruction instruction) {
    Line {
      kinds = EnumSet.copyOf(kinds);
    }
  }

  private MergedProgram() {}

  static List<Instruction> of(Map<CallerKind, List<Instruction>> lists) {
    List<Line> merged = List.of();
    for (Map.Entry<CallerKind, List<Instruction>> list : new EnumMap<>(lists).entrySet()) {
      List<Line> lines = new ArrayList<>();
      for (Instruction instruction : list.getValue()) {
        lines.add(new Line(EnumSet.of(list.getKey()), instruction));
      }
      merged = merge(merged, lines);
    }
    return group(merged, lists.keySet());
  }

  /** Along a longest common subsequence. */
  private static List<Line> merge(List<Line> left, List<Line> right) {
    Map<Instruction, Integer> numbers = new HashMap<>();
    List<Line> merged = new ArrayList<>();
    int i = 0;
    int j = 0;
    for (Alignment.Step step : Alignment.of(numbered(left, numbers), numbered(right, numbers))) {
      switch (step) {
        case BOTH -> merged.add(join(left.get(i++), right.get(j++)));
        case LEFT -> merged.add(left.get(i++));
        case RIGHT -> merged.add(right.get(j++));
      }
    }
    return merged;
  }

  /** To compare two records takes a while, and each is compared many times. */
  private static int[] numbered(List<Line> lines, Map<Instruction, Integer> numbers) {
    int[] numbered = new int[lines.size()];
    for (int i = 0; i < numbered.length; i++) {
      Instruction compared = compared(lines.get(i).instruction());
      Integer known = numbers.putIfAbsent(compared, numbers.size());
      numbered[i] = known == null ? numbers.size() - 1 : known;
    }
    return numbered;
  }

  /** Where two processes are made, their children are merged in turn. */
  private static Instruction compared(Instruction instruction) {
    return switch (instruction) {
      case Supervise supervise -> supervise.running(List.of());
      case Init init -> init.running(List.of());
      default -> instruction;
    };
  }

  private static Line join(Line left, Line right) {
    Set<CallerKind> kinds = EnumSet.copyOf(left.kinds());
    kinds.addAll(right.kinds());
    Instruction instruction =
        switch (left.instruction()) {
          case Supervise one ->
              one.running(mergeChildren(left, right, one.child(), child(right.instruction())));
          case Init one ->
              one.running(mergeChildren(left, right, one.child(), child(right.instruction())));
          default -> left.instruction();
        };
    return new Line(kinds, instruction);
  }

  private static List<Instruction> child(Instruction instruction) {
    return switch (instruction) {
      case Supervise supervise -> supervise.child();
      case Init init -> init.child();
      default -> throw new IllegalArgumentException("makes no process: " + instruction);
    };
  }

  /** Of those on the left, some may be {@link OnlyFor} some of them already. */
  private static List<Instruction> mergeChildren(
      Line left, Line right, List<Instruction> leftChild, List<Instruction> rightChild) {
    Set<CallerKind> all = EnumSet.copyOf(left.kinds());
    all.addAll(right.kinds());
    return group(merge(lines(left.kinds(), leftChild), lines(right.kinds(), rightChild)), all);
  }

  private static List<Line> lines(Set<CallerKind> kinds, List<Instruction> instructions) {
    List<Line> lines = new ArrayList<>();
    for (Instruction instruction : instructions) {
      if (instruction instanceof OnlyFor only) {
        lines.addAll(lines(only.kinds(), only.steps()));
      } else {
        lines.add(new Line(kinds, instruction));
      }
    }
    return lines;
  }

  /** What several lines in a row have only for the same ones, in one. */
  private static List<Instruction> group(List<Line> lines, Set<CallerKind> all) {
    List<Instruction> grouped = new ArrayList<>();
    int start = 0;
    while (start < lines.size()) {
      Set<CallerKind> kinds = lines.get(start).kinds();
      List<Instruction> run = new ArrayList<>();
      int end = start;
      while (end < lines.size() && lines.get(end).kinds().equals(kinds)) {
        run.add(lines.get(end++).instruction());
      }
      if (kinds.equals(all)) {
        grouped.addAll(run);
      } else {
        grouped.add(new OnlyFor(kinds, run));
      }
      start = end;
    }
    return grouped;
  }
}
