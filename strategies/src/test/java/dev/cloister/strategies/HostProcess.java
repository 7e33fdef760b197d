package dev.cloister.strategies;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/** What the host sees of processes: /proc, proc(5). */
final class HostProcess {
  /** So that a test fails instead of waiting forever for what never comes. */
  private static final long PATIENCE_MILLIS = 30_000;

  private HostProcess() {}

  /** Whose arguments contain a word, which nothing else on this host has. */
  static List<Long> marked(String word) throws IOException {
    List<Long> found = new ArrayList<>();
    for (Path process : all()) {
      if (arguments(process).contains(word)) {
        found.add(Long.valueOf(process.getFileName().toString()));
      }
    }
    return found;
  }

  private static List<Path> all() throws IOException {
    try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
      return entries.filter(path -> path.getFileName().toString().matches("[0-9]+")).toList();
    }
  }

  private static String arguments(Path process) {
    return read(process.resolve("cmdline"));
  }

  /** Nothing of one that has just ended. */
  private static String read(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "";
    }
  }

  /** This JVM's children, also those that have ended and were not reaped. */
  static List<Long> children() throws IOException {
    String self = Long.toString(ProcessHandle.current().pid());
    List<Long> children = new ArrayList<>();
    for (Path process : all()) {
      String[] fields = fields(process);
      if (fields.length > 1 && fields[1].equals(self)) {
        children.add(Long.valueOf(process.getFileName().toString()));
      }
    }
    return children;
  }

  /** Of /proc/PID/stat, those behind the name: the state is the first. */
  private static String[] fields(Path process) {
    String stat = read(process.resolve("stat"));
    return stat.substring(stat.lastIndexOf(')') + 1).strip().split(" ", -1);
  }

  /** Whether it still runs: a zombie does not. */
  static boolean runs(long pid) {
    String state = fields(Path.of("/proc", Long.toString(pid)))[0];
    return !state.isEmpty() && !state.equals("Z") && !state.equals("X");
  }

  /** In clock ticks, in user and kernel mode. */
  static long processorTime(long pid) {
    String[] fields = fields(Path.of("/proc", Long.toString(pid)));
    return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
  }

  /** What this JVM's descriptors are, and lead to. */
  static List<String> descriptors() throws IOException {
    List<Path> listed;
    try (Stream<Path> entries = Files.list(Path.of("/proc/self/fd"))) {
      listed = entries.sorted().toList();
    }
    List<String> descriptors = new ArrayList<>();
    for (Path each : listed) {
      try {
        descriptors.add(each.getFileName() + " -> " + Files.readSymbolicLink(each));
      } catch (NoSuchFileException e) {
        // That of the list itself, mostly.
      }
    }
    return descriptors;
  }

  /** Waits until something is so. */
  static void await(String what, Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + PATIENCE_MILLIS * 1_000_000;
    while (!condition.call()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("never came true: " + what + "; open: " + descriptors());
      }
      Thread.sleep(5);
    }
  }
}
