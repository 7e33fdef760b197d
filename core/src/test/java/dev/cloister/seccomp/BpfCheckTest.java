package dev.cloister.seccomp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.Errno;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is said about filters, and that the kernel is of the same opinion. */
class BpfCheckTest {
  private static final int[] OPERATIONS = operations();

  @TempDir Path directory;

  /** A filter that is wrong, and what is said. */
  static final class Mistake {
    private final String said;
    private final byte[] filter;

    Mistake(String said, byte[] filter) {
      this.said = said;
      this.filter = filter;
    }

    byte[] filter() {
      return filter;
    }

    @Override
    public String toString() {
      return said;
    }
  }

  private static Instructions code() {
    return new Instructions();
  }

  private static Mistake mistake(String said, Instructions code) {
    return new Mistake(said, code.add(Bpf.RETURN, 0).bytes());
  }

  private static Mistake unfinished(String said, Instructions code) {
    return new Mistake(said, code.bytes());
  }

  static Stream<Mistake> mistakes() {
    return Stream.concat(structure(), values());
  }

  private static Stream<Mistake> structure() {
    Instructions long4097 = code();
    for (int i = 0; i < 4096; i++) {
      long4097.add(Bpf.LOAD, 0);
    }
    return Stream.of(
        new Mistake("it is empty", new byte[0]),
        new Mistake("its 9 bytes are not a multiple of 8, the size of an instruction", new byte[9]),
        mistake("it is longer than 4096 instructions", long4097),
        unfinished("its instruction 0 is the last one and does not return", code().add(0, 0)),
        unfinished(
            "its instruction 1 is the last one and does not return",
            code().add(Bpf.RETURN, 0).add(Bpf.TO_INDEX, 0)),
        mistake("its instruction 0 jumps beyond the end", code().add(Bpf.JUMP, 1)),
        // Added to the place in 32 bits, it would lead back.
        mistake("its instruction 0 jumps beyond the end", code().add(Bpf.JUMP, 0xffffffffL)),
        mistake(
            "its instruction 1 jumps beyond the end",
            code().add(0, 0).add(Bpf.JUMP_IF_EQUAL, 0, 1, 5)),
        mistake(
            "its instruction 0 jumps beyond the end", code().add(Bpf.JUMP_IF_ABOVE | 8, 255, 0, 5)),
        mistake(
            "its instruction 1 reads word 3 of the memory, which may not be written yet",
            code().add(Bpf.STORE, 2).add(Bpf.LOAD_MEMORY, 3)),
        mistake(
            "its instruction 3 reads word 0 of the memory, which may not be written yet",
            code()
                .add(Bpf.LOAD_DATA, 0)
                .add(Bpf.JUMP_IF_EQUAL, 1, 0, 5)
                .add(Bpf.STORE, 0)
                .add(Bpf.LOAD_INDEX_MEMORY, 0)));
  }

