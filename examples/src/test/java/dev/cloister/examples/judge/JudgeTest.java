package dev.cloister.examples.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Real programs before the judge, as root and as a user without rights. */
class JudgeTest {
  private static final String ALL_USERS = "dev.cloister.examples.judge.User#all";

  /** In {@code /etc/passwd} of every host. */
  private static final String ROOT = "root:x:0:0";

  /** What there is only in the sandbox, or is only root's to write. */
  private static final List<String> OTHER_FILES =
      List.of("w /work/other", "w /work/main", "w /usr/bin/gcc", "w /dev/shm/other");

  @TempDir Path directory;

  @BeforeEach
  void needsCompiler() {
    Required.program("gcc");
  }

  @BeforeEach
  void letOthersIn() throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static Path resource(String name) throws Exception {
    return Path.of(Objects.requireNonNull(JudgeTest.class.getResource("/" + name)).toURI());
  }

  private Path file(String name, String content) throws IOException {
    return Files.writeString(directory.resolve(name), content);
  }

  private static String read(Process process) throws IOException {
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  private static String output(Process process) throws Exception {
    String output = read(process);
    assertEquals(0, process.waitFor(), output);
    return output;
  }

  /** The name and verdict of each line that is not indented. */
  private static List<String> verdicts(String output) {
    List<String> verdicts = new ArrayList<>();
    for (String line : output.lines().toList()) {
      if (!line.startsWith(" ")) {
        String[] words = line.split(" +", 3);
        verdicts.add(words[0] + " " + words[1]);
      }
    }
    return verdicts;
  }

  @ParameterizedTest
  @MethodSource(ALL_USERS)
  void givesEachSubmissionTheVerdictThatItsNameSays(User user) throws Exception {
    Path input = resource("submissions/input");
    Path expected = resource("submissions/expected");
    Contest contest = Contest.empty();
    List<String> wanted = new ArrayList<>();
    for (String name : List.of("ok", "wrong", "timeout", "memory", "crash")) {
      String verdict = name.toUpperCase(Locale.ROOT);
      String className = verdict.charAt(0) + name.substring(1);
      contest
          .enter(resource("submissions/" + name + ".c"), input, expected)
          .enter(resource("submissions/" + className + ".java"), input, expected);
      wanted.add(name + ".c " + verdict);
      wanted.add(className + ".java " + verdict);
    }
    String output = output(contest.startAs(user));
    System.out.println("Verdicts as " + user + ":\n" + output);
    assertEquals(wanted, verdicts(output));
  }

  /** Files that the judge's user can open, in the words of the attack. */
  private List<String> openableFiles() throws IOException {
    List<String> files = new ArrayList<>();
    files.add("r /etc/passwd");
    files.add("r /proc/self/environ");
    files.add("r " + file("expected", "14\n"));
    Path open = file("of-others", "");
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rw-rw-rw-"));
    files.add("w " + open);
    if (Files.isReadable(Path.of("/etc/shadow"))) {
      files.add("r /etc/shadow");
    }
    return files;
  }

  @ParameterizedTest
  @MethodSource(ALL_USERS)
  void withstandsAttacks(User user) throws Exception {
    List<String> files = new ArrayList<>(openableFiles());
    files.addAll(OTHER_FILES);
    Path asked = file("asked", String.join("\n", files));
    Path refused = file("refused", "refused\n".repeat(files.size()));
    Path nothing = file("nothing", "");
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Path port = file("port", Integer.toString(server.getLocalPort()));
      Contest contest =
          Contest.empty()
              .enter(resource("attacks/files.c"), asked, refused)
              .enter(resource("attacks/connect.c"), port, file("one", "refused\n"))
              .enter(resource("attacks/flood.c"), nothing, nothing)
              .enter(resource("attacks/include.c"), nothing, nothing)
              .enter(resource("attacks/endless.c"), nothing, nothing)
              .enter(resource("attacks/Native.java"), nothing, nothing);
      String output = output(contest.startAs(user));
      List<String> wanted =
          List.of(
              "files.c OK",
              "connect.c OK",
              "flood.c WRONG",
              "include.c COMPILE_ERROR",
              "endless.c COMPILE_ERROR",
              "Native.java MEMORY");
      assertEquals(wanted, verdicts(output), output);
      assertFalse(output.contains(ROOT), output);
    }
  }

  /** Compiles an attack on the host. */
  private Process gcc(String attack) throws Exception {
    String program = directory.resolve("attack").toString();
    return new ProcessBuilder("gcc", "-o", program, resource(attack).toString())
        .redirectErrorStream(true)
        .start();
  }

  private String runOutside(String attack, Path input) throws Exception {
    output(gcc(attack));
    String program = directory.resolve("attack").toString();
    return output(new ProcessBuilder(program).redirectInput(input.toFile()).start());
  }

  /** Or it would say nothing that the judge withstands them. */
  @Test
  void attacksWorkOutside() throws Exception {
    List<String> files = openableFiles();
    assertEquals(
        "opened\n".repeat(files.size()),
        runOutside("attacks/files.c", file("asked", String.join("\n", files))));
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Path port = file("port", Integer.toString(server.getLocalPort()));
      assertEquals("opened\n", runOutside("attacks/connect.c", port));
    }
    String messages = read(gcc("attacks/include.c"));
    assertTrue(messages.contains(ROOT), messages);
  }

  @ParameterizedTest
  @MethodSource(ALL_USERS)
  void leavesNothingOfForkBombs(User user) throws Exception {
    Path nothing = file("nothing", "");
    Process judge =
        Contest.empty().enter(resource("attacks/forkbomb.c"), nothing, nothing).startAs(user);
    boolean exploded = false;
    while (judge.isAlive()) {
      exploded |= bombs() > 1;
      Thread.sleep(10);
    }
    assertEquals(List.of("forkbomb.c TIMEOUT"), verdicts(output(judge)));
    assertTrue(exploded, "nobody saw it explode");
    // The kernel may still be ending them when the first one's end is known.
    for (int i = 0; i < 1000 && bombs() > 0; i++) {
      Thread.sleep(10);
    }
    assertEquals(0, bombs());
  }

  /** How many processes have the name that the fork bomb gives itself. */
  private static int bombs() throws IOException {
    int count = 0;
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : processes) {
        count += name(process).equals("judge-bomb\n") ? 1 : 0;
      }
    }
    return count;
  }

  /** The name of a process, or none if it has ended since. */
  private static String name(Path process) {
    try {
      return Files.readString(process.resolve("comm"));
    } catch (IOException e) {
      return "";
    }
  }
}
