package dev.cloister.sandbox;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.LinuxException;
import java.util.Map;
import java.util.TreeMap;

/**
 * Copies of this program's descriptors that a command is to have: it is known that they are open,
 * and another thread that closes its own changes nothing.
 */
final class PassedDescriptors implements AutoCloseable {
  /** Above the standard ones, should those be closed. */
  private static final int LOWEST_COPY = 3;

  private final Map<Integer, Descriptor> copies = new TreeMap<>();

  private PassedDescriptors() {}

  /**
   * Copies them.
   *
   * @param descriptors this program's numbers by the command's
   * @throws LinuxException with EBADF if one is not open
   */
  static PassedDescriptors copy(Map<Integer, Integer> descriptors) throws LinuxException {
    PassedDescriptors passed = new PassedDescriptors();
    try {
      for (Map.Entry<Integer, Integer> each : descriptors.entrySet()) {
        passed.copies.put(each.getKey(), Descriptor.duplicateOf(each.getValue(), LOWEST_COPY));
      }
      return passed;
    } catch (LinuxException e) {
      try (passed) {
        throw e;
      }
    }
  }

  void addTo(DescriptorMoves moves) {
    copies.forEach((number, copy) -> moves.give(copy.number(), number));
  }

  @Override
  public void close() throws LinuxException {
    for (Descriptor copy : copies.values()) {
      copy.close();
    }
  }
}
