package dev.cloister.ffm;

/**
 * A set of signals.
 *
 * @param bits bit {@code n - 1} stands for signal {@code n}, as in the kernel's {@code sigset_t}
 */
public record SignalSet(long bits) {
  /** No signal. */
  public static final SignalSet NONE = new SignalSet(0);

  /** Every signal, real-time signals too. */
  public static final SignalSet ALL = new SignalSet(-1);

  /** The set of some {@code SIG} constants. */
  public static SignalSet of(LinuxConstant... signals) {
    long bits = 0;
    for (LinuxConstant signal : signals) {
      bits |= bit(signal);
    }
    return new SignalSet(bits);
  }

  /** Whether the signal is in the set. */
  public boolean contains(LinuxConstant signal) {
    return (bits & bit(signal)) != 0;
  }

  private static long bit(LinuxConstant signal) {
    long number = signal.value(KernelCall.HOST);
    if (!signal.name().startsWith("SIG") || number < 1 || number > Long.SIZE) {
      throw new IllegalArgumentException("not a signal: " + signal);
    }
    return 1L << (number - 1);
  }
}
