package dev.cloister.benchmarks;

import dev.cloister.sandbox.Sandbox;
import java.io.IOException;
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
 * recursive binds that is made anew each time, next to the same program without any sandbox and in
 * bubblewrap's.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 2, time = 2)
@Fork(1)
public class SetUpLatency {
  @SuppressWarnings("NullAway.Init") // by the set-up
  private Nothing nothing;

  @SuppressWarnings("NullAway.Init") // by the set-up
  private Sandbox pivotRoot;

  @SuppressWarnings("NullAway.Init") // by the set-up
  private Sandbox chroot;

  @SuppressWarnings("NullAway.Init") // by the set-up
  private Sandbox bubblewrap;

  private List<String> bubblewrapCommand = List.of();

  /** Makes the program that does nothing, and one sandbox per strategy. */
  @Setup(Level.Trial)
  public void prepare() throws IOException {
    nothing = Nothing.make();
    pivotRoot = nothing.sandbox("pivot_root");
    chroot = nothing.sandbox("chroot");
    bubblewrap = nothing.sandbox("bwrap");
    bubblewrapCommand = nothing.bubblewrap();
  }

  /** Removes what {@link #prepare} made. */
  @TearDown(Level.Trial)
  public void cleanUp() throws IOException {
    pivotRoot.close();
    chroot.close();
    bubblewrap.close();
    nothing.close();
  }

  @Benchmark
  public int pivotRoot() throws Exception {
    return Nothing.runIn(pivotRoot);
  }

  @Benchmark
  public int chroot() throws Exception {
    return Nothing.runIn(chroot);
  }

  @Benchmark
  public int bubblewrapStrategy() throws Exception {
    return Nothing.runIn(bubblewrap);
  }

  /** No sandbox at all. */
  @Benchmark
  public int processBuilder() throws Exception {
    return nothing.runPlainly();
  }

  @Benchmark
  public int processBuilderOfBubblewrap() throws Exception {
    return Nothing.run(bubblewrapCommand);
  }

  /** No sandbox, and no more than the C library. */
  @Benchmark
  public int posixSpawn() throws Exception {
    return nothing.spawn();
  }
}
