package dev.cloister.machine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Makes each jump of x86_64 code as short as it can be: two bytes where the target is near, five or
 * six elsewhere. Jumps start short, and those that do not reach become long until all do, as as(1)
 * does it.
 */
final class ShortJumps {
  private static final int SHORT_SIZE = 2;

  /** In the order of their positions. */
  private int[] positions = new int[256];

  private Label[] targets = new Label[256];
  private int count;

  /** How many bytes each jump saves now, and all before it. */
  private int[] saved = new int[0];

  private int[] savedBefore = new int[0];

  /** Notes a jump that is about to be written to {@code position} in its long form. */
  void add(int position, Label target) {
    if (count == positions.length) {
      positions = Arrays.copyOf(positions, 2 * count);
      targets = Arrays.copyOf(targets, 2 * count);
    }
    positions[count] = position;
    targets[count++] = target;
  }

  /**
   * The code with short jumps. Moves all labels.
   *
   * @param bytes with every jump in its long form
   * @param references to labels; the four bytes of each long jump are one
   * @param labels all that were placed in the code
   */
  Code shorten(byte[] bytes, List<Code.Reference> references, List<Label> labels) {
    saved = new int[count];
    savedBefore = new int[count + 1];
    choose(bytes);
    byte[] shorter = copy(bytes);
    List<Code.Reference> moved = new ArrayList<>(references.size());
    int jump = 0;
    for (Code.Reference reference : references) {
      while (jump < count && positions[jump] < reference.position()) {
        jump++;
      }
      // The last jump that starts before: this reference may be its own.
      boolean own = jump > 0 && reference.position() < positions[jump - 1] + size(bytes, jump - 1);
      if (!own || saved[jump - 1] == 0) {
        moved.add(reference.at(reference.position() - savedBefore[jump]));
      }
    }
    // Targets are read before: each label is moved once.
    for (Label label : labels) {
      label.move(newPosition(label.offset()));
    }
    return new Code(shorter, moved);
  }

  private static boolean isUnconditional(byte[] bytes, int position) {
    return (bytes[position] & 0xff) == 0xe9;
  }

  private int size(byte[] bytes, int jump) {
    return isUnconditional(bytes, positions[jump]) ? 5 : 6;
  }

  private void choose(byte[] bytes) {
    int[] before = new int[count];
    for (int i = 0; i < count; i++) {
      boolean inside = targets[i].isPlaced() && targets[i].section() == Label.Section.TEXT;
      before[i] = inside ? jumpsBefore(targets[i].offset()) : -1;
      saved[i] = inside ? size(bytes, i) - SHORT_SIZE : 0;
    }
    boolean changed = true;
    while (changed) {
      changed = false;
      sum();
      for (int i = 0; i < count; i++) {
        if (saved[i] > 0 && !reaches(i, before[i])) {
          saved[i] = 0;
          changed = true;
        }
      }
    }
  }

  private void sum() {
    for (int i = 0; i < count; i++) {
      savedBefore[i + 1] = savedBefore[i] + saved[i];
    }
  }

  private boolean reaches(int jump, int jumpsBeforeTarget) {
    int distance = distance(jump, targets[jump].offset() - savedBefore[jumpsBeforeTarget]);
    return distance == (byte) distance;
  }

  /** From the end of a short jump. */
  private int distance(int jump, int target) {
    return target - (positions[jump] - savedBefore[jump] + SHORT_SIZE);
  }

  private int jumpsBefore(int offset) {
    int found = Arrays.binarySearch(positions, 0, count, offset);
    return found >= 0 ? found : -found - 1;
  }

  private int newPosition(int offset) {
    return offset - savedBefore[jumpsBefore(offset)];
  }

  private byte[] copy(byte[] bytes) {
    byte[] shorter = new byte[bytes.length - savedBefore[count]];
    int from = 0;
    int to = 0;
    for (int i = 0; i < count; i++) {
      if (saved[i] > 0) {
        int position = positions[i];
        System.arraycopy(bytes, from, shorter, to, position - from);
        to += position - from;
        // The opcode of a short condition is the second byte of the long one, less 10 hex.
        shorter[to] = (byte) (isUnconditional(bytes, position) ? 0xeb : bytes[position + 1] - 0x10);
        shorter[to + 1] = (byte) distance(i, newPosition(targets[i].offset()));
        to += SHORT_SIZE;
        from = position + size(bytes, i);
      }
    }
    System.arraycopy(bytes, from, shorter, to, bytes.length - from);
    return shorter;
  }
}
