package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.SystemCall;
import dev.cloister.machine.Faults;
import dev.cloister.machine.Faults.Fault;
import dev.cloister.machine.Faults.Site;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.program.CText;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.OsString;
import dev.cloister.strategies.FaultHarness.Report;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** One program, compiled anew for each thing that can go wrong in it. */
final class FaultRun {
  /** Of a launcher whose child was killed; process 1 of a pid namespace dies of SIGILL instead. */
  private static final Set<Integer> FATAL = Set.of(125, 128 + 4, 128 + 9);

  /** Whoever waits makes these again, whatever they say: they fail once, as they would. */
  private static final Set<SystemCall> REPEATED =
      Set.of(SystemCall.PPOLL, SystemCall.READ, SystemCall.RECVMSG);

  /** Stands for the launcher's own path, whatever it is. */
  private static final String OWN_PATH = "/launcher";

  private final SyscallProgram program;
  private final FaultLaunch launch;
  private final Function<Site, Set<Errno>> errnos;
  private final ProgramCompiler.Options options;
  private final FaultHarness harness;
  private final Set<Call> tried;
  private final FaultCounts counts;
  private final List<String> wrong = new ArrayList<>();
  private final List<Site> sites;
  private final List<Call> steps;

  /**
   * Those whose failure is reported, and what is done instead; others are made for good measure.
   */
  private final Set<Call> calls = Collections.newSetFromMap(new IdentityHashMap<>());

  private final Set<Integer> reached = new HashSet<>();
  private final Set<Attempt> hits = new HashSet<>();
  private Report good = Report.NONE;

  /** What is tried: the faults, the one that matters last. */
  private record Attempt(List<Fault> faults, Site site, Optional<Errno> errno) {
    boolean pauses() {
      return !faults.isEmpty() && faults.getLast() instanceof Fault.Pause;
    }

    boolean kills() {
      return errno.isEmpty();
    }

    boolean isDouble() {
      return faults.size() > 1;
    }

    boolean once() {
      return faults.getLast() instanceof Fault.Failure failure && failure.once();
    }

    @Override
    public String toString() {
      return faults
          + " at "
          + site.instruction().map(CText::of).orElse(site.call().cName())
          + " of step "
          + site.step();
    }
  }

  /**
   * Prepares the runs.
   *
   * @param launch how it is started
   * @param errnos with which a call fails
   * @param tried calls that other programs of this strategy made fail as this user; those of this
   *     one are added
   */
  FaultRun(
      SyscallProgram program,
      FaultLaunch launch,
      Function<Site, Set<Errno>> errnos,
      FaultHarness harness,
      Set<Call> tried,
      FaultCounts counts) {
    this.program = program;
    this.launch = launch;
    this.errnos = errnos;
    this.options = launch.options(harness.pid());
    this.harness = harness;
    this.tried = tried;
    this.counts = counts;
    Faults none = Faults.of();
    SyscallProgram whole = program.removing(OsString.of(OWN_PATH));
    ProgramCompiler.compile(whole, options, none);
    this.sites = none.sites();
    this.steps = whole.steps();
    addCalls(steps);
  }

  private void addCalls(List<? extends Instruction> instructions) {
    for (Instruction instruction : instructions) {
      if (instruction instanceof Call call && calls.add(call)) {
        call.recoveries().values().forEach(this::addCalls);
      }
    }
  }

  /** Fails the test if anything was not as it must be. */
  void check() {
    assertTrue(
        wrong.isEmpty(),
        () ->
            wrong.size()
                + " times, such as:\n"
                + wrong.stream().limit(20).collect(Collectors.joining("\n")));
  }

  /** Without any fault. */
  boolean goesWell() throws Exception {
    Attempt nothing = new Attempt(List.of(), sites.getFirst(), Optional.empty());
    harness.runAll(List.of(nothing), this::compile, this::words, (_, report) -> good = report);
    if (good.status() != 0 || !good.ran() || !good.message().isEmpty() || good.processes() != 0) {
      wrong.add("without any fault: " + good);
      return false;
    }
    return true;
  }

