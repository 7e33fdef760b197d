package dev.cloister.ffm;

/**
 * A set of signals.
 *
 * @param bits bit {@code n - 1} stands for signal {@code n}, as in the kernel's {@code sigset_t}
 */
public record SignalSet(long bits) {
  /** No signal. */
  public static final SignalSet NONE = new SignalSet(0);
}