  private static Stream<Mistake> values() {
    return Stream.of(
        mistake(
            "its instruction 0 has operation 0xffff, which seccomp does not know",
            code().add(0xffff, 0)),
        // BPF_LD|BPF_B|BPF_ABS: good for packets, not here.
        mistake(
            "its instruction 0 has operation 0x30, which seccomp does not know",
            code().add(0x30, 0)),
        // BPF_ALU|BPF_MOD
        mistake(
            "its instruction 0 has operation 0x94, which seccomp does not know",
            code().add(0x94, 5)),
        mistake(
            "its instruction 0 loads from offset 64, where no word of the 64 bytes of a call is",
            code().add(Bpf.LOAD_DATA, 64)),
        mistake(
            "its instruction 0 loads from offset 2, where no word of the 64 bytes of a call is",
            code().add(Bpf.LOAD_DATA, 2)),
        // SKF_AD_OFF: what extensions of packet filters load.
        mistake(
            "its instruction 0 loads from offset 4294963200, where no word of the 64 bytes of a call"
                + " is",
            code().add(Bpf.LOAD_DATA, 0xfffff000L)),
        mistake(
            "its instruction 0 uses word 16 of a memory of 16", code().add(Bpf.STORE_INDEX, 16)),
        mistake(
            "its instruction 0 uses word 4294967295 of a memory of 16",
            code().add(Bpf.LOAD_MEMORY, 0xffffffffL)),
        mistake("its instruction 0 divides by 0", code().add(Bpf.DIVIDE, 0)),
        mistake("its instruction 0 shifts by 32 of 32 bits", code().add(Bpf.SHIFT_LEFT, 32)),
        mistake(
            "its instruction 0 shifts by 4294967295 of 32 bits",
            code().add(Bpf.SHIFT_RIGHT, 0xffffffffL)));
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void saysWhatIsWrong(Mistake mistake) {
    MalformedFilterException thrown =
        assertThrows(MalformedFilterException.class, () -> BpfProgram.of(mistake.filter()));
    assertEquals(mistake.said, thrown.getMessage());
  }

  private static List<byte[]> good() {
    Instructions longest = code();
    for (int i = 0; i < 4095; i++) {
      longest.add(Bpf.LOAD, 0);
    }
    return List.of(
        code().add(Bpf.RETURN_ACCUMULATOR, 0).bytes(),
        longest.add(Bpf.RETURN, 0).bytes(),
        code().add(Bpf.LOAD_DATA, 60).add(Bpf.JUMP, 0).add(Bpf.RETURN, 0).bytes(),
        code().add(Bpf.STORE, 15).add(Bpf.LOAD_INDEX_MEMORY, 15).add(Bpf.RETURN, 1).bytes(),
        // Dead code is none of the kernel's business.
        code().add(Bpf.RETURN, 0).add(Bpf.DIVIDE | 8, 0).add(Bpf.RETURN, 0).bytes(),
        DefaultProfile.INSTANCE.instructions(Architecture.X86_64),
        DefaultProfile.INSTANCE.instructions(Architecture.AARCH64));
  }

  @Test
  void takesWhatIsRight() throws MalformedFilterException {
    for (byte[] filter : good()) {
      BpfProgram program = BpfProgram.of(filter);
      assertEquals(BpfProgram.of(filter), program);
      assertTrue(Arrays.equals(filter, program.instructions(Architecture.AARCH64)));
    }
  }

  private static boolean accepts(byte[] filter) {
    try {
      BpfCheck.check(filter);
      return true;
    } catch (MalformedFilterException e) {
      return false;
    }
  }

  private void assertTheKernelAgrees(List<byte[]> filters) throws Exception {
    List<Integer> errnos = new KernelJudge(directory).errnos(filters);
    assertEquals(filters.size(), errnos.size());
    for (int i = 0; i < filters.size(); i++) {
      byte[] filter = filters.get(i);
      int expected = accepts(filter) ? 0 : Errno.EINVAL.number();
      assertEquals(expected, errnos.get(i), () -> Arrays.toString(filter));
    }
  }

  @Test
  void theKernelIsOfTheSameOpinion() throws Exception {
    List<byte[]> filters = new ArrayList<>(good());
    // What is no whole number of instructions cannot even be said to the kernel.
    mistakes().map(Mistake::filter).filter(bytes -> bytes.length % 8 == 0).forEach(filters::add);
    assertTheKernelAgrees(filters);
  }

  /**
   * All operations of ten bits and some of those above, each in a filter that is otherwise right.
   */
  @Test
  void theKernelKnowsTheSameOperations() throws Exception {
    List<byte[]> filters = new ArrayList<>();
    for (int operation = 0; operation < 0x400; operation++) {
      filters.add(operation(operation));
    }
    for (int operation = 0x400; operation < 0x10000; operation += 0x3f5) {
      filters.add(operation(operation));
    }
    assertTheKernelAgrees(filters);
  }

  private static byte[] operation(int operation) {
    return code().add(Bpf.STORE, 0).add(operation, 0).add(Bpf.RETURN, 0).bytes();
  }

  /** Filters that are nearly right, by chance; the seed is fixed. */
  @Test
  void theKernelIsOfTheSameOpinionOnGeneratedFilters() throws Exception {
    Random random = new Random(20_190_710);
    List<byte[]> filters = new ArrayList<>();
    for (int i = 0; i < 4000; i++) {
      filters.add(generate(random));
    }
    long accepted = filters.stream().filter(BpfCheckTest::accepts).count();
    // A generator of nothing but right or wrong ones would show nothing.
    assertTrue(accepted > 400 && accepted < 3600, () -> accepted + " are right");
    assertTheKernelAgrees(filters);
  }

  private static byte[] generate(Random random) {
    int length = 1 + random.nextInt(12);
    Instructions code = code();
    for (int i = 0; i < length; i++) {
      int operation =
          random.nextInt(60) == 0
              ? random.nextInt(0x100)
              : OPERATIONS[random.nextInt(OPERATIONS.length)];
      int left = length - i;
      code.add(operation, random.nextInt(left + 1), random.nextInt(left + 1), number(random, left));
    }
    return code.add(random.nextInt(20) == 0 ? Bpf.LOAD : Bpf.RETURN, random.nextInt()).bytes();
  }

  /** Mostly one that is right for some operation. */
  private static long number(Random random, int left) {
    return switch (random.nextInt(16)) {
      case 0 -> random.nextInt();
      case 1 -> random.nextInt(80);
      case 2 -> -1;
      case 3, 4, 5 -> 4L * random.nextInt(16);
      default -> random.nextInt(Math.min(left + 1, 4));
    };
  }

  /** Each operation that seccomp knows once, those that touch the memory more often. */
  private static int[] operations() {
    IntStream known = IntStream.range(0, 0x100).filter(each -> accepts(operation(each)));
    int[] memory = {Bpf.STORE, Bpf.STORE, Bpf.STORE, Bpf.STORE_INDEX, Bpf.LOAD_MEMORY};
    return IntStream.concat(known, IntStream.concat(Arrays.stream(memory), Arrays.stream(memory)))
        .toArray();
  }
}
