package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.LeftOut;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Other people's ways to the sandbox of {@link Nothing#sandbox}: its command in a root of its own
 * with five recursive binds. What is missing on a machine is named.
 */
final class Peers {
  static final String BUBBLEWRAP = "ProcessBuilder of bubblewrap";
  static final String SHELL = "ProcessBuilder of unshare(1), mount(8) and a shell";
  static final String EXECLINE = "ProcessBuilder of an execline script";

  private static final List<String> UNSHARE =
      List.of("unshare", "--user", "--map-root-user", "--mount");

  private final Map<String, List<String>> commands = new LinkedHashMap<>();
  private final List<LeftOut> missing = new ArrayList<>();

  private Peers() {}

  static Peers find(Workplace workplace) throws IOException {
    Peers peers = new Peers();
    peers.add(BUBBLEWRAP, List.of("bwrap"), workplace.nothing().bubblewrap());
    Path root = workplace.newDirectory("root");
    peers.add(SHELL, List.of("unshare", "mount", "chroot"), shell(workplace, root));
    peers.add(
        EXECLINE, List.of("execlineb", "unshare", "mount", "chroot"), execline(workplace, root));
    return peers;
  }

  private void add(String name, List<String> needs, List<String> command) {
    Optional<String> absent =
        needs.stream().filter(it -> Workplace.program(it).isEmpty()).findFirst();
    absent.ifPresentOrElse(
        program -> missing.add(new LeftOut(name, "there is no " + program + " in PATH")),
        () -> commands.put(name, command));
  }

  /** By their names. */
  Map<String, List<String>> commands() {
    return commands;
  }

  List<LeftOut> missing() {
    return missing;
  }

  /** What is mounted where, below the new root. */
  private static Map<String, String> mounts(Workplace workplace) {
    Map<String, String> mounts = new LinkedHashMap<>();
    Nothing.BINDS.forEach(path -> mounts.put(path, path));
    mounts.put(workplace.nothing().directory().toString(), Nothing.PLACE);
    return mounts;
  }

  /** As people write it by hand; a shell is what ends at the first step that fails. */
  private static List<String> shell(Workplace workplace, Path root) {
    StringBuilder script = new StringBuilder("set -e; mount -t tmpfs none " + root);
    mounts(workplace)
        .forEach(
            (source, place) ->
                script.append(
                    "; mkdir -p %2$s%3$s; mount --rbind %1$s %2$s%3$s"
                        .formatted(source, root, place)));
    List<String> inside = Nothing.inside();
    script.append("; exec chroot %s %s '%s'".formatted(root, inside.get(0), inside.get(1)));
    List<String> words = new ArrayList<>(UNSHARE);
    words.addAll(List.of("sh", "-c", script.toString()));
    return words;
  }

  /** As the script does that Cloister has its idea from. */
  private static List<String> execline(Workplace workplace, Path root) throws IOException {
    StringBuilder script = new StringBuilder(String.join(" ", UNSHARE));
    script.append("\nif { mount -t tmpfs none ").append(root).append(" }\n");
    mounts(workplace)
        .forEach(
            (source, place) ->
                script.append(
                    "if { mkdir -p %2$s%3$s }\nif { mount --rbind %1$s %2$s%3$s }\n"
                        .formatted(source, root, place)));
    List<String> inside = Nothing.inside();
    script.append("chroot %s %s \"%s\"\n".formatted(root, inside.get(0), inside.get(1)));
    Path file = Files.writeString(workplace.directory().resolve("sandbox.execline"), script);
    return List.of("execlineb", file.toString());
  }
}
