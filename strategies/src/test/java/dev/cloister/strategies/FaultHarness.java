package dev.cloister.strategies;

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
      List<String> files) {
    /** The exit status, or that a shell has for a signal. */
    int status() {
      int signal = waitStatus & 0x7f;
      return signal == 0 ? waitStatus >> 8 : 128 + signal;
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

  /**
   * Starts it.
   *
   * @param directory in which {@code bound} is what launchers may change
   * @param command what they shall run, with its arguments
   */
  static FaultHarness start(Path directory, User user, List<String> command) throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of(
                directory.resolve("bin/harness").toString(),
                directory.toString(),
                Long.toString(user.caller().uid())));
    words.addAll(command);
    Process process =
        new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    return new FaultHarness(directory, user, process);
  }

  /** Compiles one of the C programs of the tests. */
  static void compile(String name, Path program, String... options)
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

  /** A path for the next launcher. */
  private Path next() {
    launchers++;
    return directory.resolve("launchers/" + launchers);
  }

  /**
   * Runs one launcher for each of these.
   *
   * @param compile gives its image, which may depend on its path
   * @param kill whether it is killed when it says that it has paused
   */
  <T> void runAll(
      List<T> attempts,
      Function<T, Function<Path, byte[]>> compile,
      Function<T, Boolean> kill,
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
                    request(compile.apply(attempt), kill.apply(attempt));
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

  private void request(Function<Path, byte[]> compile, boolean kill) throws IOException {
    Path launcher = next();
    Files.write(launcher, compile.apply(launcher));
    Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
    user.own(launcher);
    requests.write(launcher + (kill ? " k\n" : " r\n"));
    requests.flush();
  }

  /** Nothing if the harness has ended. */
  private Optional<Report> report() throws IOException {
    reports.mark(1);
    if (reports.read() < 0) {
      return Optional.empty();
    }
    reports.reset();
    int[] numbers = new int[9];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = number();
    }
    String output = text(numbers[6]);
    String error = text(numbers[7]);
    List<String> files = text(numbers[8]).lines().toList();
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
