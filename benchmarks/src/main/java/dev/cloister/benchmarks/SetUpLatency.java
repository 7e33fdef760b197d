package dev.cloister.benchmarks;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.ChildProcess;
import dev.cloister.ffm.ExitStatus;
import dev.cloister.machine.ElfImage;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.machine.Reporting;
import dev.cloister.program.Instruction;
import dev.cloister.program.SyscallProgram;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.Strategies;
import dev.cloister.strategy.IsolationStrategy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * From a running JVM: start to exit of a static program that does nothing, in a sandbox with five
 * recursive binds, next to the same program without any sandbox and in bubblewrap's.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class SetUpLatency {
  private static final List<String> BINDS = List.of("/usr", "/etc", "/dev", "/proc", "/sys");
  private static final String COMMAND = "/command/true";

  private Path directory = Path.of("");
  private List<Sandbox> sandboxes = List.of();
  private List<String> bubblewrap = List.of();

  /** Makes the program that does nothing, and one sandbox per native strategy. */
  @Setup(Level.Trial)
  public void prepare() throws Exception {
    directory = Files.createTempDirectory("cloister-benchmark");
    Path command = directory.resolve("true");
    Files.write(command, exitImage().bytes());
    if (!command.toFile().setExecutable(true, false)) {
      throw new IOException("cannot make " + command + " executable");
    }
    sandboxes = new ArrayList<>();
    for (IsolationStrategy strategy : Strategies.ALL) {
      if (strategy.hasOwnView()) {
        sandboxes.add(Sandbox.compile(specification(), List.of(strategy)));
      }
    }
    bubblewrap = new ArrayList<>(List.of("bwrap", "--unshare-user"));
    for (String path : BINDS) {
      bubblewrap.addAll(List.of("--dev-bind", path, path));
    }
    bubblewrap.addAll(List.of("--bind", directory.toString(), "/command", COMMAND, ""));
  }

  private static ElfImage exitImage() {
    return ProgramCompiler.compile(
        new SyscallProgram("true", List.of(new Instruction.Exit())),
        ProgramCompiler.Options.plain(Architecture.host(), Reporting.TEXT, "benchmark"));
  }

  private SandboxSpec specification() {
    SandboxSpec.Builder spec = SandboxSpec.builder();
    for (String path : BINDS) {
      spec.mount(bind(path, path, Access.DEVICES));
    }
    return spec.mount(bind(directory.toString(), "/command", Access.READ_WRITE)).build();
  }

  private static MountOperation bind(String source, String destination, Access access) {
    return new MountOperation.Bind(
        new MountOperation.Source(OsString.of(source), true, true),
        Destination.of(destination),
        access);
  }

  /** Removes what {@link #prepare} made. */
  @TearDown(Level.Trial)
  public void cleanUp() throws IOException {
    for (Sandbox sandbox : sandboxes) {
      sandbox.close();
    }
    Files.delete(directory.resolve("true"));
    Files.delete(directory);
  }

  @Benchmark
  public ExitStatus pivotRoot() throws IOException {
    return run(sandboxes.get(0));
  }

  @Benchmark
  public ExitStatus chroot() throws IOException {
    return run(sandboxes.get(1));
  }

  @Benchmark
  public ExitStatus bubblewrapStrategy() throws IOException {
    return run(sandboxes.get(2));
  }

  /** No sandbox at all. */
  @Benchmark
  public int plainProcessBuilder() throws IOException, InterruptedException {
    return run(List.of(directory.resolve("true").toString(), ""));
  }

  @Benchmark
  public int processBuilderOfBubblewrap() throws IOException, InterruptedException {
    return run(bubblewrap);
  }

  private static ExitStatus run(Sandbox sandbox) throws IOException {
    try (ChildProcess process = sandbox.start(COMMAND, "")) {
      ExitStatus status = process.waitFor();
      if (!status.equals(new ExitStatus.Exited(0))) {
        throw new IOException("the sandbox ended with " + status);
      }
      return status;
    }
  }

  private static int run(List<String> command) throws IOException, InterruptedException {
    int status = new ProcessBuilder(command).start().waitFor();
    if (status != 0) {
      throw new IOException(command + " ended with " + status);
    }
    return status;
  }
}
