package dev.cloister.benchmarks;

import dev.cloister.host.Caller;
import dev.cloister.host.Evidence;
import dev.cloister.host.HostReport;
import dev.cloister.launch.PrivateDirectory;
import dev.cloister.probe.Capability;
import dev.cloister.probe.CapabilityProbe;
import dev.cloister.probe.Diagnosis;
import dev.cloister.probe.ProgramRunner;
import dev.cloister.probe.StrategyTrial;
import dev.cloister.strategies.Strategies;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.IsolationStrategy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.FutureTask;
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
import org.openjdk.jmh.annotations.Warmup;

/** What it takes a running JVM to find out what a host allows. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class ProbeLatency {
  @SuppressWarnings("NullAway.Init") // by the set-up
  private StrategyTrial trial;

  @SuppressWarnings("NullAway.Init") // by the set-up
  private CapabilityProbe capabilities;

  /** Looks at the host. */
  @Setup(Level.Trial)
  public void prepare() throws IOException {
    Caller caller = Caller.current();
    HostReport host = HostReport.of(caller, "/usr/bin:/bin");
    PrivateDirectory directory = PrivateDirectory.in(Path.of("/tmp"), caller.uid()).orElseThrow();
    ProgramRunner runner = new ProgramRunner(directory);
    Diagnosis diagnosis = new Diagnosis(caller, Evidence::collect).with(runner);
    trial = new StrategyTrial(runner, host, diagnosis);
    capabilities = new CapabilityProbe(runner, host, diagnosis);
  }

  /** As {@code cloister probe} does it: the two halves at once. */
  @Benchmark
  public List<Object> everything() throws Exception {
    FutureTask<Map<Capability, Assessment>> half = new FutureTask<>(this::allCapabilities);
    new Thread(half).start();
    List<Object> all = new ArrayList<>(allStrategies());
    all.add(half.get());
    return all;
  }

  @Benchmark
  public List<Assessment> allStrategies() {
    List<Assessment> verdicts = new ArrayList<>();
    for (IsolationStrategy strategy : Strategies.ALL) {
      verdicts.add(check(trial.of(strategy)));
    }
    return verdicts;
  }

  @Benchmark
  public Map<Capability, Assessment> allCapabilities() {
    Map<Capability, Assessment> verdicts = capabilities.ofAll();
    verdicts.values().forEach(ProbeLatency::check);
    return verdicts;
  }

  /** All that a choice needs where the preferred strategy works. */
  @Benchmark
  public Assessment theChoice() {
    return check(trial.of(Strategies.ALL.getFirst()));
  }

  private static Assessment check(Assessment verdict) {
    if (verdict instanceof Assessment.Unusable unusable) {
      throw new IllegalStateException(unusable.reason());
    }
    return Objects.requireNonNull(verdict);
  }
}
