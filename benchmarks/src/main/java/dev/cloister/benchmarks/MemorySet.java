package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.Results;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxBuilder;
import dev.cloister.sandbox.SandboxProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * What stays in memory beside a running command, of whatever made its sandbox: the resident pages
 * of all processes from the one that was started down to the command, which is left out. Pages that
 * several processes share count for each, as the kernel counts them.
 */
final class MemorySet implements MeasuredSet {
  private static final String COMMAND = "sleep";
  private static final List<String> WORDS = List.of(COMMAND, "1000");
  private static final int ROUNDS = 10;
  private static final int PAGE_KIB = 4;
  private static final int REST_MILLIS = 20;
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

  @Override
  public String name() {
    return "memory";
  }

  /** Starts the command and says which process that is. */
  @FunctionalInterface
  private interface Start {
    Process start() throws IOException;
  }

  @Override
  public Results measure(Workplace workplace) throws Exception {
    Samples samples = workplace.samples(name(), "KiB", "").comparedWith("bubblewrap");
    int rounds = workplace.rounds(ROUNDS);
    try (Sandbox inPlace = Sandbox.builder().preset("host").build();
        Sandbox waiting = builder().build();
        Sandbox all = builder().unshareNet().unshareIpc().dieWithParent().build()) {
      measure(samples, "pivot_root", rounds, () -> start(inPlace));
      measure(samples, "pivot_root, --unshare-pid", rounds, () -> start(waiting));
      measure(samples, "pivot_root, --unshare-pid --die-with-parent", rounds, () -> start(all));
    }
    if (Workplace.program("bwrap").isPresent()) {
      measure(samples, "bubblewrap", rounds, () -> bubblewrap(List.of()));
      measure(
          samples, "bubblewrap, --unshare-pid", rounds, () -> bubblewrap(List.of("--unshare-pid")));
    } else {
      samples.leaveOut("bubblewrap", "there is no bwrap in PATH");
    }
    return samples.results();
  }

  private static SandboxBuilder builder() {
    return Sandbox.builder().preset("host").unsharePid();
  }

  private static SandboxProcess start(Sandbox sandbox) throws IOException {
    return sandbox.command(WORDS).start();
  }

  private static Process bubblewrap(List<String> options) throws IOException {
    List<String> words = new ArrayList<>(List.of("bwrap", "--dev-bind", "/", "/"));
    words.addAll(options);
    words.addAll(WORDS);
    return new ProcessBuilder(words).start();
  }

  private static void measure(Samples samples, String subject, int rounds, Start start)
      throws IOException, InterruptedException {
    List<Double> kibs = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      Process process = start.start();
      try {
        awaitCommand(process.pid());
        kibs.add((double) residentKib(process.pid()));
      } finally {
        end(process);
      }
    }
    samples.add(subject, "", kibs);
  }

  private static void awaitCommand(long first) throws IOException, InterruptedException {
    long begin = System.nanoTime();
    while (tree(first).stream().noneMatch(MemorySet::isCommand)) {
      if (System.nanoTime() - begin > PATIENCE_NANOS) {
        throw new IOException("there is no " + COMMAND + " below process " + first);
      }
      Thread.sleep(REST_MILLIS);
    }
    // Who waits may have something to do yet before it does.
    Thread.sleep(REST_MILLIS);
  }

  /** All processes from one down. */
  private static List<Long> tree(long first) {
    return ProcessHandle.of(first).stream()
        .flatMap(it -> Stream.concat(Stream.of(it), it.descendants()))
        .map(ProcessHandle::pid)
        .toList();
  }

  private static boolean isCommand(long pid) {
    return read(pid, "comm").strip().equals(COMMAND);
  }

  private static long residentKib(long first) {
    long pages = 0;
    for (long pid : tree(first)) {
      if (!isCommand(pid)) {
        // All, resident, ...: proc(5). Anyone may read it, of processes that hide their memory too.
        String[] fields = read(pid, "statm").split(" ", -1);
        pages += fields.length > 1 ? Long.parseLong(fields[1]) : 0;
      }
    }
    return pages * PAGE_KIB;
  }

  /** Empty if the process is gone. */
  private static String read(long pid, String file) {
    try {
      return Files.readString(Path.of("/proc", "" + pid, file));
    } catch (NoSuchFileException _) {
      return "";
    } catch (IOException _) {
      // ESRCH: it ended between open(2) and read(2).
      return "";
    }
  }

  private static void end(Process process) throws InterruptedException {
    ProcessHandle.of(process.pid())
        .ifPresent(first -> first.descendants().forEach(ProcessHandle::destroyForcibly));
    process.destroyForcibly();
    process.waitFor();
  }
}
