package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.SIG_DFL;
import static dev.cloister.ffm.LinuxConstant.SIG_IGN;
import static dev.cloister.ffm.LinuxConstant.SIG_SETMASK;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Which signals this process blocks and how it reacts to them: signal(7). A new program inherits
 * the mask of the thread that executes it, and which signals are ignored.
 */
public final class Signals {
  /** What happens when a signal arrives. */
  public enum Disposition {
    /** What signal(7) lists for it; mostly the process ends. */
    DEFAULT,
    /** Nothing. */
    IGNORED,
    /** A function runs. It becomes {@link #DEFAULT} on exec. */
    HANDLED
  }

  private Signals() {}

  /**
   * Blocks exactly these signals in the calling thread: rt_sigprocmask(2). It must be a platform
   * thread, since a virtual one would leave the mask to whichever thread carries it.
   */
  public static void setMask(SignalSet signals) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(JAVA_LONG);
      mask.set(JAVA_LONG, 0, signals.bits());
      String text = "0x" + Long.toHexString(signals.bits());
      sigprocmask().memory(mask, text).nullPointer().number(Long.BYTES).run();
    }
  }

  private static KernelCall sigprocmask() {
    return new KernelCall(SystemCall.RT_SIGPROCMASK).flags(SIG_SETMASK);
  }

  /** How this process reacts to a signal: rt_sigaction(2). */
  public static Disposition disposition(LinuxConstant signal) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      Structure old = Structure.allocate(arena, LinuxStruct.KERNEL_SIGACTION);
      sigaction(signal).nullPointer().memory(old.memory(), "old").number(Long.BYTES).run();
      long handler = old.get(StructField.KERNEL_SIGACTION_HANDLER);
      if (handler == SIG_DFL.value(KernelCall.HOST)) {
        return Disposition.DEFAULT;
      }
      return handler == SIG_IGN.value(KernelCall.HOST) ? Disposition.IGNORED : Disposition.HANDLED;
    }
  }

  /**
   * Takes a signal from whoever handles it, the JVM perhaps, and gives it the default action:
   * rt_sigaction(2).
   */
  public static void reset(LinuxConstant signal) throws LinuxException {
    setHandler(signal, SIG_DFL);
  }

  /** Takes a signal from whoever handles it, and ignores it: rt_sigaction(2). */
  public static void ignore(LinuxConstant signal) throws LinuxException {
    setHandler(signal, SIG_IGN);
  }

  private static void setHandler(LinuxConstant signal, LinuxConstant handler)
      throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      Structure action = Structure.allocate(arena, LinuxStruct.KERNEL_SIGACTION);
      action.set(StructField.KERNEL_SIGACTION_HANDLER, handler.value(KernelCall.HOST));
      String text = "{" + handler + "}";
      sigaction(signal).memory(action.memory(), text).nullPointer().number(Long.BYTES).run();
    }
  }

  private static KernelCall sigaction(LinuxConstant signal) {
    return new KernelCall(SystemCall.RT_SIGACTION).flags(signal);
  }
}
