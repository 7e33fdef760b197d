package dev.cloister.benchmarks;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.ChildProcess;
import dev.cloister.ffm.ExitStatus;
import dev.cloister.ffm.Pipe;
import dev.cloister.ffm.Spawn;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.machine.Reporting;
import dev.cloister.program.Instruction;
import dev.cloister.program.SyscallProgram;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxBuilder;
import dev.cloister.sandbox.SandboxException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A static program that does nothing, and ways to start it and wait for its end. Its standard
 * streams are three pipes to this program in all of them, which is every library's default.
 */
final class Nothing implements AutoCloseable {
  static final List<String> BINDS = List.of("/usr", "/etc", "/dev", "/proc", "/sys");
  static final String PLACE = "/command";

  private static final String INSIDE = PLACE + "/true";

  /**
   * As every launcher, and it is the smallest that there can be, it wants to be given a command.
   */
  private static final String ARGUMENT = "";

  private final Path directory;

  private Nothing(Path directory) {
    this.directory = directory;
  }

  static Nothing make() throws IOException {
    Nothing nothing = new Nothing(Files.createTempDirectory("cloister-benchmark"));
    Files.write(
        nothing.path(),
        ProgramCompiler.compile(
                new SyscallProgram("true", List.of(new Instruction.Exit())),
                ProgramCompiler.Options.plain(Architecture.host(), Reporting.TEXT, "benchmark"))
            .bytes());
    if (!nothing.path().toFile().setExecutable(true, false)) {
      throw new IOException("cannot make it executable: " + nothing.path());
    }
    return nothing;
  }

  Path path() {
    return directory.resolve("true");
  }

  /** What is to be mounted at {@link #PLACE}. */
  Path directory() {
    return directory;
  }

  /** The command, in a sandbox. */
  static List<String> inside() {
    return List.of(INSIDE, ARGUMENT);
  }

  /** With five recursive binds and the program. */
  Sandbox sandbox(String strategy) throws SandboxException {
    return sandbox(strategy, UnaryOperator.identity());
  }

  /** The same, with options. */
  Sandbox sandbox(String strategy, UnaryOperator<SandboxBuilder> options) throws SandboxException {
    SandboxBuilder builder = Sandbox.builder().strategy(strategy);
    for (String path : BINDS) {
      builder.devBind(Path.of(path));
    }
    return options.apply(builder.bind(directory, Path.of(PLACE))).build();
  }

  /** The words that have bubblewrap make the same mounts. */
  List<String> bubblewrap() {
    List<String> words = new ArrayList<>(List.of("bwrap", "--unshare-user"));
    for (String path : BINDS) {
      words.addAll(List.of("--dev-bind", path, path));
    }
    words.addAll(List.of("--bind", directory.toString(), PLACE));
    words.addAll(inside());
    return words;
  }

  static int runIn(Sandbox sandbox) throws IOException, InterruptedException {
    return check(sandbox.command(INSIDE, ARGUMENT).start().waitFor());
  }

  int runPlainly() throws IOException, InterruptedException {
    return run(List.of(path().toString(), ARGUMENT));
  }

  static int run(List<String> command) throws IOException, InterruptedException {
    return check(new ProcessBuilder(command).start().waitFor());
  }

  /** As little as starting a process takes: posix_spawn(3) and waitid(2), and the same pipes. */
  int spawn() throws IOException {
    byte[] path = path().toString().getBytes(StandardCharsets.UTF_8);
    try (Pipe input = Pipe.open();
        Pipe output = Pipe.open();
        Pipe error = Pipe.open();
        ChildProcess child =
            Spawn.of(path, List.of(path, new byte[0]), List.of())
                .duplicate(input.readEnd(), 0)
                .duplicate(output.writeEnd(), 1)
                .duplicate(error.writeEnd(), 2)
                .start()) {
      return check(child.waitFor() instanceof ExitStatus.Exited(int status) ? status : -1);
    }
  }

  private static int check(int status) throws IOException {
    if (status != 0) {
      throw new IOException("it ended with " + status);
    }
    return status;
  }

  @Override
  public void close() throws IOException {
    Files.delete(path());
    Files.delete(directory);
  }
}
