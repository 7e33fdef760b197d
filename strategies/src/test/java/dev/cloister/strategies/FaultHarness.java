package dev.cloister.strategies;

import dev.cloister.fixture.Required;
import dev.cloister.strategies.LibraryLauncher.Said;
import java.io.BufferedInputStream;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * Runs launchers by the thousand and says what each left behind. The work is done by a C program,
 * which can do what no JVM can: share its mounts with its children, adopt what they leave.
 */
final class FaultHarness implements AutoCloseable {
  /** How many launchers are compiled before they are needed; each is a file. */
  private static final int AHEAD = 64;

  /** Directories that are the user's who starts launchers. */
  private static final List<String> THEIRS =
      List.of("bound", "bound/there", "launchers", "upper", "work");

  private final Path directory;
  private final User user;
  private final Process process;
  private final BufferedWriter requests;
  private final InputStream reports;
  private int launchers;

  /**
   * How a launcher ended.
   *
   * @param waitStatus as waitpid(2) has it
   * @param processes how many it left
   * @param mounts whether the mount table is another
   * @param closed whether it had closed what it inherited when it paused or ended
   * @param launcher whether its own file is still there
   * @param said on its report channel
   * @param ended how the command ended, by its status channel
   * @param files what it left in the directory that was bound
   */
  record Report(
      int waitStatus,
      boolean hung,
      int processes,
      boolean mounts,
      boolean closed,
      boolean launcher,
      String output,
      String error,
      Said said,
      Optional<Integer> ended,
      List<String> files) {
    /** Of a launcher that was not started. */
    static final Report NONE =
        new Report(
            -1,
            false,
            0,
            false,
            false,
            false,
            "",
            "",
            new Said(List.of(), Optional.empty()),
            Optional.empty(),
            List.of());

    /** The exit status, or that a shell has for a signal. */
    int status() {
      int signal = waitStatus & 0x7f;
      return signal == 0 ? waitStatus >> 8 : 128 + signal;
    }

    /** What is said to a person, be it through a program. */
    String message() {
      return said.failure().map(Said.Failure::text).orElse("") + error;
    }

    boolean killed() {
      return (waitStatus & 0x7f) == 9;
    }

    /** Whether the command ran. */
    boolean ran() {
      return !output.isEmpty() || files.stream().anyMatch(FaultHarness::isMark);
    }
  }

  private FaultHarness(Path directory, User user, Process process) {
    this.directory = directory;
    this.user = user;
    this.process = process;
    this.requests = process.outputWriter(StandardCharsets.UTF_8);
    this.reports = new BufferedInputStream(process.getInputStream());
  }

  /** Makes the directory that a harness has, as far as it is the same for all. */
  static void prepare(Path directory) throws IOException, InterruptedException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.createDirectory(directory.resolve("bin"));
    compile("harness.c", directory.resolve("bin/harness"));
    compile("witness.c", directory.resolve("bin/witness"), "-static");
    Files.writeString(directory.resolve("file"), "");
    Files.createDirectory(directory.resolve("other"));
    Files.createSymbolicLink(directory.resolve("link"), Path.of("other"));
    for (String name : THEIRS) {
      Files.createDirectory(directory.resolve(name));
    }
  }

  /**
   * Starts it.
   *
   * @param directory in which {@code bound} is what launchers may change
   * @param witness the path that the command has in the sandbox
   */
  static FaultHarness start(Path directory, User user, String witness) throws IOException {
    for (String name : THEIRS) {
      Path path = directory.resolve(name);
      Files.setAttribute(path, "unix:uid", (int) user.caller().uid());
      Files.setAttribute(path, "unix:gid", (int) user.caller().gid());
    }
    List<String> words =
        new ArrayList<>(
            List.of(
                directory.resolve("bin/harness").toString(),
                directory.toString(),
                Long.toString(user.caller().uid())));
    words.add(witness);
    for (String namespace : List.of("user", "net", "ipc", "uts", "cgroup", "pid")) {
      words.add(Files.readSymbolicLink(Path.of("/proc/self/ns", namespace)).toString());
    }
    Process process =
        new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    return new FaultHarness(directory, user, process);
  }

  /** Compiles one of the C programs of the tests. */
  private static void compile(String name, Path program, String... options)
      throws IOException, InterruptedException {
    Path source = Files.createTempFile("cloister", ".c");
    try (InputStream text = FaultHarness.class.getResourceAsStream(name)) {
      Files.write(source, text.readAllBytes());
      List<String> words = new ArrayList<>(List.of(Required.program("gcc"), "-O1"));
      words.addAll(List.of(options));
      words.addAll(List.of("-o", program.toString(), source.toString()));
      new Run(words).end().good();
    } finally {
      Files.delete(source);
    }
  }

  /** Whether this is the file that the witness makes. */
  static boolean isMark(String file) {
    return file.endsWith("/bound/ran");
  }

  /**
   * Runs one launcher for each of these.
   *
   * @param compile gives its image, which may depend on its path
   * @param words what the C program is told besides its path
   */
  <T> void runAll(
      List<T> attempts,
      Function<T, Function<Path, byte[]>> compile,
      Function<T, String> words,
      BiConsumer<T, Report> judge)
      throws Exception {
    Semaphore ahead = new Semaphore(AHEAD);
    try (ExecutorService compiler = Executors.newSingleThreadExecutor()) {
      Future<?> writing =
          compiler.submit(
              () -> {
                try {
                  for (T attempt : attempts) {
                    ahead.acquireUninterruptibly();
                    request(compile.apply(attempt), words.apply(attempt));
                  }
                } catch (IOException | RuntimeException e) {
                  // Else whoever waits for the report would do so for ever.
                  requests.close();
                  throw e;
                }
                return null;
              });
      for (T attempt : attempts) {
        Optional<Report> report = report();
        if (report.isEmpty()) {
          writing.get();
        }
        judge.accept(attempt, report.orElseThrow());
        ahead.release();
      }
      writing.get();
    }
  }

  private void request(Function<Path, byte[]> compile, String words) throws IOException {
    requests.write(write(compile) + " " + words + "\n");
    requests.flush();
  }

  /** Makes a launcher from its image, which may depend on its path. */
  Path write(Function<Path, byte[]> compile) throws IOException {
    launchers++;
    Path launcher = directory.resolve("launchers/" + launchers);
    Files.write(launcher, compile.apply(launcher));
    Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
    return user.own(launcher);
  }

  /** The process that starts launchers. */
  long pid() {
    return process.pid();
  }

  /** Nothing if the harness has ended. */
  private Optional<Report> report() throws IOException {
    reports.mark(1);
    if (reports.read() < 0) {
      return Optional.empty();
    }
    reports.reset();
    int[] numbers = new int[11];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = number();
    }
    String output = text(numbers[6]);
    String error = text(numbers[7]);
    Said said = Said.parse(reports.readNBytes(numbers[8]));
    Optional<Integer> ended = Said.end(reports.readNBytes(numbers[9]));
    List<String> files = text(numbers[10]).lines().toList();
    return Optional.of(
        new Report(
            numbers[0],
            numbers[1] != 0,
            numbers[2],
            numbers[3] != 0,
            numbers[4] != 0,
            numbers[5] != 0,
            output,
            error,
            said,
            ended,
            files));
  }

  private int number() throws IOException {
    int number = 0;
    for (int c = reports.read(); c > ' '; c = reports.read()) {
      number = 10 * number + c - '0';
    }
    return number;
  }

  private String text(int size) throws IOException {
    return new String(reports.readNBytes(size), StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    requests.close();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
