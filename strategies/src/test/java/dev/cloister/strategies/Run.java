package dev.cloister.strategies;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** A process to run to its end. */
final class Run {
  /** So that a hanging launcher fails its test instead of stopping all others. */
  private static final int PATIENCE_SECONDS = 60;

  private final List<String> command;
  private final Map<String, String> environment = new TreeMap<>(Map.of("PATH", "/usr/bin:/bin"));
  private Path directory = Path.of("/");

  Run(List<String> command) {
    this.command = new ArrayList<>(command);
  }

  /** How it ended, and what it said. */
  record Ended(int status, String output, String error) {
    List<String> lines() {
      return output.lines().toList();
    }

    /** What stands behind a word at the start of a line. */
    String value(String word) {
      return lines().stream()
          .filter(line -> line.startsWith(word))
          .map(line -> line.substring(word.length()).strip())
          .findFirst()
          .orElseThrow(() -> new AssertionError(word + " is not in: " + this));
    }

    /** The same, if it went well. */
    Ended good() {
      if (status != 0) {
        throw new AssertionError(toString());
      }
      return this;
    }
  }

  Run in(Path workingDirectory) {
    directory = workingDirectory;
    return this;
  }

  Run with(String variable, String value) {
    environment.put(variable, value);
    return this;
  }

  /** Lets a program start this one: its words come before the command. */
  Run through(List<String> words) {
    command.addAll(0, words);
    return this;
  }

  /** Lets a shell do something first, as the user who runs the tests. */
  Run after(String script) {
    return through(List.of("/bin/sh", "-c", script + "\nexec \"$@\"", "sh"));
  }

  Process start(Path output, Path error) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    return builder
        .redirectInput(Path.of("/dev/null").toFile())
        .redirectOutput(output.toFile())
        .redirectError(error.toFile())
        .start();
  }

  Ended end() throws IOException, InterruptedException {
    Path output = Files.createTempFile("cloister", ".out");
    Path error = Files.createTempFile("cloister", ".err");
    try {
      Process process = start(output, error);
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
        throw new AssertionError("it does not end: " + command);
      }
      return new Ended(process.exitValue(), read(output), read(error));
    } finally {
      Files.delete(output);
      Files.delete(error);
    }
  }

  private static String read(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }
}
