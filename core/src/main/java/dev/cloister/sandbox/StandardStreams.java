package dev.cloister.sandbox;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.Pipe;
import dev.cloister.spec.OsString;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The standard streams of a process that is about to be started: what it inherits, which is closed
 * here as soon as it has that, and this program's ends of pipes, which are the process's for as
 * long as it lives.
 */
final class StandardStreams implements AutoCloseable {
  /** Of files that are created, before the umask, as ProcessBuilder has it. */
  private static final int NEW_FILE = 0666;

  private static final int INPUT = 0;
  private static final int OUTPUT = 1;
  private static final int ERROR = 2;

  /** Above those that are given to the process, as far as there are any. */
  private static final int LOWEST_COPY = 3;

  private final @Nullable Descriptor[] theirs = new Descriptor[3];
  private @Nullable PipeOutput input;
  private @Nullable PipeInput output;
  private @Nullable PipeInput error;

  private StandardStreams() {}

  /**
   * Opens what is asked for.
   *
   * @throws LinuxException if a file cannot be opened; nothing stays open
   */
  static StandardStreams open(Request request) throws LinuxException {
    StandardStreams streams = new StandardStreams();
    try {
      streams.openInput(request.input());
      streams.output = streams.openOutput(OUTPUT, request.output());
      if (request.errorToOutput()) {
        streams.theirs[ERROR] = streams.theirs[OUTPUT];
      } else {
        streams.error = streams.openOutput(ERROR, request.error());
      }
      return streams;
    } catch (LinuxException | RuntimeException e) {
      Closing own = streams::processEnded;
      try (streams;
          own) {
        throw e;
      }
    }
  }

  private void openInput(Redirect redirect) throws LinuxException {
    if (redirect.type() == Redirect.Type.PIPE) {
      Pipe pipe = Pipe.open();
      theirs[INPUT] = pipe.readEnd();
      input = owned(pipe.writeEnd(), PipeOutput::new);
    } else {
      openFile(INPUT, redirect);
    }
  }

  private @Nullable PipeInput openOutput(int number, Redirect redirect) throws LinuxException {
    if (redirect.type() != Redirect.Type.PIPE) {
      openFile(number, redirect);
      return null;
    }
    Pipe pipe = Pipe.open();
    theirs[number] = pipe.writeEnd();
    return owned(pipe.readEnd(), PipeInput::new);
  }

  /** Makes a stream of a descriptor. */
  @FunctionalInterface
  private interface Opening<T> {
    T open(Descriptor descriptor) throws LinuxException;
  }

  private static <T> T owned(Descriptor descriptor, Opening<T> opening) throws LinuxException {
    try {
      return opening.open(descriptor);
    } catch (LinuxException e) {
      try (descriptor) {
        throw e;
      }
    }
  }

  private void openFile(int number, Redirect redirect) throws LinuxException {
    theirs[number] =
        switch (redirect.type()) {
          case INHERIT -> Descriptor.duplicateOf(number, LOWEST_COPY);
          case READ -> Descriptor.open(path(redirect), LinuxConstant.O_RDONLY);
          case WRITE -> create(redirect, LinuxConstant.O_TRUNC);
          case APPEND -> create(redirect, LinuxConstant.O_APPEND);
          case PIPE -> throw new IllegalStateException("a pipe is no file");
        };
  }

  private static Descriptor create(Redirect redirect, LinuxConstant how) throws LinuxException {
    return Descriptor.create(path(redirect), NEW_FILE, LinuxConstant.O_WRONLY, how);
  }

  private static byte[] path(Redirect redirect) {
    return OsString.of(redirect.file().toPath()).bytes();
  }

  /** What becomes the process's descriptor of a number, 0 to 2. Stays this object's. */
  Descriptor theirs(int number) {
    return Objects.requireNonNull(theirs[number]);
  }

  /** What the process reads; a stream that takes nothing if that is no pipe. */
  OutputStream input() {
    return input == null ? NothingTaken.INSTANCE : new BufferedOutputStream(input);
  }

  /** What the process writes; an empty stream if that is no pipe. */
  InputStream output() {
    return output == null ? InputStream.nullInputStream() : output;
  }

  /** Likewise. */
  InputStream error() {
    return error == null ? InputStream.nullInputStream() : error;
  }

  /**
   * Closes what the process inherits.
   *
   * @throws LinuxException if that failed for one; the others are closed nevertheless
   */
  @Override
  public void close() throws LinuxException {
    Descriptor first = theirs[INPUT];
    Descriptor second = theirs[OUTPUT];
    Descriptor third = theirs[ERROR];
    try (first;
        second;
        third) {
      // All that there are.
    }
  }

  /** Keeps what can still be read, and closes all, likewise. Does not block. */
  void processEnded() throws LinuxException {
    PipeOutput first = input;
    Closing second = ending(output);
    Closing third = ending(error);
    try (first;
        second;
        third) {
      // All that there are.
    }
  }

  /** What may fail as these do. */
  @FunctionalInterface
  private interface Closing extends AutoCloseable {
    @Override
    void close() throws LinuxException;
  }

  private static @Nullable Closing ending(@Nullable PipeInput pipe) {
    return pipe == null ? null : pipe::processEnded;
  }

  /** In place of a pipe that there is none, as ProcessBuilder has it. */
  private static final class NothingTaken extends OutputStream {
    static final OutputStream INSTANCE = new NothingTaken();

    @Override
    public void write(int b) throws IOException {
      throw new IOException("Stream closed");
    }
  }
}
