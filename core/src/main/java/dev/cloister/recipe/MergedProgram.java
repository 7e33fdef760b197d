package dev.cloister.recipe;

import dev.cloister.host.CallerKind;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Init;
import dev.cloister.program.Instruction.OnlyFor;
import dev.cloister.program.Instruction.Supervise;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
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
    int[][] common = commonLengths(left, right);
    List<Line> merged = new ArrayList<>();
    int i = 0;
    int j = 0;
    while (i < left.size() && j < right.size()) {
      if (isSame(left.get(i), right.get(j))) {
        merged.add(join(left.get(i++), right.get(j++)));
      } else if (common[i + 1][j] >= common[i][j + 1]) {
        merged.add(left.get(i++));
      } else {
        merged.add(right.get(j++));
      }
    }
    merged.addAll(left.subList(i, left.size()));
    merged.addAll(right.subList(j, right.size()));
    return merged;
  }

  /** {@code [i][j]}: how many lines can be common from these on. */
  private static int[][] commonLengths(List<Line> left, List<Line> right) {
    int[][] common = new int[left.size() + 1][right.size() + 1];
    for (int i = left.size() - 1; i >= 0; i--) {
      for (int j = right.size() - 1; j >= 0; j--) {
        common[i][j] =
            isSame(left.get(i), right.get(j))
                ? common[i + 1][j + 1] + 1
                : Math.max(common[i + 1][j], common[i][j + 1]);
      }
    }
    return common;
  }

  /** Where two processes are made, their children are merged in turn. */
  private static boolean isSame(Line left, Line right) {
    return switch (left.instruction()) {
      case Supervise one ->
          right.instruction() instanceof Supervise other
              && one.running(List.of()).equals(other.running(List.of()));
      case Init one ->
          right.instruction() instanceof Init other
              && one.running(List.of()).equals(other.running(List.of()));
      default -> left.instruction().equals(right.instruction());
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
