package dev.cloister.seccomp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Runs filters as the kernel does: all numbers are unsigned 32-bit ones. */
final class BpfMachine {
  private final ByteBuffer code;
  private final ByteBuffer data;
  private final int[] memory = new int[Bpf.MEMORY_WORDS];
  private int a;
  private int x;
  private int steps;

  private BpfMachine(byte[] program, ByteBuffer data) {
    this.code = ByteBuffer.wrap(program).order(ByteOrder.LITTLE_ENDIAN);
    this.data = data;
  }

  /**
   * What a filter says, and after how many instructions.
   *
   * @param value as seccomp(2) has it: the action above, its data in the lower half
   */
  record Answer(int value, int steps) {}

  /** Judges a call; arguments that are not given are 0. */
  static Answer run(byte[] program, int architecture, int number, long... arguments) {
    ByteBuffer data = ByteBuffer.allocate(Bpf.DATA_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    data.putInt(number).putInt(architecture).putLong(0);
    for (long argument : arguments) {
      data.putLong(argument);
    }
    BpfMachine machine = new BpfMachine(program, data);
    return new Answer(machine.run(), machine.steps);
  }

  private int run() {
    int at = 0;
    while (true) {
      steps++;
      int operation = Short.toUnsignedInt(code.getShort(8 * at));
      int k = code.getInt(8 * at + 4);
      switch (operation) {
        case Bpf.RETURN -> {
          return k;
        }
        case Bpf.RETURN_ACCUMULATOR -> {
          return a;
        }
        case Bpf.JUMP -> at += k;
        default -> {
          if ((operation & 7) == Bpf.JUMP) {
            at += Byte.toUnsignedInt(code.get(8 * at + (holds(operation, k) ? 2 : 3)));
          } else if ((operation & 7) == (Bpf.ADD & 7)) {
            a = calculate(operation, (operation & Bpf.WITH_INDEX) == 0 ? k : x);
          } else {
            move(operation, k);
          }
        }
      }
      at++;
    }
  }

  private boolean holds(int operation, int k) {
    int other = (operation & Bpf.WITH_INDEX) == 0 ? k : x;
    return switch (operation & ~Bpf.WITH_INDEX) {
      case Bpf.JUMP_IF_EQUAL -> a == other;
      case Bpf.JUMP_IF_ABOVE -> Integer.compareUnsigned(a, other) > 0;
      case Bpf.JUMP_IF_NOT_BELOW -> Integer.compareUnsigned(a, other) >= 0;
      case Bpf.JUMP_IF_ANY_BIT -> (a & other) != 0;
      default -> throw new AssertionError("comparison " + operation);
    };
  }

  private int calculate(int operation, int other) {
    return switch (operation & ~Bpf.WITH_INDEX) {
      case Bpf.ADD -> a + other;
      case Bpf.SUBTRACT -> a - other;
      case Bpf.MULTIPLY -> a * other;
      case Bpf.DIVIDE -> other == 0 ? 0 : Integer.divideUnsigned(a, other);
      case Bpf.OR -> a | other;
      case Bpf.AND -> a & other;
      case Bpf.XOR -> a ^ other;
      case Bpf.SHIFT_LEFT -> a << other;
      case Bpf.SHIFT_RIGHT -> a >>> other;
      case Bpf.NEGATE -> -a;
      default -> throw new AssertionError("arithmetic " + operation);
    };
  }

  private void move(int operation, int k) {
    switch (operation) {
      case Bpf.LOAD_DATA -> a = data.getInt(k);
      case Bpf.LOAD_SIZE -> a = Bpf.DATA_SIZE;
      case Bpf.LOAD -> a = k;
      case Bpf.LOAD_MEMORY -> a = memory[k];
      case Bpf.LOAD_INDEX_SIZE -> x = Bpf.DATA_SIZE;
      case Bpf.LOAD_INDEX -> x = k;
      case Bpf.LOAD_INDEX_MEMORY -> x = memory[k];
      case Bpf.STORE -> memory[k] = a;
      case Bpf.STORE_INDEX -> memory[k] = x;
      case Bpf.TO_INDEX -> x = a;
      case Bpf.FROM_INDEX -> a = x;
      default -> throw new AssertionError("operation " + operation);
    }
  }
}