  void all() throws Exception {
    counts.addSteps(steps.size());
    if (!goesWell()) {
      return;
    }
    runAll(sites.stream().map(site -> kill(List.of(), site)).toList());
    List<Attempt> singles = new ArrayList<>();
    for (Site site : sites) {
      if (reached.contains(site.number())) {
        singles.addAll(failures(List.of(), site));
      }
    }
    runAll(singles);
    runAll(recoveries());
  }

  /** Somebody kills the launcher while it, or its child, is at some step. */
  void killFromOutside() throws Exception {
    List<Attempt> pauses = new ArrayList<>();
    for (Site site : sites) {
      if (isStep(site)) {
        Fault pause = new Fault.Pause(site.number());
        pauses.add(new Attempt(List.of(pause), site, Optional.empty()));
      }
    }
    runAll(pauses);
  }

  private Attempt kill(List<Fault> before, Site site) {
    return new Attempt(with(before, new Fault.Kill(site.number())), site, Optional.empty());
  }

  private static List<Fault> with(List<Fault> before, Fault last) {
    List<Fault> faults = new ArrayList<>(before);
    faults.add(last);
    return faults;
  }

  private List<Attempt> failures(List<Fault> before, Site site) {
    List<Attempt> attempts = new ArrayList<>();
    boolean isOld = site.instruction().filter(call -> !tried.add(call)).isPresent();
    // An eventfd that does not block says only EAGAIN: that the command has not started.
    boolean isEvent = site.instruction().isEmpty() && site.call() == SystemCall.READ;
    if (isOld || (isEvent && !program.embedded().isEmpty())) {
      return attempts;
    }
    for (Errno errno : errnos.apply(site)) {
      if (site.instruction().isPresent() || !REPEATED.contains(site.call())) {
        attempts.add(failure(before, site, errno, false));
      }
      boolean retried = site.instruction().map(call -> call.retried().contains(errno)).orElse(true);
      if (retried) {
        attempts.add(failure(before, site, errno, true));
      }
    }
    return attempts;
  }

  private static Attempt failure(List<Fault> before, Site site, Errno errno, boolean once) {
    Fault fault = new Fault.Failure(site.number(), errno, once);
    return new Attempt(with(before, fault), site, Optional.of(errno));
  }

  /** What is done instead of a call fails, too. */
  private List<Attempt> recoveries() throws Exception {
    List<Attempt> kills = new ArrayList<>();
    for (Site site : sites) {
      Set<List<?>> seen = new HashSet<>();
      if (site.instruction().isPresent() && reached.contains(site.number())) {
        site.instruction()
            .get()
            .recoveries()
            .forEach(
                (errno, instead) -> {
                  if (!instead.isEmpty() && seen.add(instead)) {
                    List<Fault> first = List.of(new Fault.Failure(site.number(), errno, false));
                    for (Site other : sites) {
                      if (other.step() == site.step() && !reached.contains(other.number())) {
                        kills.add(kill(first, other));
                      }
                    }
                  }
                });
      }
    }
    runAll(kills);
    List<Attempt> attempts = new ArrayList<>();
    for (Attempt kill : kills) {
      if (hits.contains(kill)) {
        attempts.addAll(failures(kill.faults().subList(0, 1), kill.site()));
      }
    }
    return attempts;
  }

  private void runAll(List<Attempt> attempts) throws Exception {
    harness.runAll(attempts, this::compile, this::words, this::judge);
  }

  private String words(Attempt attempt) {
    return launch.words(attempt.pauses());
  }

  private Function<Path, byte[]> compile(Attempt attempt) {
    return path ->
        ProgramCompiler.compile(
                program.removing(OsString.of(path)),
                options,
                Faults.of(attempt.faults().toArray(Fault[]::new)))
            .bytes();
  }

