package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A machine of its own with a kernel of its own, whose root is its initramfs. It is started once,
 * makes every call it was given, and ends: emulated, a JVM is slow enough.
 */
final class Guest {
  /** Only against a guest that hangs: it takes a few minutes where nothing else is busy. */
  private static final int PATIENCE_SECONDS = 1200;

  /** The script lies where it does here, or the JVM's cache of its classes would not be used. */
  static final String SCRIPT = Installation.SCRIPT.toString();

  /** The options that show it to a command in a sandbox. */
  static final String SHOWN = "--ro-bind %1$s %1$s ".formatted(Installation.HOME);

  /**
   * Something to do in the guest.
   *
   * @param command words for the shell that is process 1 there
   */
  record Call(String name, long uid, String command) {
    private String key() {
      return name + " " + uid;
    }
  }

  private final Map<String, Ran> ended;

  private Guest(Map<String, Ran> ended) {
    this.ended = ended;
  }

  /** What came of a call. */
  Ran ran(String name, long uid) {
    return Optional.ofNullable(ended.get(name + " " + uid)).orElseThrow();
  }

  static Guest boot(List<Call> calls) throws IOException, InterruptedException {
    return boot("", calls);
  }

  /**
   * The same.
   *
   * @param preparation what its shell does first, as root, once for each {@code $caller}
   */
  static Guest boot(String preparation, List<Call> calls) throws IOException, InterruptedException {
    // The JVM that is copied into it runs on no other.
    Required.that("amd64".equals(System.getProperty("os.arch")), "an x86_64 machine");
    Path work = Files.createTempDirectory(Installation.BASE, "guest");
    Path results = work.resolve("results");
    Path console = work.resolve("console");
    List<String> machine =
        List.of(
            Required.program("qemu-system-x86_64"),
            "-accel",
            "tcg,thread=multi",
            "-cpu",
            "max",
            "-smp",
            "2",
            "-m",
            "1024",
            "-nodefaults",
            "-display",
            "none",
            "-serial",
            "file:" + console,
            "-serial",
            "file:" + results,
            "-kernel",
            kernel().toString(),
            "-initrd",
            initramfs(work, preparation, calls).toString(),
            "-append",
            // A guest that panics ends at once.
            "console=ttyS0 quiet panic=-1",
            "-no-reboot");
    assertEquals(0, finish(machine, work.resolve("emulator")), () -> text(work, "emulator"));
    Guest guest = new Guest(read(Files.readAllLines(results), calls));
    assertEquals(
        calls.stream().map(Call::key).collect(Collectors.toSet()),
        guest.ended.keySet(),
        () -> "not every call was made; the console: " + text(work, "console"));
    return guest;
  }

  /** Any of Debian's: installed, or just unpacked, as .ci/run does. */
  private static Path kernel() throws IOException {
    for (Path place : List.of(Path.of("../target/guest/boot"), Path.of("/boot"))) {
      if (!Files.isDirectory(place)) {
        continue;
      }
      try (Stream<Path> files = Files.list(place)) {
        Optional<Path> kernel =
            files.filter(Guest::isKernel).filter(Files::isReadable).sorted().findFirst();
        if (kernel.isPresent()) {
          return kernel.get();
        }
      }
    }
    Required.that(false, "a kernel to boot, see .ci/run");
    throw new AssertionError();
  }

  private static boolean isKernel(Path file) {
    return String.valueOf(file.getFileName()).startsWith("vmlinuz-");
  }

  private static Path initramfs(Path work, String preparation, List<Call> calls)
      throws IOException, InterruptedException {
    for (String tool : List.of("busybox", "cpio", "python3", "setpriv", "unshare", "bwrap")) {
      Required.program(tool);
    }
    Path tree = Files.createDirectory(work.resolve("tree"));
    Path list = work.resolve("calls");
    Files.writeString(
        list,
        calls.stream()
            .map(call -> "call %s %d %s%n".formatted(call.name(), call.uid(), call.command()))
            .collect(Collectors.joining("", preparation + "\n", "")));
    Path initramfs = work.resolve("initramfs");
    List<String> pack =
        List.of(
            "sh",
            Installation.resource("initramfs.sh").toString(),
            tree.toString(),
            System.getProperty("java.home"),
            Installation.HOME.toString(),
            Installation.resource("init.sh").toString(),
            list.toString(),
            Installation.resource("attacks.py").toString(),
            initramfs.toString());
    assertEquals(0, finish(pack, work.resolve("packing")), () -> text(work, "packing"));
    return initramfs;
  }

  /** Runs it to its end, with what it says in a file. */
  private static int finish(List<String> command, Path log)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .redirectInput(Path.of("/dev/null").toFile())
            .start();
    try {
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        return -1;
      }
      return process.exitValue();
    } finally {
      process.destroyForcibly();
    }
  }

  private static String text(Path work, String file) {
    try {
      return new String(Files.readAllBytes(work.resolve(file)), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** Reads what init.sh wrote. */
  private static Map<String, Ran> read(List<String> results, List<Call> calls) {
    Map<String, String> commands =
        calls.stream().collect(Collectors.toMap(Call::key, Call::command));
    Map<String, Ran> ended = new HashMap<>();
    StringBuilder out = new StringBuilder();
    StringBuilder err = new StringBuilder();
    for (String line : results) {
      String rest = line.substring(line.indexOf(' ') + 1);
      if (line.startsWith("out ")) {
        out.append(rest).append('\n');
      } else if (line.startsWith("err ")) {
        err.append(rest).append('\n');
      } else {
        int last = rest.lastIndexOf(' ');
        String key = rest.substring(0, last);
        int status = Integer.parseInt(rest.substring(last + 1));
        List<String> command = List.of(key, commands.getOrDefault(key, ""));
        ended.put(key, new Ran(command, status, out.toString(), err.toString()));
        out.setLength(0);
        err.setLength(0);
      }
    }
    return ended;
  }
}
