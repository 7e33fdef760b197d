package dev.cloister.strategies;

import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.bwrap.Bubblewrap;
import dev.cloister.strategies.chroot.Chroot;
import dev.cloister.strategies.pivotroot.PivotRoot;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.IsolationStrategy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Lets every system call of every launcher fail with every errno it may have, and kills launchers
 * before each. Whatever happens, the command either does not run, and the message says why, or it
 * runs in a sandbox as strong as if nothing had happened; and nothing is left behind.
 *
 * <p>What to expect is taken from the program. That the sandbox is as strong, the witness says.
 */
class FaultInjectionTest {
  private static final List<Row> ROWS =
      List.of(
          new Row(new PivotRoot(), FaultSpec.PLAIN),
          new Row(new PivotRoot(), FaultSpec.EVERYTHING),
          new Row(new PivotRoot(), FaultSpec.ROOT),
          new Row(new PivotRoot(), FaultSpec.NAMESPACES),
          new Row(new PivotRoot(), FaultSpec.OVERLAYS),
          new Row(new PivotRoot(), FaultSpec.PROCESSES),
          new Row(new PivotRoot(), FaultSpec.PRIVILEGES),
          new Row(new PivotRoot(), FaultSpec.REPORTS),
          new Row(new PivotRoot(), FaultSpec.DESCRIPTORS),
          new Row(new PivotRoot(), FaultSpec.LOCKS),
          new Row(new Chroot(), FaultSpec.EVERYTHING),
          new Row(new Chroot(), FaultSpec.PROCESSES),
          new Row(new Bubblewrap(), FaultSpec.PLAIN),
          new Row(new Bubblewrap(), FaultSpec.OTHER_USER),
          new Row(new Bubblewrap(), FaultSpec.EVERYTHING_AS_CALLER),
          new Row(new Bubblewrap(), FaultSpec.PROCESSES),
          new Row(new Bubblewrap(), FaultSpec.PRIVILEGES),
          new Row(new PivotRoot(), FaultSpec.EVERYTHING, Workaround.LEAVE_CHROOT),
          new Row(
              new PivotRoot(),
              FaultSpec.EVERYTHING,
              Workaround.NO_USER_NAMESPACE,
              Workaround.LANDLOCK_DOMAIN,
              Workaround.OWN_PROC),
          new Row(new PivotRoot(), FaultSpec.EVERYTHING, Workaround.BIND_BY_PATH),
          new Row(
              new PivotRoot(),
              FaultSpec.EVERYTHING,
              Workaround.REMOUNT_EACH,
              Workaround.BIND_BY_PATH,
              Workaround.WALK_PATHS),
          new Row(
              new PivotRoot(),
              FaultSpec.EVERYTHING,
              Workaround.LEAVE_CHROOT,
              Workaround.OWN_PROC,
              Workaround.REMOUNT_EACH,
              Workaround.BIND_BY_PATH,
              Workaround.WALK_PATHS));

  @TempDir static Path directory;
  private static final Map<String, Set<Call>> TRIED = new HashMap<>();
  private static final FaultCounts COUNTS = new FaultCounts();

  /** A strategy, what it shall make, and what it shall do differently although it need not. */
  record Row(IsolationStrategy strategy, FaultSpec spec, Set<Workaround> workarounds) {
    Row(IsolationStrategy strategy, FaultSpec spec, Workaround... workarounds) {
      this(strategy, spec, new TreeSet<>(Set.of(workarounds)));
    }

    @Override
    public String toString() {
      return strategy.name() + " " + spec + " " + Workaround.words(workarounds);
    }
  }

  /** A row as a user. */
  record Case(Row row, User user) {
    private static final Set<Workaround> PRIVILEGED =
        Set.of(
            Workaround.OWN_PROC,
            Workaround.LEAVE_CHROOT,
            Workaround.NO_USER_NAMESPACE,
            Workaround.LANDLOCK_DOMAIN);

    HostReport host() throws IOException {
      return user.host().with(row.workarounds());
    }

    /** Some workarounds are for a privileged caller only. */
    boolean applies() {
      try {
        boolean privileged = user.caller().isPrivileged();
        return privileged || row.workarounds().stream().noneMatch(PRIVILEGED::contains);
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public String toString() {
      return row + " as " + user;
    }
  }

  static List<Case> cases() throws IOException {
    return cases(ROWS);
  }

  /** Those of some rows that apply here. */
  static List<Case> cases(List<Row> rows) throws IOException {
    List<Case> cases = new ArrayList<>();
    for (User user : User.all().toList()) {
      for (Row row : rows) {
        cases.add(new Case(row, user));
      }
    }
    return cases.stream().filter(Case::applies).toList();
  }

  @BeforeAll
  static void prepare() throws Exception {
    FaultHarness.prepare(directory);
  }

  @AfterAll
  static void count() throws IOException {
    COUNTS.write(Path.of("target/counts/faults"));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void leavesNothingBehind(Case tested) throws Exception {
    SandboxSpec spec = tested.row().spec().of(directory);
    HostReport host = tested.host();
    if (tested.row().strategy().assess(spec, host) instanceof Assessment.Unusable) {
      return;
    }
    SyscallProgram program = tested.row().strategy().plan(spec, host);
    try (FaultHarness harness =
        FaultHarness.start(directory, tested.user(), tested.row().spec().witness(directory))) {
      FaultRun run =
          new FaultRun(
              program,
              FaultLaunch.COMMAND_LINE,
              PlausibleErrnos::at,
              harness,
              TRIED.computeIfAbsent(
                  tested.row().strategy().name() + tested.user(), _ -> new HashSet<>()),
              COUNTS);
      run.all();
      if (tested.row().spec().diesWithLauncher()) {
        run.killFromOutside();
      }
      COUNTS.addCase(tested.row().strategy().name(), tested.user().toString());
      run.check();
    }
  }
}
