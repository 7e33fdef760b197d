package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.Environment;
import dev.cloister.host.Caller;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The {@link Environment} of this program. */
final class ThisMachine {
  private static final Pattern MODEL =
      Pattern.compile("^(?:model name|Model)\\s*: (.*)$", Pattern.MULTILINE);
  private static final Pattern HYPERVISOR =
      Pattern.compile("^flags\\s*:.*\\bhypervisor\\b", Pattern.MULTILINE);
  private static final Pattern MEMORY =
      Pattern.compile("^MemTotal:\\s*(\\d+) kB$", Pattern.MULTILINE);
  private static final int KIB_PER_MIB = 1024;

  private ThisMachine() {}

  static Environment now() {
    try {
      String processors = Files.readString(Path.of("/proc/cpuinfo"));
      return new Environment(
          Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
          first(MODEL, processors, "unknown"),
          Runtime.getRuntime().availableProcessors(),
          Long.parseLong(first(MEMORY, Files.readString(Path.of("/proc/meminfo")), "0"))
              / KIB_PER_MIB,
          HYPERVISOR.matcher(processors).find(),
          line("/proc/sys/kernel/osrelease") + " " + System.getProperty("os.arch"),
          System.getProperty("java.vm.version") + " (" + System.getProperty("java.vendor") + ")",
          bubblewrap(),
          Caller.current().uid(),
          Double.parseDouble(line("/proc/loadavg").split(" ", 2)[0]));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String first(Pattern pattern, String text, String otherwise) {
    Matcher matcher = pattern.matcher(text);
    return matcher.find() ? matcher.group(1) : otherwise;
  }

  private static String line(String file) throws IOException {
    return Files.readString(Path.of(file)).strip();
  }

  private static String bubblewrap() throws IOException {
    if (Workplace.program("bwrap").isEmpty()) {
      return "none";
    }
    try {
      return Workplace.run(List.of("bwrap", "--version")).strip();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }
}
