package dev.cloister.sandbox;

import dev.cloister.ffm.ChildProcess;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.ExitStatus;
import dev.cloister.ffm.ResourceUsage;
import dev.cloister.program.CText;
import dev.cloister.program.Instruction;
import dev.cloister.sandbox.SandboxException.Failure;
import dev.cloister.sandbox.SandboxException.Phase;
import dev.cloister.spec.Handover;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a launcher said on one of its channels: 32-bit words, and after a failure a text to the end.
 *
 * @param ready whether all is set up, and it waits for its command
 * @param executing whether the next thing was to become the command
 * @param ended how the command ended
 * @param failed what went wrong
 */
record LauncherReport(
    boolean ready, boolean executing, Optional<ChildProcess.Ended> ended, Optional<Failed> failed) {
  static final LauncherReport NOTHING =
      new LauncherReport(false, false, Optional.empty(), Optional.empty());

  /** In bytes, of a {@code struct rusage} (getrusage(2)) on every 64-bit machine. */
  private static final int USAGE_SIZE = 144;

  /** The status with which a launcher ends whose command could not be executed, but no other. */
  private static final int SET_UP_FAILED = 125;

  private static final String SPEAKER = "cloister: ";
  private static final String HINT = "\nhint: ";

  /**
   * A failure.
   *
   * @param step which step it was, from 1; 0 if it was none
   * @param errno what the kernel said; 0 if it was not asked
   * @param status with which the launcher ends
   * @param text the message for a person
   */
  record Failed(int step, int errno, int status, String text) {
    SandboxException toException() {
      Phase phase = status == SET_UP_FAILED ? Phase.SET_UP : Phase.COMMAND;
      OptionalInt number = step > 0 ? OptionalInt.of(step) : OptionalInt.empty();
      return new SandboxException(
          phase, text, new Failure(number, call(), Errno.of(errno), hint()));
    }

    Failed naming(Request request) {
      String directory = CText.quote(request.directory());
      return new Failed(step, errno, status, text.replace(Request.DIRECTORY, directory));
    }

    /** The call stands between the number of its step and the error's name. */
    private Optional<String> call() {
      String counted = "step " + step + " of ";
      int start = text.indexOf(": ", text.indexOf(counted));
      Optional<Errno> error = Errno.of(errno);
      if (step == 0 || start < 0 || error.isEmpty()) {
        return Optional.empty();
      }
      int end = text.indexOf(": " + error.get().name() + " (", start);
      return end < 0 ? Optional.empty() : Optional.of(text.substring(start + 2, end));
    }

    private Optional<String> hint() {
      int start = text.indexOf(HINT);
      return start < 0 ? Optional.empty() : Optional.of(text.substring(start + HINT.length()));
    }
  }

  /** The same with what a launcher learned only from its arguments by its name. */
  LauncherReport naming(Request request) {
    return failed.isEmpty()
        ? this
        : new LauncherReport(ready, executing, ended, failed.map(it -> it.naming(request)));
  }

  /** Reads the first {@code size} bytes. */
  static LauncherReport parse(byte[] bytes, int size) {
    ByteBuffer words = ByteBuffer.wrap(bytes, 0, size).order(ByteOrder.LITTLE_ENDIAN);
    boolean ready = false;
    boolean executing = false;
    Optional<ChildProcess.Ended> ended = Optional.empty();
    while (words.remaining() >= Integer.BYTES) {
      int word = words.getInt();
      switch (word) {
        case Handover.MOUNTS, Handover.KEEP -> {}
        case Handover.READY -> ready = true;
        case Handover.EXECUTING -> executing = true;
        case Instruction.Attempt.ENDED -> ended = takeEnd(words);
        default -> {
          return new LauncherReport(ready, executing, ended, takeFailure(word, words));
        }
      }
    }
    return new LauncherReport(ready, executing, ended, Optional.empty());
  }

  /** Nothing of one that was cut off. */
  private static Optional<ChildProcess.Ended> takeEnd(ByteBuffer words) {
    if (words.remaining() < Integer.BYTES + USAGE_SIZE) {
      return Optional.empty();
    }
    ExitStatus status = ExitStatus.decode(words.getInt());
    byte[] usage = new byte[USAGE_SIZE];
    words.get(usage);
    return Optional.of(new ChildProcess.Ended(status, ResourceUsage.decode(usage)));
  }

  /** Nothing of one that was cut off: its process was killed while it wrote. */
  private static Optional<Failed> takeFailure(int step, ByteBuffer words) {
    if (words.remaining() < 2 * Integer.BYTES) {
      return Optional.empty();
    }
    int errno = words.getInt();
    int status = words.getInt();
    String text = StandardCharsets.UTF_8.decode(words).toString().strip();
    String said = text.startsWith(SPEAKER) ? text.substring(SPEAKER.length()) : text;
    return Optional.of(new Failed(step, errno, status, said));
  }
}