  private void judge(Attempt attempt, Report report) {
    List<String> bad = new ArrayList<>();
    if (attempt.pauses()) {
      counts.addKill();
      // The command may have started by the time its init sees the launcher's end.
      check(report.killed(), "is not killed", bad);
      check(report.closed() || attempt.site().step() <= 2, "holds a descriptor", bad);
    } else if (attempt.kills()) {
      judgeKill(attempt, report, bad);
    } else {
      counts.addFault();
      judgeFailure(attempt, report, bad);
    }
    judgeRemains(attempt, report, bad);
    if (launch.hasChannels()) {
      judgeChannels(attempt, report, bad);
    }
    if (!bad.isEmpty()) {
      wrong.add(attempt + ": " + bad + ": " + shorten(report));
    }
  }

  private static String shorten(Report report) {
    return report.status() + " " + report.message() + report.said().words();
  }

  private void judgeRemains(Attempt attempt, Report report, List<String> bad) {
    check(!report.hung(), "hangs", bad);
    check(report.processes() == 0, "leaves " + report.processes() + " processes", bad);
    check(!report.mounts(), "leaves mounts", bad);
    check(report.closed() || attempt.site().step() <= 2, "leaves a descriptor", bad);
    check(good.files().containsAll(report.files()), "leaves files " + report.files(), bad);
    // Removing itself is the first step.
    check(!report.launcher() || attempt.site().step() <= 1, "leaves itself", bad);
  }

  /** The end of the report without a word that tells is one of a launcher that was killed. */
  private void judgeChannels(Attempt attempt, Report report, List<String> bad) {
    boolean isExecuting = report.said().words().contains(LibraryLauncher.EXECUTING);
    boolean isKilled = report.killed() || attempt.kills();
    check(report.error().isEmpty(), "writes to the command's standard error", bad);
    check(!report.ran() || isExecuting, "runs the command without a word", bad);
    if (report.said().failure().isPresent()) {
      int status = report.said().failure().get().status();
      check(isKilled || status == report.status(), "says status " + status, bad);
      check(!report.ran(), "says that the command does not run", bad);
    } else {
      check(isKilled || report.said().words().contains(launch.lastWord()), "says nothing", bad);
    }
    // Only a call that is no step can be the one that says it.
    boolean canSay = !isKilled && attempt.site().instruction().isPresent();
    boolean isSame = report.ended().equals(good.ended());
    check(!report.ran() || !canSay || isSame, "says another end", bad);
  }

  /** Whether a program that listens hears the same as a person. */
  private boolean isSaid(Site site, Errno errno, Report report) {
    return report
        .said()
        .failure()
        .map(said -> said.step() == site.step() && said.errno() == errno.number())
        .orElse(!launch.hasChannels());
  }

  private static void check(boolean holds, String otherwise, List<String> bad) {
    if (!holds) {
      bad.add(otherwise);
    }
  }

  /** A launcher that is never there to be killed goes on as if nothing were the matter. */
  private void judgeKill(Attempt attempt, Report report, List<String> bad) {
    if (report.killed() || (report.status() != 0 && !attempt.isDouble())) {
      hits.add(attempt);
      if (!attempt.isDouble()) {
        reached.add(attempt.site().number());
      }
      counts.addKill();
      check(report.killed() || FATAL.contains(report.status()), "status", bad);
      boolean mayRun = attempt.site().instruction().filter(calls::contains).isEmpty();
      check(mayRun || !report.ran(), "runs the command", bad);
    } else if (attempt.isDouble()) {
      boolean isReached = report.status() != 125;
      check(isReached || report.message().startsWith("cloister: "), "message", bad);
    } else {
      check(!isStep(attempt.site()), "a step is not reached", bad);
      judgeSuccess(report, bad);
    }
  }

  /** Whether this is the step's own call, not one that is made instead. */
  private boolean isStep(Site site) {
    return site.step() > 0
        && site.instruction().filter(isSame(steps.get(site.step() - 1))).isPresent();
  }

  /** Two steps may be equal, and are still two. */
  @SuppressWarnings("ReferenceEquality")
  private static Predicate<Call> isSame(Call step) {
    return call -> call == step;
  }

