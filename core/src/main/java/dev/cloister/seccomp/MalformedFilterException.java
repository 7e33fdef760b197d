package dev.cloister.seccomp;

/** A seccomp filter that the kernel would not take; the message is one line that says why. */
public final class MalformedFilterException extends Exception {
  private static final long serialVersionUID = 1L;

  MalformedFilterException(String message) {
    super(message);
  }
}
