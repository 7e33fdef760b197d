package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.fixture.Cases;
import dev.cloister.host.Bwrap;
import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.machine.Reporting;
import dev.cloister.program.Listing;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.OsString;
import dev.cloister.strategies.Strategies;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.PlanException;
import dev.cloister.strategy.StrategySelector;
import dev.cloister.strategy.StrategySelector.Choice;
import dev.cloister.strategy.StrategySelector.NoStrategyException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Any command line gives a launcher or one error for a person; nothing else is ever thrown. */
final class CommandLineFuzzTest {
  private static final long ALL_CAPABILITIES = (1L << 41) - 1;
  private static final List<OsString> ENVIRONMENT =
      List.of(OsString.of("HOME=/root"), OsString.of("PATH=/bin"), OsString.of("A="));

  private static final int COMPILED_ONE_IN = 6;

  @TempDir Path directory;
  private final List<Path> tree = new ArrayList<>();
  private HostReport host = hostReport(caller(0, ALL_CAPABILITIES));
  private int planned;
  private int refused;

  @BeforeEach
  void makeTree() throws IOException {
    Path sub = Files.createDirectories(directory.resolve("d/s"));
    Path file = Files.createFile(directory.resolve("f"));
    tree.addAll(List.of(directory, sub, file));
    tree.add(Files.createSymbolicLink(directory.resolve("link"), sub));
    tree.add(Files.createSymbolicLink(directory.resolve("loop"), Path.of("loop")));
    tree.add(Files.createSymbolicLink(directory.resolve("dangling"), Path.of("nowhere")));
    Stream.of("/", "/usr", "/etc", "/etc/passwd", "/proc", "/dev/null", "/nope")
        .map(Path::of)
        .forEach(tree::add);
  }

  private static Caller caller(long uid, long capabilities) {
    return new Caller(uid, uid, false, List.of(), true, capabilities, false, 0);
  }

  private static HostReport hostReport(Caller caller) {
    HostReport found = HostReport.of(caller, "/usr/bin:/bin");
    if (found.bwrap().isEmpty()) {
      return found;
    }
    Bwrap bwrap = found.bwrap().get();
    Set<String> options = bwrap.options().get();
    Supplier<Set<String>> known = () -> options;
    return found.with(new Bwrap(bwrap.path(), known));
  }

  /**
   * One of what the command line depends on.
   *
   * @param words all arguments, the subcommand's name first
   * @param compiled whether to go on to the end, which takes most of the time
   */
  private record Input(
      List<OsString> words, Caller caller, Set<Workaround> workarounds, boolean compiled) {
    List<Input> smaller() {
      return Cases.withoutOne(words).stream()
          .filter(shorter -> !shorter.isEmpty())
          .map(shorter -> new Input(shorter, caller, workarounds, compiled))
          .toList();
    }

    @Override
    public String toString() {
      return CommandLines.text(words) + " as " + caller + " with " + workarounds;
    }
  }

  private Input input(Random random) {
    Caller caller = Cases.pick(random, caller(0, ALL_CAPABILITIES), caller(0, 0), caller(65534, 0));
    Set<Workaround> workarounds = EnumSet.noneOf(Workaround.class);
    while (random.nextInt(3) == 0) {
      workarounds.add(Cases.pick(random, Workaround.values()));
    }
    List<OsString> words =
        new CommandLines(random, tree)
            .next("run", List.of(RunOption.values()), OsString.of("true"), OsString.of("x"));
    return new Input(words, caller, workarounds, random.nextInt(COMPILED_ONE_IN) == 0);
  }

  @Test
  @Timeout(300)
  void runGivesALauncherOrOneError() throws Exception {
    Cases.check("command lines", 12_000, this::input, Input::smaller, this::isHandled);
    // Neither of the two is the only thing that ever happens.
    assertTrue(planned > Cases.times(500), () -> "planned: " + planned);
    assertTrue(refused > Cases.times(500), () -> "refused: " + refused);
  }

  private void isHandled(Input input) throws Exception {
    Invocation invocation = new Invocation(input.words(), ENVIRONMENT, true, true);
    host = host.with(input.caller()).with(input.workarounds());
    RunRequest request;
    try {
      ParsedOptions<RunOption> parsed = ParsedOptions.parse(input.words(), 1, RunOption::find);
      if (parsed.help()) {
        return;
      }
      request = RunRequest.of(parsed, invocation, input.caller());
    } catch (CliException e) {
      refused++;
      isOneLine(message(e));
      assertTrue(namesWhatIsWrong(message(e)), message(e));
      return;
    }
    planWithEach(request, input);
    choose(request);
  }