  private void judgeFailure(Attempt attempt, Report report, List<String> bad) {
    Errno errno = attempt.errno().orElseThrow();
    if (attempt.site().instruction().filter(calls::contains).isEmpty()) {
      judgeOther(report, bad);
      return;
    }
    Call call = attempt.site().instruction().get();
    if (call.until().equals(Optional.of(errno))
        || (attempt.once() && call.retried().contains(errno))) {
      judgeSuccess(report, bad);
    } else if (call.recoveries().containsKey(errno)) {
      boolean isSaid =
          call.recoveries().get(errno).stream().anyMatch(Instruction.Say.class::isInstance);
      if (report.status() == 0 && isSaid) {
        // Only to a person.
        check(
            launch.hasChannels() || report.message().startsWith("cloister: "),
            "does not say what is missing",
            bad);
      } else if (report.status() == 0) {
        judgeSuccess(report, bad);
      } else {
        judgeLater(report, bad);
      }
    } else {
      judgeMessage(attempt.site(), report, message(attempt.site(), call, errno), bad);
      check(isSaid(attempt.site(), errno, report), "says another step or errno", bad);
      if (attempt.site().step() > 1) {
        check(hintOf(call, errno).map(report.message()::contains).orElse(true), "no hint", bad);
      }
    }
  }

  private String message(Site site, Call call, Errno errno) {
    // Its own path is another each time.
    String text = site.step() == 1 ? "unlinkat(" : CText.of(call) + ": " + text(errno);
    return place(site) + text;
  }

  private String place(Site site) {
    return "cloister: " + program.name() + ": step " + site.step() + " of " + steps.size() + ": ";
  }

  private static String text(Errno errno) {
    return errno.name() + " (" + errno.text() + ")\n";
  }

  private static Optional<String> hintOf(Call call, Errno errno) {
    return Optional.ofNullable(call.hints().get(errno)).map(hint -> "hint: " + hint + "\n");
  }

  private void judgeMessage(Site site, Report report, String start, List<String> bad) {
    check(report.status() == 125, "status", bad);
    check(!report.ran(), "runs the command", bad);
    check(report.message().startsWith(start), "message, not " + start, bad);
    String step = "step " + site.step() + " of ";
    check(report.message().lines().findFirst().orElse("").contains(step), "step", bad);
  }

  /** What was recovered from may be missed by the next step. */
  private void judgeLater(Report report, List<String> bad) {
    check(report.status() == 125, "status", bad);
    check(!report.ran(), "runs the command", bad);
    String start = "cloister: " + program.name() + ": step ";
    check(report.message().startsWith(start), "message", bad);
  }

  /** A call that no step stands for: either it does not matter, or the command does not run. */
  private void judgeOther(Report report, List<String> bad) {
    if (report.status() == 0) {
      judgeSuccess(report, bad);
      return;
    }
    check(report.status() >= 125 && report.status() <= 127, "status", bad);
    check(!report.ran(), "runs the command", bad);
    check(report.message().startsWith("cloister: "), "message", bad);
  }

  private void judgeSuccess(Report report, List<String> bad) {
    check(report.status() == 0 && report.ran(), "the command does not run", bad);
    check(report.message().isEmpty(), "message", bad);
    List<String> now = strength(report);
    List<String> then = strength(good);
    List<String> other = new ArrayList<>(now);
    other.removeAll(then);
    List<String> lost = new ArrayList<>(then);
    lost.removeAll(now);
    check(now.equals(then), "another sandbox: " + other + " in place of " + lost, bad);
  }

  /** What the command saw when nothing went wrong. */
  List<String> strength() {
    return strength(good);
  }

  /**
   * Where the command starts is no matter of strength; it is inside either way. Nor is whether an
   * overlay keeps the number of its file system, which depends on what used the directory before,
   * nor which attributes of files it uses, as older kernels have but one kind.
   */
  private static List<String> strength(Report report) {
    return report
        .output()
        .lines()
        .filter(line -> !line.startsWith("directory "))
        .map(line -> line.replace(",uuid=on", "").replace(",userxattr", ""))
        .collect(Collectors.toList());
  }
}
