package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.Environment;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where a run of measurements keeps what it needs, until it ends.
 *
 * @param home Cloister's own directory, with its script
 * @param directory for files, removed at the end
 * @param nothing what is started
 * @param environment as it was before anything was measured, which loads the machine itself
 * @param share how many samples are taken, of those that a run on a quiet machine takes; 1 for all
 */
record Workplace(Path home, Path directory, Nothing nothing, double share, Environment environment)
    implements AutoCloseable {
  private static final int FEWEST = 5;

  static Workplace make(Path home, double share) throws IOException {
    Path directory = Files.createTempDirectory("cloister-benchmarks");
    return new Workplace(home, directory, Nothing.make(), share, ThisMachine.now());
  }

  /** How often something is done that is done so often for figures that are to be trusted. */
  int rounds(int full) {
    return Math.max(FEWEST, (int) Math.round(full * share));
  }

  /** The results of a set, none yet. */
  Samples samples(String set, String unit, String axis) {
    return new Samples(set, unit, axis, environment);
  }

  Path script() {
    return home.resolve("cloister");
  }

  Path newDirectory(String name) throws IOException {
    return Files.createDirectories(directory.resolve(name));
  }

  /** The static executable of one of this module's C programs. */
  Path compileC(String name) throws IOException, InterruptedException {
    Path program = directory.resolve(name);
    if (!Files.exists(program)) {
      Path source = home.resolve("benchmarks/src/main/c").resolve(name + ".c");
      run(List.of("gcc", "-O2", "-static", "-o", program.toString(), source.toString()));
    }
    return program;
  }

  /** What a command prints on standard output. */
  static String run(List<String> command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int status = process.waitFor();
    if (status != 0) {
      throw new IOException(command.getFirst() + " ended with " + status);
    }
    return output;
  }

  /** An executable of that name; nothing if there is none in PATH. */
  static Optional<Path> program(String name) {
    List<String> directories = new ArrayList<>(List.of(System.getenv("PATH").split(":")));
    directories.addAll(List.of("/usr/sbin", "/sbin"));
    return directories.stream()
        .map(it -> Path.of(it, name).toAbsolutePath())
        .filter(Files::isExecutable)
        .findFirst();
  }

  @Override
  public void close() throws IOException {
    nothing.close();
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path left, IOException failure)
              throws IOException {
            Files.delete(left);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
