package dev.cloister.ffm;

import java.io.IOException;
import java.util.Optional;

/** A system call or C function that failed. */
public final class LinuxException extends IOException {
  private static final long serialVersionUID = 1;

  private final String call;
  private final int number;

  LinuxException(String call, int number) {
    super(call + ": " + describe(number));
    this.call = call;
    this.number = number;
  }

  private static String describe(int number) {
    return Errno.of(number)
        .map(errno -> errno.name() + " (" + errno.text() + ")")
        .orElse("errno " + number);
  }

  /** The call as C, for example {@code openat(AT_FDCWD, "/data", O_PATH|O_CLOEXEC, 0)}. */
  public String call() {
    return call;
  }

  /** The error number; nothing if no C header names it. */
  public Optional<Errno> errno() {
    return Errno.of(number);
  }

  /** Whether the call failed with this error number. */
  public boolean is(Errno errno) {
    return number == errno.number();
  }
}
