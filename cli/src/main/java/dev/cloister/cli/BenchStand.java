package dev.cloister.cli;

import dev.cloister.cli.BenchReport.LeftOut;
import dev.cloister.cli.BenchSubject.Kind;
import dev.cloister.cli.BenchSubject.Start;
import dev.cloister.ffm.Architecture;
import dev.cloister.host.Bwrap;
import dev.cloister.launch.PrivateDirectory;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.machine.Reporting;
import dev.cloister.program.Instruction;
import dev.cloister.program.SyscallProgram;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxBuilder;
import dev.cloister.strategies.Strategies;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.StrategySelector.NoStrategyException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * What is measured: a program that does nothing, and all the ways to start it that work here. Those
 * that do not are known by name.
 */
final class BenchStand implements AutoCloseable {
  /** At the same paths inside, for the {@code landlock} strategy has no others. */
  private static final List<Path> WISHED =
      List.of(Path.of("/usr"), Path.of("/etc"), Path.of("/dev"), Path.of("/proc"), Path.of("/sys"));

  /** Launchers want to be given a command, and this program is made like one. */
  private static final String ARGUMENT = "";

  /** Only against a start that hangs: all of them together have twenty seconds. */
  private static final int PATIENCE_SECONDS = 2;

  private final Path program;
  private final List<Path> binds;
  private final List<Sandbox> sandboxes = new ArrayList<>();
  private final List<BenchSubject> subjects = new ArrayList<>();
  private final List<LeftOut> leftOut = new ArrayList<>();

  private BenchStand(Path program) {
    this.program = program;
    this.binds = WISHED.stream().filter(Files::exists).toList();
  }

  /**
   * Makes the program and tries each way to start it.
   *
   * @throws IOException if the program cannot be made, or not be started without a sandbox
   */
  static BenchStand build(Sandboxing sandboxing) throws IOException, InterruptedException {
    BenchStand stand = new BenchStand(makeProgram(sandboxing.directory()));
    // Ctrl-C comes during most of these seconds.
    Runtime.getRuntime().addShutdownHook(new Thread(stand::removeProgram));
    try {
      stand.addPlain();
      for (IsolationStrategy strategy : Strategies.ALL) {
        stand.addStrategy(strategy.name());
      }
      stand.addBubblewrap(sandboxing.host().bwrap());
      return stand;
    } catch (IOException | InterruptedException | RuntimeException e) {
      stand.close();
      throw e;
    }
  }

  /** Where launchers lie: that allows execution, and what is left there is removed later. */
  private static Path makeProgram(PrivateDirectory directory) throws IOException {
    Path file = directory.reserve();
    directory.write(
        file,
        ProgramCompiler.compile(
            new SyscallProgram("nothing", List.of(new Instruction.Exit())),
            ProgramCompiler.Options.plain(Architecture.host(), Reporting.TEXT, "bench")));
    return file;
  }

  /** The ways that work, in the order of the table. */
  List<BenchSubject> subjects() {
    return List.copyOf(subjects);
  }

  /** The ways that do not work, and why. */
  List<LeftOut> leftOut() {
    return List.copyOf(leftOut);
  }

  /** The directories of the host's that each sandbox shows, beside the program. */
  List<Path> binds() {
    return binds;
  }

  private List<String> command() {
    return List.of(program.toString(), ARGUMENT);
  }

  private void addPlain() throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command());
    add("no sandbox", Kind.PLAIN, builder::start);
    if (subjects.isEmpty()) {
      throw new IOException(program + ": " + leftOut.getFirst().reason());
    }
  }

  private void addStrategy(String name) throws InterruptedException {
    SandboxBuilder builder = Sandbox.builder().strategy(name);
    binds.forEach(builder::devBind);
    try {
      Sandbox sandbox = builder.roBind(program).build();
      sandboxes.add(sandbox);
      add(name, Kind.STRATEGY, () -> sandbox.command(command()).start());
    } catch (IOException e) {
      leaveOut(name, Kind.STRATEGY, e);
    }
  }

  private void addBubblewrap(Optional<Bwrap> bwrap) throws InterruptedException {
    String name = "bubblewrap";
    if (bwrap.isEmpty()) {
      leftOut.add(new LeftOut(name, Kind.PEER, "there is no executable bwrap in PATH"));
      return;
    }
    List<String> words = new ArrayList<>();
    words.add(bwrap.get().path().toString());
    // Cloister's command has a user namespace of its own for root, too.
    words.add("--unshare-user");
    for (Path path : binds) {
      words.addAll(List.of("--dev-bind", path.toString(), path.toString()));
    }
    words.addAll(List.of("--ro-bind", program.toString(), program.toString()));
    words.addAll(command());
    ProcessBuilder builder = new ProcessBuilder(words);
    add(name, Kind.PEER, builder::start);
  }

  /** What does not work once is not measured. */
  private void add(String name, Kind kind, Start start) throws InterruptedException {
    try {
      Process process = start.start();
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IOException("it did not end within " + PATIENCE_SECONDS + " s");
      }
      if (process.exitValue() != 0) {
        throw new IOException(complaint(process));
      }
      subjects.add(new BenchSubject(name, kind, start));
    } catch (IOException e) {
      leaveOut(name, kind, e);
    }
  }

  private static String complaint(Process process) throws IOException {
    byte[] said = process.getErrorStream().readAllBytes();
    Optional<String> line = new String(said, StandardCharsets.UTF_8).lines().findFirst();
    return "it ended with status " + process.exitValue() + line.map(it -> ": " + it).orElse("");
  }

  private void leaveOut(String name, Kind kind, IOException reason) {
    leftOut.add(new LeftOut(name, kind, text(reason)));
  }

  /** The whole message of a refusal names the strategy, too, and is laid out in lines. */
  private static String text(IOException reason) {
    return reason.getCause() instanceof NoStrategyException none
        ? none.rejections().getFirst().assessment().text()
        : String.valueOf(reason.getMessage());
  }

  @Override
  public void close() {
    sandboxes.forEach(Sandbox::close);
    removeProgram();
  }

  private void removeProgram() {
    try {
      Files.deleteIfExists(program);
    } catch (IOException e) {
      // It goes with the next abandoned launchers.
    }
  }
}
