package dev.cloister.sandbox;

import dev.cloister.spec.Handover;
import dev.cloister.spec.OsString;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A command for a sandbox, which is started once. Used like a {@link ProcessBuilder}, by one thread
 * at a time.
 */
public final class SandboxCommand {
  private final Sandbox sandbox;
  private final List<String> command;
  private final SortedMap<Integer, Integer> descriptors = new TreeMap<>();
  private String directory = "";
  private @Nullable CommandEnvironment environment;
  private Redirect input = Redirect.PIPE;
  private Redirect output = Redirect.PIPE;
  private Redirect error = Redirect.PIPE;
  private boolean errorToOutput;
  private boolean started;

  SandboxCommand(Sandbox sandbox, List<String> command) {
    this.sandbox = sandbox;
    this.command = new ArrayList<>(command);
    if (command.isEmpty()) {
      throw new IndexOutOfBoundsException("a command has a name at least");
    }
    for (String argument : command) {
      Objects.requireNonNull(argument);
    }
  }

  /**
   * Where the command starts, in the sandbox. By default that is the place of {@link
   * SandboxBuilder#chdir}; else where this program is, if that exists in the sandbox; else {@code
   * HOME}; else the root.
   *
   * @param path absolute, or relative to the default place
   */
  public SandboxCommand directory(Path path) {
    directory = path.toString();
    return this;
  }

  /** The same. */
  public SandboxCommand directory(File path) {
    return directory(path.toPath());
  }

  /**
   * The command's variables, to be changed; at first those of the sandbox. Exactly these are the
   * command's. Names and values are UTF-8; a variable of this program that is not is passed on
   * unchanged only as long as this was not called.
   */
  public Map<String, String> environment() {
    if (environment == null) {
      environment = new CommandEnvironment(sandbox.environment());
    }
    return environment;
  }

  /**
   * Where standard input comes from. By default a pipe: {@link SandboxProcess#getOutputStream}.
   *
   * @throws IllegalArgumentException if it is one to write to
   */
  public SandboxCommand redirectInput(Redirect source) {
    if (source.type() == Redirect.Type.WRITE || source.type() == Redirect.Type.APPEND) {
      throw new IllegalArgumentException("Redirect invalid for reading: " + source);
    }
    input = source;
    return this;
  }

  /**
   * Where standard output goes. By default into a pipe: {@link SandboxProcess#getInputStream}.
   *
   * @throws IllegalArgumentException if it is one to read from
   */
  public SandboxCommand redirectOutput(Redirect destination) {
    output = forWriting(destination);
    return this;
  }

  /**
   * Where standard error goes. By default into a pipe: {@link SandboxProcess#getErrorStream}.
   *
   * @throws IllegalArgumentException if it is one to read from
   */
  public SandboxCommand redirectError(Redirect destination) {
    error = forWriting(destination);
    return this;
  }

  private static Redirect forWriting(Redirect destination) {
    if (destination.type() == Redirect.Type.READ) {
      throw new IllegalArgumentException("Redirect invalid for writing: " + destination);
    }
    return destination;
  }

  /** Reads standard input from a file of the host's. */
  public SandboxCommand redirectInput(File file) {
    return redirectInput(Redirect.from(file));
  }

  /** Writes standard output to a file of the host's. */
  public SandboxCommand redirectOutput(File file) {
    return redirectOutput(Redirect.to(file));
  }

  /** Writes standard error to a file of the host's. */
  public SandboxCommand redirectError(File file) {
    return redirectError(Redirect.to(file));
  }

  /** Whether standard error goes where standard output does, whatever else was said of it. */
  public SandboxCommand redirectErrorStream(boolean merge) {
    errorToOutput = merge;
    return this;
  }

  /** Gives the command this program's own standard streams. */
  public SandboxCommand inheritIO() {
    return redirectInput(Redirect.INHERIT)
        .redirectOutput(Redirect.INHERIT)
        .redirectError(Redirect.INHERIT);
  }

  /**
   * Gives the command an open descriptor of this program's, besides the standard streams.
   *
   * @param own its number here, which is looked up when the command starts
   * @param number what it is in the command, from 3 to 255
   * @throws IllegalArgumentException if {@code number} is none of those
   */
  public SandboxCommand passDescriptor(int own, int number) {
    if (own < 0) {
      throw new IllegalArgumentException("not a descriptor: " + own);
    }
    // Says which numbers there may be.
    Handover.library(List.of(number));
    descriptors.put(number, own);
    return this;
  }

  /**
   * Starts the command, and returns when it runs.
   *
   * @throws SandboxException if it did not start: it is not found, cannot be executed, its
   *     directory is missing, the sandbox could not be made, or there is a NUL in an argument;
   *     nothing of it is left then
   * @throws IllegalStateException if this was started before, or the sandbox is closed
   */
  public SandboxProcess start() throws SandboxException {
    if (started) {
      throw new IllegalStateException("already started: " + command.getFirst());
    }
    Request request = request();
    started = true;
    return sandbox.start(request);
  }

  /**
   * Starts the command, and keeps what it writes, within limits: whoever exceeds them is killed.
   * Standard output and error are read to the end of the command, not to that of what it leaves
   * running. Without a redirection there is no input.
   *
   * @throws SandboxException if it did not start, as for {@link #start}
   * @throws InterruptedException if this thread is interrupted; the command is killed then
   */
  public Capture capture(CaptureLimits limits) throws IOException, InterruptedException {
    if (input.type() == Redirect.Type.PIPE) {
      redirectInput(new File("/dev/null"));
    }
    return new Capturing(redirectOutput(Redirect.PIPE).redirectError(Redirect.PIPE).start(), limits)
        .toEnd();
  }

  private Request request() throws SandboxException {
    List<OsString> words = new ArrayList<>(command.size());
    for (String argument : command) {
      words.add(encode(argument, "command"));
    }
    List<OsString> variables = environment == null ? sandbox.environment() : environment.toList();
    return new Request(
        words,
        encode(directory, "directory"),
        variables,
        input,
        output,
        error,
        errorToOutput,
        descriptors);
  }

  private static OsString encode(String text, String what) throws SandboxException {
    if (text.indexOf('\0') >= 0) {
      throw new SandboxException(
          SandboxException.Phase.SPAWN,
          "invalid null character in " + what,
          SandboxException.Failure.UNKNOWN);
    }
    return OsString.of(text);
  }
}
