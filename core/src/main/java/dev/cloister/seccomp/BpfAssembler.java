package dev.cloister.seccomp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes filters with labels in place of distances. A comparison reaches {@link Bpf#MAX_JUMP}
 * instructions only; where its target is further away, it goes through a jump behind it.
 */
final class BpfAssembler {
  private final List<Line> lines = new ArrayList<>();

  /** A place in the program, behind all that jump there. */
  static final class Label {
    private int line = -1;

    private int line() {
      if (line < 0) {
        throw new IllegalStateException("a label was used but never placed");
      }
      return line;
    }
  }

  /** What one call of this assembler wrote: one instruction, and the jumps that it needs. */
  private abstract static class Line {
    int size() {
      return 1;
    }

    /** Makes longer what is too short for these places of lines; says whether it did. */
    boolean lengthen(int[] places, int at) {
      return false;
    }

    abstract void write(ByteBuffer out, int[] places, int at);
  }

  private static final class Plain extends Line {
    private final int operation;
    private final int k;

    Plain(int operation, int k) {
      this.operation = operation;
      this.k = k;
    }

    @Override
    void write(ByteBuffer out, int[] places, int at) {
      put(out, operation, 0, 0, k);
    }
  }

  private static final class Jump extends Line {
    private final Label target;

    Jump(Label target) {
      this.target = target;
    }

    @Override
    void write(ByteBuffer out, int[] places, int at) {
      put(out, Bpf.JUMP, 0, 0, distance(places, at, target));
    }
  }

  private static final class Comparison extends Line {
    private final int operation;
    private final int k;
    private final Label ifTrue;
    private final Label ifFalse;
    private boolean farTrue;
    private boolean farFalse;

    Comparison(int operation, int k, Label ifTrue, Label ifFalse) {
      this.operation = operation;
      this.k = k;
      this.ifTrue = ifTrue;
      this.ifFalse = ifFalse;
    }

    @Override
    int size() {
      return 1 + (farTrue ? 1 : 0) + (farFalse ? 1 : 0);
    }

    @Override
    boolean lengthen(int[] places, int at) {
      int before = size();
      farTrue |= distance(places, at, ifTrue) > Bpf.MAX_JUMP;
      farFalse |= distance(places, at, ifFalse) > Bpf.MAX_JUMP;
      return size() != before;
    }

    @Override
    void write(ByteBuffer out, int[] places, int at) {
      int jumpForFalse = farTrue ? 1 : 0;
      put(
          out,
          operation,
          farTrue ? 0 : distance(places, at, ifTrue),
          farFalse ? jumpForFalse : distance(places, at, ifFalse),
          k);
      if (farTrue) {
        put(out, Bpf.JUMP, 0, 0, distance(places, at + 1, ifTrue));
      }
      if (farFalse) {
        put(out, Bpf.JUMP, 0, 0, distance(places, at + 1 + jumpForFalse, ifFalse));
      }
    }
  }

  /** How many instructions lie between the one at {@code at} and {@code target}. */
  private static int distance(int[] places, int at, Label target) {
    int distance = places[target.line()] - at - 1;
    if (distance < 0) {
      throw new IllegalStateException("the machine cannot jump back");
    }
    return distance;
  }

  private static void put(ByteBuffer out, int operation, int ifTrue, int ifFalse, int k) {
    out.putShort((short) operation).put((byte) ifTrue).put((byte) ifFalse).putInt(k);
  }

  /** The next instruction is at {@code label}. */
  BpfAssembler place(Label label) {
    if (label.line >= 0) {
      throw new IllegalStateException("a label is placed once");
    }
    label.line = lines.size();
    return this;
  }

  BpfAssembler add(int operation, int k) {
    lines.add(new Plain(operation, k));
    return this;
  }

  BpfAssembler jump(Label target) {
    lines.add(new Jump(target));
    return this;
  }

  /** Goes to one or the other by how the accumulator compares with {@code k}. */
  BpfAssembler compare(int operation, int k, Label ifTrue, Label ifFalse) {
    lines.add(new Comparison(operation, k, ifTrue, ifFalse));
    return this;
  }

  /** Goes to {@code ifTrue}, or on. */
  BpfAssembler compare(int operation, int k, Label ifTrue) {
    Label next = new Label();
    return compare(operation, k, ifTrue, next).place(next);
  }

  /** The finished program. */
  byte[] assemble() {
    int[] places = places();
    while (lengthen(places)) {
      places = places();
    }
    ByteBuffer out =
        ByteBuffer.allocate(places[lines.size()] * Bpf.INSTRUCTION_SIZE)
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < lines.size(); i++) {
      lines.get(i).write(out, places, places[i]);
    }
    return out.array();
  }

  /** Where each line starts, and the end. */
  private int[] places() {
    int[] places = new int[lines.size() + 1];
    for (int i = 0; i < lines.size(); i++) {
      places[i + 1] = places[i] + lines.get(i).size();
    }
    return places;
  }

  private boolean lengthen(int[] places) {
    boolean changed = false;
    for (int i = 0; i < lines.size(); i++) {
      changed |= lines.get(i).lengthen(places, places[i]);
    }
    return changed;
  }
}
