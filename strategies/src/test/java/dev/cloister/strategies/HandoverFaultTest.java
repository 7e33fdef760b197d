package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.Handover;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.FaultInjectionTest.Case;
import dev.cloister.strategies.FaultInjectionTest.Row;
import dev.cloister.strategies.chroot.Chroot;
import dev.cloister.strategies.landlock.Landlock;
import dev.cloister.strategies.pivotroot.PivotRoot;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.SplitPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * {@link FaultInjectionTest} for launchers that a library starts. Besides what is held there, their
 * report says which step failed and why, or that all is well, and it is right.
 *
 * <p>As most calls are those of the command line's launchers, they fail with one errno here, and
 * those that the program goes on after.
 */
class HandoverFaultTest {
  private static final Handover PLAIN = Handover.library(Set.of());

  /** What is started as a whole. */
  private static final List<Whole> WHOLE =
      List.of(
          new Whole(new Row(new PivotRoot(), FaultSpec.PLAIN), PLAIN),
          new Whole(new Row(new PivotRoot(), FaultSpec.PROCESSES), Handover.library(Set.of(3, 9))),
          new Whole(new Row(new PivotRoot(), FaultSpec.ENTERED), Handover.PREWARMED),
          new Whole(new Row(new Chroot(), FaultSpec.PLAIN), Handover.library(Set.of(5))),
          new Whole(new Row(new Chroot(), FaultSpec.PROCESSES), Handover.PREWARMED),
          new Whole(new Row(new Landlock(), FaultSpec.IN_PLACE), Handover.library(Set.of(3))));

  /** What is set up by one launcher and entered by another. */
  private static final List<Row> SPLIT =
      List.of(
          new Row(new PivotRoot(), FaultSpec.OTHER_USER),
          new Row(new PivotRoot(), FaultSpec.ENTERED),
          new Row(
              new PivotRoot(),
              FaultSpec.PLAIN,
              Workaround.NO_USER_NAMESPACE,
              Workaround.LANDLOCK_DOMAIN),
          new Row(new Chroot(), FaultSpec.PLAIN));

  @TempDir static Path directory;
  private static final Map<String, Set<Call>> TRIED = new HashMap<>();
  private static final FaultCounts COUNTS = new FaultCounts();

  /** A row with what is handed over. */
  record Whole(Row row, Handover handover) {}

  /** The same as a user. */
  record WholeCase(Case asUser, Handover handover) {
    @Override
    public String toString() {
      return asUser + (handover.waits() ? " prewarmed" : " with " + handover.descriptors());
    }
  }

  /** A harness, and what launchers shall make. */
  private record Scene(Case tested, SandboxSpec spec, HostReport host, FaultHarness harness)
      implements AutoCloseable {
    static Scene of(Case tested) throws Exception {
      FaultSpec spec = tested.row().spec();
      return new Scene(
          tested,
          spec.of(directory),
          tested.host(),
          FaultHarness.start(directory, tested.user(), spec.witness(directory)));
    }

    IsolationStrategy strategy() {
      return tested.row().strategy();
    }

    /** What the command of a person sees. */
    List<String> strength() throws Exception {
      FaultRun run = run(strategy().plan(spec, host), FaultLaunch.COMMAND_LINE, "person");
      run.goesWell();
      run.check();
      return run.strength();
    }

    /**
     * One of its programs.
     *
     * @param kind calls that were tried in another of this kind are not tried again
     */
    FaultRun run(SyscallProgram program, FaultLaunch launch, String kind) {
      String name = strategy().name() + tested.user() + kind;
      Set<Call> tried = TRIED.computeIfAbsent(name, _ -> new HashSet<>());
      return new FaultRun(program, launch, PlausibleErrnos::someAt, harness, tried, COUNTS);
    }

    /** A launcher in which nothing goes wrong. */
    Path launcher(SyscallProgram program, Handover handover) throws IOException {
      byte[] image =
          ProgramCompiler.compile(program, FaultLaunch.of(handover).options(harness.pid())).bytes();
      return harness.write(_ -> image);
    }

    /** Lets all go wrong. */
    void tryAll(FaultRun run) throws Exception {
      run.all();
      COUNTS.addCase(strategy().name(), tested.user().toString());
      run.check();
    }

    @Override
    public void close() throws IOException {
      harness.close();
    }
  }

  static List<WholeCase> wholeCases() throws IOException {
    List<WholeCase> cases = new ArrayList<>();
    for (Whole whole : WHOLE) {
      for (Case asUser : FaultInjectionTest.cases(List.of(whole.row()))) {
        cases.add(new WholeCase(asUser, whole.handover()));
      }
    }
    return cases;
  }

  static List<Case> splitCases() throws IOException {
    return FaultInjectionTest.cases(SPLIT);
  }

  @BeforeAll
  static void prepare() throws Exception {
    FaultHarness.prepare(directory);
  }

  @AfterAll
  static void count() throws IOException {
    COUNTS.write(Path.of("target/counts/handover"));
  }

  @ParameterizedTest
  @MethodSource("wholeCases")
  void whoStartsItHearsWhatHappened(WholeCase tested) throws Exception {
    try (Scene scene = Scene.of(tested.asUser())) {
      Handover handover = tested.handover();
      SyscallProgram program = scene.strategy().plan(scene.spec().with(handover), scene.host());
      FaultRun run = scene.run(program, FaultLaunch.of(handover), "whole");
      scene.tryAll(run);
      List<String> expected = new ArrayList<>(scene.strength());
      handover.descriptors().forEach(number -> expected.add("descriptor " + number));
      assertEquals(sorted(expected), sorted(run.strength()));
    }
  }

  @ParameterizedTest
  @MethodSource("splitCases")
  void aSandboxThatIsEnteredIsWhole(Case tested) throws Exception {
    try (Scene scene = Scene.of(tested)) {
      SplitPlan split = scene.strategy().split(scene.spec(), scene.host()).orElseThrow();
      Path setUp = scene.launcher(split.setUp(), PLAIN);
      Path command = scene.launcher(split.command(), split.entering());
      FaultRun first = scene.run(split.setUp(), FaultLaunch.before(PLAIN, command), "set up");
      FaultRun second =
          scene.run(split.command(), FaultLaunch.after(setUp, split.entering()), "command");
      scene.tryAll(first);
      scene.tryAll(second);
      List<String> expected = sorted(scene.strength());
      assertEquals(expected, sorted(first.strength()));
      assertEquals(expected, sorted(second.strength()));
    }
  }

  /** The order of descriptors is that of their numbers, whoever opened them. */
  private static List<String> sorted(List<String> lines) {
    return lines.stream().sorted().toList();
  }
}
