package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** A command line that some user is about to start, in an environment that says little. */
final class Call {
  /** Only against tests that hang. */
  private static final int PATIENCE_SECONDS = 120;

  private final CallingUser user;
  private final List<String> command;
  private final Map<String, String> environment;
  private Path directory;
  private ProcessBuilder.Redirect input =
      ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile());

  Call(CallingUser user, List<String> command) {
    this.user = user;
    this.command = new ArrayList<>(command);
    this.directory = user.home();
    this.environment =
        new TreeMap<>(
            Map.of(
                "PATH", "/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME", user.home().toString(),
                "TMPDIR", user.temporary().toString(),
                "JAVA_HOME", System.getProperty("java.home")));
  }

  /** The same with more words at its end: a command behind its options. */
  Call and(String... words) {
    command.addAll(List.of(words));
    return this;
  }

  /** The command, after the options so far. */
  Call command(String... words) {
    return and("--").and(words);
  }

  /** A shell script as the command. */
  Call script(String text) {
    return command("sh", "-c", text);
  }

  Call env(String name, String value) {
    environment.put(name, value);
    return this;
  }

  Call in(Path workingDirectory) {
    directory = workingDirectory;
    return this;
  }

  Call input(Path file) {
    input = ProcessBuilder.Redirect.from(file.toFile());
    return this;
  }

  /** Starts it, with its output going to files, so that nothing waits for a reader. */
  Process start(Path out, Path err) {
    List<String> words = new ArrayList<>(user.become());
    words.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(words).directory(directory.toFile());
    builder.redirectInput(input).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    try {
      return builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs it to its end, and holds it to what is true of every call. */
  Ran run() {
    try {
      Path out = Files.createTempFile(Installation.BASE, "out", "");
      Path err = Files.createTempFile(Installation.BASE, "err", "");
      Process process = start(out, err);
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
        throw new AssertionError("did not end: " + command + "\n" + read(out) + read(err));
      }
      Ran ran = new Ran(command, process.exitValue(), read(out), read(err));
      Files.delete(out);
      Files.delete(err);
      check(ran);
      return ran;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  private static String read(Path file) throws IOException {
    // Commands may write anything.
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }

  private void check(Ran ran) {
    assertEquals(List.of(), user.launchers(), () -> "launchers left behind by " + ran);
    assertFalse(ran.err().contains("Exception") || ran.err().contains("\tat "), ran::toString);
  }
}