  private static boolean namesWhatIsWrong(String message) {
    return message.startsWith("no command given")
        || message.startsWith("unknown option -")
        || Arrays.stream(RunOption.values()).anyMatch(option -> message.contains(option.word()));
  }

  private void planWithEach(RunRequest request, Input input) {
    for (var strategy : Strategies.ALL) {
      Assessment assessment = strategy.assess(request.spec(), host);
      if (assessment instanceof Assessment.Unusable unusable) {
        isOneLine(unusable.reason());
        isOneLine(unusable.remedy());
        continue;
      }
      assertNotNull(strategy.guarantees(request.spec(), host));
      try {
        SyscallProgram program = strategy.plan(request.spec(), host);
        planned++;
        if (input.compiled()) {
          compile(program, input.words(), request.command());
        }
      } catch (PlanException e) {
        refused++;
        isOneLine(message(e));
      }
    }
  }

  private static void compile(SyscallProgram program, List<OsString> words, int command) {
    ProgramCompiler.Options options =
        ProgramCompiler.Options.plain(Architecture.host(), Reporting.TEXT, "test");
    SyscallProgram removing = program.removing(OsString.of("/tmp/launcher"));
    assertTrue(ProgramCompiler.compile(removing, options).size() > 0);
    List<String> numbered =
        Listing.ofLauncher(removing, words.get(command)).stream()
            .filter(line -> line.matches("(?s) *\\d+  .*"))
            .toList();
    assertEquals(removing.steps().size(), numbered.size());
    for (int i = 0; i < numbered.size(); i++) {
      assertTrue(numbered.get(i).strip().startsWith(i + 1 + "  "), numbered.get(i));
      drawsNothing(numbered.get(i));
    }
  }

  private void choose(RunRequest request) {
    StrategySelector selector = new StrategySelector(Strategies.ALL, host, _ -> Assessment.USABLE);
    try {
      Choice choice = selector.choose(request.spec(), request.strategy(), request.required());
      choice.report().forEach(CommandLineFuzzTest::isOneLine);
    } catch (NoStrategyException e) {
      assertFalse(e.rejections().isEmpty());
      e.getMessage().lines().forEach(CommandLineFuzzTest::isOneLine);
    }
  }

  /** Something to say to a person: without what Java says, and without drawing on the terminal. */
  private static void isOneLine(String message) {
    assertNotNull(message);
    assertFalse(message.isBlank());
    assertFalse(
        message.contains("Exception")
            || message.contains("dev.cloister")
            || message.matches("(.* )?null([ :].*)?"),
        message);
    drawsNothing(message);
  }

  private static void drawsNothing(String text) {
    assertTrue(text.chars().noneMatch(Character::isISOControl), text);
  }

  @Test
  void otherSubcommandsParseOrSayOneError() throws Exception {
    parses("probe", List.of(ProbeOption.values()), ProbeOption::find);
    parses("bench", List.of(BenchOption.values()), BenchOption::find);
    parses("env", List.of(EnvOption.values()), EnvOption::find);
  }

  private <O extends CliOption> void parses(
      String name, List<O> options, java.util.function.Function<String, Optional<O>> find)
      throws IOException {
    Cases.check(
        name + " command lines",
        5000,
        random -> new CommandLines(random, tree).next(name, options, OsString.of("true")),
        Cases::withoutOne,
        words -> {
          try {
            ParsedOptions.parse(words, Math.min(1, words.size()), find);
          } catch (CliException e) {
            isOneLine(message(e));
          }
        });
  }

  /** Every option is among the cases, and an operand that is new to them gets words too. */
  @Test
  void everyOptionIsTried() {
    Set<String> tried =
        Stream.iterate(0, i -> i + 1)
            .limit(2000)
            .flatMap(i -> input(Cases.random("options", i)).words().stream())
            .map(OsString::toString)
            .collect(Collectors.toSet());
    for (RunOption option : RunOption.values()) {
      assertTrue(tried.contains(option.word()), option::word);
    }
  }

  private static String message(Exception e) {
    return Objects.requireNonNull(e.getMessage());
  }
}
