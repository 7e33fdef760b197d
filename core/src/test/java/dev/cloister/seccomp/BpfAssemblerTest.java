package dev.cloister.seccomp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.cloister.seccomp.BpfAssembler.Label;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BpfAssemblerTest {
  private static int answer(byte[] program, int number) {
    return BpfMachine.run(program, 0, number).value();
  }

  @Test
  void writesWhatTheKernelReads() {
    Label no = new Label();
    byte[] program =
        new BpfAssembler()
            .add(Bpf.LOAD_DATA, 4)
            .compare(Bpf.JUMP_IF_EQUAL, 0xc000003e, no, no)
            .place(no)
            .add(Bpf.RETURN, 7)
            .assemble();
    assertArrayEquals(
        new byte[] {
          0x20, 0, 0, 0, 4, 0, 0, 0, 0x15, 0, 0, 0, 0x3e, 0, 0, (byte) 0xc0, 6, 0, 0, 0, 7, 0, 0, 0
        },
        program);
  }

  /** On both sides of what a comparison reaches, for each of its two ways. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 253, 254, 255, 256, 257, 300, 2000})
  void reachesAnyDistance(int between) throws MalformedFilterException {
    Label seven = new Label();
    Label other = new Label();
    BpfAssembler code =
        new BpfAssembler()
            .add(Bpf.LOAD_DATA, Bpf.NUMBER)
            .compare(Bpf.JUMP_IF_EQUAL, 7, seven, other);
    for (int i = 0; i < between; i++) {
      code.add(Bpf.RETURN, 99);
    }
    byte[] program =
        code.place(seven).add(Bpf.RETURN, 1).place(other).add(Bpf.RETURN, 2).assemble();
    BpfCheck.check(program);
    assertEquals(1, answer(program, 7));
    assertEquals(2, answer(program, 8));
  }

  /** A comparison that grows moves the targets of those before it, which must then grow too. */
  @Test
  void comparisonsThatGrowPushOthers() throws MalformedFilterException {
    int count = 200;
    Label end = new Label();
    BpfAssembler code = new BpfAssembler().add(Bpf.LOAD_DATA, Bpf.NUMBER);
    Label[] ends = new Label[count];
    for (int i = 0; i < count; i++) {
      ends[i] = new Label();
      code.compare(Bpf.JUMP_IF_EQUAL, i, ends[i]);
    }
    code.jump(end);
    for (int i = 0; i < count; i++) {
      code.place(ends[i]).add(Bpf.RETURN, 1000 + i);
    }
    byte[] program = code.place(end).add(Bpf.RETURN, 5).assemble();
    BpfCheck.check(program);
    for (int i = 0; i < count; i++) {
      assertEquals(1000 + i, answer(program, i));
    }
    assertEquals(5, answer(program, count));
  }

  @Test
  void refusesToJumpBackOrNowhere() {
    Label start = new Label();
    BpfAssembler loop = new BpfAssembler().place(start).add(Bpf.LOAD, 0).jump(start);
    assertThrows(IllegalStateException.class, loop::assemble);
    BpfAssembler nowhere = new BpfAssembler().jump(new Label()).add(Bpf.RETURN, 0);
    assertThrows(IllegalStateException.class, nowhere::assemble);
    assertThrows(IllegalStateException.class, () -> loop.place(start));
  }
}
