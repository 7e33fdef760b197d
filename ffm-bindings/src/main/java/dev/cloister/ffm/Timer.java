package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.CLOCK_MONOTONIC;
import static dev.cloister.ffm.LinuxConstant.TFD_CLOEXEC;
import static dev.cloister.ffm.LinuxConstant.TFD_NONBLOCK;

import java.lang.foreign.Arena;
import java.time.Duration;

/**
 * A timer of the kernel's, whose descriptor can be read from once it has expired:
 * timerfd_create(2). To set it wakes no thread.
 */
public final class Timer implements AutoCloseable {
  private final Descriptor descriptor;

  private Timer(Descriptor descriptor) {
    this.descriptor = descriptor;
  }

  /** A timer that is not set, closed on exec. */
  public static Timer open() throws LinuxException {
    return new Timer(
        Descriptor.owning(
            new KernelCall(SystemCall.TIMERFD_CREATE)
                .flags(CLOCK_MONOTONIC)
                .flags(TFD_CLOEXEC, TFD_NONBLOCK)));
  }

  /** What to watch. It stays this object's. */
  public Descriptor descriptor() {
    return descriptor;
  }

  /**
   * Has it expire once, after some time and not at another one that was set before:
   * timerfd_settime(2). Until then the descriptor cannot be read from.
   *
   * @param time more than none, which would stop it
   */
  public void set(Duration time) throws LinuxException {
    if (!time.isPositive()) {
      throw new IllegalArgumentException("no time: " + time);
    }
    try (Arena arena = Arena.ofConfined()) {
      Structure setting = Structure.allocate(arena, LinuxStruct.ITIMERSPEC);
      Structure first = setting.part(StructField.ITIMERSPEC_VALUE);
      first.set(StructField.TIMESPEC_SEC, time.toSeconds());
      first.set(StructField.TIMESPEC_NSEC, time.toNanosPart());
      new KernelCall(SystemCall.TIMERFD_SETTIME)
          .number(descriptor.number())
          .flags()
          .memory(setting.memory(), time.toString())
          .nullPointer()
          .run();
    }
  }

  @Override
  public void close() throws LinuxException {
    descriptor.close();
  }
}
