package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.cloister.fixture.Required;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What an attack is aimed at, on the host: a directory that a sandbox may be given, one that it may
 * not, and a process with everything that could be wanted of one ({@code victim} of {@code
 * attack.c}). Whether they came to harm is judged from here, whatever the attack says.
 */
final class Scene implements AutoCloseable {
  private static final Path PROGRAM = compile();
  private static final String UNHARMED = "memory secret, core files allowed, priority 0";

  private final CallingUser user;
  private final Path here;
  private final Path outside;
  private final Process victim;
  private final BufferedReader said;
  private final Map<String, String> words = new LinkedHashMap<>();
  private final List<Process> others = new ArrayList<>();

  private static Path compile() {
    Path source = Installation.resource("attack.c");
    try {
      Path program = Files.createDirectory(Installation.BASE.resolve("attacks")).resolve("attack");
      String[] gcc = {
        Required.program("gcc"), "-Wall", "-Wextra", "-Werror", "-O1", "-static", "-o"
      };
      CallingUser.own().call(gcc).and(program.toString(), source.toString()).run().exits(0);
      return program;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What attacks, and does what attacks need done. */
  static Path program() {
    return PROGRAM;
  }

  private Scene(CallingUser user) throws IOException {
    this.user = user;
    this.here = user.work();
    this.outside = user.work();
    user.write(outside, "secret", "secret\n");
    Path program = user.give(Files.copy(PROGRAM, outside.resolve("program")));
    String mark = "secret-" + outside.getFileName();
    words.put("attack", PROGRAM.toString());
    words.put("tools", Installation.BASE.resolve("attacks").toString());
    words.put("program", program.toString());
    words.put("here", here.toString());
    words.put("outside", outside.toString());
    words.put("secret", outside.resolve("secret").toString());
    words.put("cloister", Installation.SCRIPT.toString());
    words.put("place", user.work().toString());
    words.put("mark", mark);
    words.put("uid", Long.toString(user.uid()));
    victim = process(program.toString(), "victim", outside.toString());
    said = victim.inputReader(StandardCharsets.US_ASCII);
    String[] made = String.valueOf(said.readLine()).split(" ", -1);
    List<String> names = List.of("pid", "address", "fd", "abstract", "port", "key", "queue");
    assertEquals(names.size(), made.length, () -> Arrays.toString(made));
    for (int i = 0; i < made.length; i++) {
      words.put(names.get(i), made[i]);
    }
  }

  static Scene make(CallingUser user) throws IOException {
    return new Scene(user);
  }

  private Process process(String... command) throws IOException {
    List<String> all = new ArrayList<>(user.become());
    all.addAll(List.of(command));
    ProcessBuilder builder = new ProcessBuilder(all).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().clear();
    builder.environment().put("SECRET", words.getOrDefault("mark", ""));
    return builder.start();
  }

  /** With the names in braces replaced. */
  String fill(String text) {
    String filled = text;
    if (filled.contains("{nested}")) {
      words.computeIfAbsent("nested", _ -> nested());
    }
    if (filled.contains("{handle}")) {
      words.computeIfAbsent("handle", _ -> handle());
    }
    for (Map.Entry<String, String> word : words.entrySet()) {
      filled = filled.replace("{" + word.getKey() + "}", word.getValue());
    }
    assertFalse(filled.matches("(?s).*\\{[a-z]+}.*"), filled);
    return filled;
  }

  /** A process of the same user with namespaces of its own, in which it is root. */
  private String nested() {
    try {
      Process process =
          process(Required.program("unshare"), "-Urm", "sh", "-c", "echo $$; exec sleep 1000");
      others.add(process);
      return process.inputReader(StandardCharsets.US_ASCII).readLine();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String handle() {
    return user.call(PROGRAM.toString(), "print-handle", fill("{outside}/secret"))
        .run()
        .exits(0)
        .lines()
        .getFirst();
  }

  /** A process that says {@code open} or {@code closed}, in an environment that has the mark. */
  Call call(List<String> command) {
    boolean startsAsRoot = command.contains("{become}") || command.contains("{root}");
    List<String> filled = new ArrayList<>();
    for (String word : command) {
      switch (word) {
        case "{root}" -> {}
        case "{become}" -> filled.addAll(user.become());
        case "{unshare}" -> filled.addAll(List.of("unshare", user.isRoot() ? "-m" : "-Urm"));
        default -> filled.add(fill(word));
      }
    }
    CallingUser caller = startsAsRoot ? CallingUser.own() : user;
    return caller
        .call(filled.toArray(String[]::new))
        .env("HOME", user.home().toString())
        .env("TMPDIR", user.temporary().toString())
        .env("SECRET", fill("{mark}"))
        .in(Path.of("/"));
  }

  /** All that came of it: what it says to have done, and what is to be seen of it out here. */
  List<String> harm(Ran ran) throws IOException {
    List<String> harm = new ArrayList<>(ran.lines().stream().filter("open"::equals).toList());
    harm.addAll(changes());
    return harm;
  }

  private List<String> changes() throws IOException {
    List<String> changes = new ArrayList<>();
    String state = farewell();
    if (!state.equals(UNHARMED)) {
      changes.add("the victim: " + state);
    }
    TreeSet<String> left = new TreeSet<>();
    try (Stream<Path> files = Files.list(outside)) {
      files.forEach(file -> left.add(file.getFileName().toString()));
    }
    if (!left.equals(new TreeSet<>(List.of("program", "secret", "socket")))) {
      changes.add("outside: " + left);
    }
    if (!Files.readString(outside.resolve("secret")).equals("secret\n")) {
      changes.add("the secret was written to");
    }
    if (Files.mismatch(PROGRAM, outside.resolve("program")) != -1) {
      changes.add("the program was written to");
    }
    changes.addAll(rootsPrograms());
    try (Stream<String> mounts = Files.lines(Path.of("/proc/self/mountinfo"))) {
      mounts
          .filter(line -> line.contains(here.toString()) || line.contains(outside.toString()))
          .forEach(line -> changes.add("mounted on the host: " + line));
    }
    return changes;
  }

  /** Lets the victim end; says how it is. */
  private String farewell() throws IOException {
    try {
      victim.getOutputStream().close();
      String line = said.readLine();
      return victim.waitFor() == 0 ? String.valueOf(line) : "ended with " + victim.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /** A set-user-ID program of root's that was made in what the sandbox may write to. */
  private List<String> rootsPrograms() throws IOException {
    List<String> found = new ArrayList<>();
    Path made = here.resolve("made-set-user-id");
    if (Files.exists(made)) {
      int uid = (Integer) Files.getAttribute(made, "unix:uid", LinkOption.NOFOLLOW_LINKS);
      int mode = (Integer) Files.getAttribute(made, "unix:mode", LinkOption.NOFOLLOW_LINKS);
      if (uid == 0 && (mode & 04000) != 0) {
        found.add("a set-user-ID program of root's");
      }
    }
    return found;
  }

  @Override
  public void close() throws IOException {
    victim.destroy();
    said.close();
    others.forEach(Process::destroy);
  }
}
