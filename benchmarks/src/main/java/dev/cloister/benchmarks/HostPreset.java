package dev.cloister.benchmarks;

import dev.cloister.host.Caller;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The preset {@code host} and one more directory, in the words of each. */
final class HostPreset {
  static final String PLACE = "/opt";

  private static final List<String> ENTRIES =
      List.of("/usr", "/etc", "/nix", "/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin");

  private HostPreset() {}

  /** The options of {@code cloister}. */
  static List<String> options(Workplace workplace) {
    return List.of("--preset", "host", "--bind", workplace.nothing().directory().toString(), PLACE);
  }

  /** The command that does nothing, inside. */
  static List<String> command() {
    return List.of(PLACE + "/true", "");
  }

  static List<String> bubblewrap(Workplace workplace) throws IOException {
    List<String> words = new ArrayList<>();
    words.add(Workplace.program("bwrap").orElseThrow().toString());
    words.addAll(List.of("--dir", "/tmp"));
    words.addAll(List.of("--bind", workplace.nothing().directory().toString(), PLACE));
    for (String entry : ENTRIES) {
      Path path = Path.of(entry);
      if (Files.isSymbolicLink(path)) {
        words.addAll(List.of("--symlink", Files.readSymbolicLink(path).toString(), entry));
      } else if (Files.exists(path)) {
        words.addAll(List.of("--ro-bind", entry, entry));
      }
    }
    words.addAll(kernelFiles());
    words.addAll(command());
    return words;
  }

  /** For root, the preset has less of them. */
  private static List<String> kernelFiles() throws IOException {
    return Caller.current().uid() == 0
        ? List.of("--dev", "/dev", "--dev-bind", "/proc", "/proc", "--ro-bind", "/sys", "/sys")
        : List.of(
            "--dev-bind",
            "/dev",
            "/dev",
            "--dev-bind",
            "/proc",
            "/proc",
            "--dev-bind",
            "/sys",
            "/sys");
  }
}
