package dev.cloister.ffm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.cloister.ffm.generated.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The environment variables of this process, as C has them. */
public final class Environment {
  private Environment() {}

  /**
   * A copy of {@code environ} (environ(7)), in its order: mostly {@code NAME=value}. Java's {@code
   * System.getenv} leaves out what has another form and changes bytes that its locale cannot
   * decode.
   */
  public static List<byte[]> variables() {
    List<byte[]> variables = new ArrayList<>();
    MemorySegment environ = memoryAt(Libc.environ$segment().get(JAVA_LONG, 0));
    for (long i = 0; ; i++) {
      long variable = environ.getAtIndex(JAVA_LONG, i);
      if (variable == 0) {
        return variables;
      }
      // Latin-1 has a character for each byte.
      String text = memoryAt(variable).getString(0, StandardCharsets.ISO_8859_1);
      variables.add(text.getBytes(StandardCharsets.ISO_8859_1));
    }
  }

  /** From a number: linking accesses by address layout would cost the JVM 10 ms more. */
  private static MemorySegment memoryAt(long address) {
    return MemorySegment.ofAddress(address).reinterpret(Long.MAX_VALUE);
  }
}
