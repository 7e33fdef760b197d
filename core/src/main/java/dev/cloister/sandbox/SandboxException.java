package dev.cloister.sandbox;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxException;
import java.io.IOException;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A sandbox that could not be made, or a command in it that could not be started. Never what a
 * command says that did start: that is its {@link Result}.
 *
 * <p>The message is for a person, complete, and the same as the command line's. It and the phase
 * are what is serialized.
 */
public final class SandboxException extends IOException {
  private static final long serialVersionUID = 1;

  /** In characters, of a message that is still read. */
  private static final int LONGEST = 2000;

  private final Phase phase;
  private final transient @Nullable Failure failure;

  /** How far it came. */
  public enum Phase {
    /** What was asked for cannot be had here: no strategy makes it, or it contradicts itself. */
    BUILD,
    /** No process could be started. */
    SPAWN,
    /** A step of the launcher failed, or somebody ended the launcher. The command did not run. */
    SET_UP,
    /** The sandbox was there, and the command could not be executed in it. */
    COMMAND
  }

  /** What is known of it besides the message. */
  record Failure(
      OptionalInt step, Optional<String> call, Optional<Errno> errno, Optional<String> hint) {
    static final Failure UNKNOWN =
        new Failure(OptionalInt.empty(), Optional.empty(), Optional.empty(), Optional.empty());
  }

  SandboxException(Phase phase, String message, Failure failure) {
    super(message);
    this.phase = phase;
    this.failure = failure;
  }

  private SandboxException(Phase phase, String message, Failure failure, Throwable cause) {
    super(message, cause);
    this.phase = phase;
    this.failure = failure;
  }

  /** For what failed in this program itself. */
  static SandboxException of(Phase phase, IOException cause) {
    if (cause instanceof LinuxException refused) {
      Failure failure =
          new Failure(
              OptionalInt.empty(), Optional.of(refused.call()), refused.errno(), Optional.empty());
      return new SandboxException(phase, shorten(refused.getMessage()), failure, cause);
    }
    return new SandboxException(phase, String.valueOf(cause.getMessage()), Failure.UNKNOWN, cause);
  }

  /** A call that names all of a command's arguments can be megabytes long. */
  private static String shorten(@Nullable String message) {
    String text = String.valueOf(message);
    return text.length() <= LONGEST
        ? text
        : text.substring(0, LONGEST / 2) + " ... " + text.substring(text.length() - LONGEST / 2);
  }

  /** For what says all that there is to say; who wants its parts finds it as the cause. */
  static SandboxException refused(Exception cause) {
    return new SandboxException(
        Phase.BUILD, String.valueOf(cause.getMessage()), Failure.UNKNOWN, cause);
  }

  static SandboxException refused(String message) {
    return new SandboxException(Phase.BUILD, message, Failure.UNKNOWN);
  }

  @Override
  public String getMessage() {
    return Objects.requireNonNull(super.getMessage());
  }

  /** How far it came. */
  public Phase phase() {
    return phase;
  }

  private Failure known() {
    return failure == null ? Failure.UNKNOWN : failure;
  }

  /** The number of the step that failed, from 1, as in {@code cloister explain}. */
  public OptionalInt step() {
    return known().step();
  }

  /** The system call that failed, as C. */
  public Optional<String> call() {
    return known().call();
  }

  /** The error that it failed with. */
  public Optional<Errno> errno() {
    return known().errno();
  }

  /** What to do about it, where the kernel's word alone does not tell. */
  public Optional<String> hint() {
    return known().hint();
  }
}
