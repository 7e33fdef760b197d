package dev.cloister.benchmarks;

import dev.cloister.sandbox.Sandbox;
import java.io.IOException;
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
 * The same in a sandbox that waited for its command, next to a process without any sandbox. Before
 * each start, whatever is started, and not timed, a sandbox is used and replaced, and the machine
 * has a moment to come to rest: all find the caches as the background's work left them.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 3, time = 2)
@Fork(1)
public class WarmLatency {
  private static final int WAITING = 4;
  private static final int REST_MILLIS = 2;

  @SuppressWarnings("NullAway.Init") // by the set-up
  private Nothing nothing;

  @SuppressWarnings("NullAway.Init") // by the set-up
  private Sandbox sandbox;

  /** Has the sandboxes wait, whichever is measured. */
  @Setup(Level.Trial)
  public void prepare() throws Exception {
    nothing = Nothing.make();
    sandbox = nothing.sandbox("pivot_root");
    sandbox.prewarm(WAITING);
  }

  /**
   * Uses a sandbox, waits until all wait again, and then until that has come to an end in the
   * kernel, too.
   */
  @Setup(Level.Invocation)
  public void rest() throws Exception {
    Nothing.runIn(sandbox);
    while (sandbox.waiting() < WAITING) {
      Thread.sleep(1);
    }
    Thread.sleep(REST_MILLIS);
  }

  /** Removes what {@link #prepare} made. */
  @TearDown(Level.Trial)
  public void cleanUp() throws IOException {
    sandbox.close();
    nothing.close();
  }

  @Benchmark
  public int prewarmed() throws Exception {
    return Nothing.runIn(sandbox);
  }

  @Benchmark
  public int posixSpawn() throws Exception {
    return nothing.spawn();
  }

  @Benchmark
  public int processBuilder() throws Exception {
    return nothing.runPlainly();
  }
}
