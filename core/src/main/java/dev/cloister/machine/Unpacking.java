package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.A3;
import static dev.cloister.machine.Register.A4;
import static dev.cloister.machine.Register.A5;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.SCRATCH;

/**
 * The routine that undoes {@link Compression}. Throughout, A0 is where it reads, A1 where it
 * writes, A2 the end of that, A3 the bits that were read but not used below a leading one, A4 the
 * last distance with its bias, and A5 the last gamma code.
 */
final class Unpacking {
  private final Assembler asm;
  private final Label nextBit = new Label();
  private final Label gamma = new Label();

  Unpacking(Assembler asm) {
    this.asm = asm;
  }

  /** Writes the routine. It changes all registers but V0 to V5. */
  void write(Label routine, Label packed, Label unpacked, Label unpackedEnd) {
    Label item = new Label();
    Label match = new Label();
    Label same = new Label();
    Label end = new Label();
    asm.place(routine);
    asm.enter();
    asm.address(A0, packed);
    asm.address(A1, unpacked);
    asm.address(A2, unpackedEnd);
    asm.set(A3, 1);
    asm.place(item);
    asm.branch(EQUAL, A1, A2, end);
    asm.call(nextBit);
    asm.branch(NOT_EQUAL, RESULT, 0, match);
    copyByte(A0);
    asm.jump(item);
    asm.place(match);
    asm.call(nextBit);
    asm.branch(NOT_EQUAL, RESULT, 0, same);
    readDistance();
    asm.place(same);
    copyMatch();
    asm.jump(item);
    asm.place(end);
    asm.leave();
    writeNextBit();
    writeGamma();
  }

  private void copyByte(Register from) {
    asm.load(SCRATCH, from, 0, Width.BYTE);
    asm.add(from, 1);
    asm.store(A1, 0, SCRATCH, Width.BYTE);
    asm.add(A1, 1);
  }

  private void readDistance() {
    asm.call(gamma);
    asm.copy(A4, A5);
    asm.shiftLeft(A4, 8);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.add(A0, 1);
    asm.add(A4, SCRATCH);
  }

  private void copyMatch() {
    Label again = new Label();
    asm.call(gamma);
    asm.copy(RESULT, A1);
    asm.subtract(RESULT, A4);
    asm.add(RESULT, Compression.DISTANCE_BIAS);
    asm.add(A5, 1);
    asm.place(again);
    copyByte(RESULT);
    asm.add(A5, -1);
    asm.branch(NOT_EQUAL, A5, 0, again);
  }

  /** RESULT = the next bit. */
  private void writeNextBit() {
    Label some = new Label();
    asm.place(nextBit);
    asm.enter();
    asm.branch(NOT_EQUAL, A3, 1, some);
    asm.load(A3, A0, 0, Width.BYTE);
    asm.add(A0, 1);
    asm.add(A3, 0x100);
    asm.place(some);
    asm.copy(RESULT, A3);
    asm.and(RESULT, 1);
    asm.shiftRight(A3, 1);
    asm.leave();
  }

  private void writeGamma() {
    Label more = new Label();
    Label end = new Label();
    asm.place(gamma);
    asm.enter();
    asm.set(A5, 1);
    asm.place(more);
    asm.call(nextBit);
    asm.branch(EQUAL, RESULT, 0, end);
    asm.call(nextBit);
    asm.shiftLeft(A5, 1);
    asm.add(A5, RESULT);
    asm.jump(more);
    asm.place(end);
    asm.leave();
  }
}
