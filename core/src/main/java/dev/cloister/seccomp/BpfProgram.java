package dev.cloister.seccomp;

import dev.cloister.ffm.Architecture;
import dev.cloister.spec.SeccompFilter;
import java.util.Arrays;

/** A seccomp filter that somebody else has made, the same on every architecture. */
public final class BpfProgram implements SeccompFilter {
  /** The size of the longest. */
  public static final int MAX_SIZE = Bpf.MAX_INSTRUCTIONS * Bpf.INSTRUCTION_SIZE;

  private final byte[] bytes;

  private BpfProgram(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * Takes a copy of the instructions, as {@code struct sock_filter} has them.
   *
   * @throws MalformedFilterException if the kernel would not take them
   */
  public static BpfProgram of(byte[] instructions) throws MalformedFilterException {
    byte[] copy = instructions.clone();
    BpfCheck.check(copy);
    return new BpfProgram(copy);
  }

  @Override
  public byte[] instructions(Architecture architecture) {
    return bytes.clone();
  }

  @Override
  public String text() {
    return "len=" + bytes.length / Bpf.INSTRUCTION_SIZE + ", filter=...";
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BpfProgram program && Arrays.equals(bytes, program.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return "{" + text() + "}";
  }
}
