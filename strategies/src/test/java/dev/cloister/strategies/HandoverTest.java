package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.ExitStatus;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.Pipe;
import dev.cloister.fixture.Required;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.seccomp.DefaultProfile;
import dev.cloister.spec.Handover;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.Processes;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.LibraryLauncher.Said;
import dev.cloister.strategies.LibraryLauncher.Start;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.IsolationStrategy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What launchers do with what a library hands over, in every kind of sandbox. */
class HandoverTest {
  private static final int SETUP_FAILED = 125;
  private static final Handover PLAIN = Handover.library(Set.of());

  @TempDir Path directory;

  /** Which processes there are besides the command. */
  enum Company {
    /** With filters, which apply to the last steps. */
    NONE {
      @Override
      void addTo(SandboxSpec.Builder spec) {
        spec.privileges(some -> some.withFilters(List.of(DefaultProfile.INSTANCE)));
      }
    },
    OUTER {
      @Override
      void addTo(SandboxSpec.Builder spec) {
        spec.processes(Processes::dyingWithParent);
      }
    },
    OUTER_AND_INIT {
      @Override
      void addTo(SandboxSpec.Builder spec) {
        spec.unshare(Namespace.PID);
      }
    };

    abstract void addTo(SandboxSpec.Builder spec);
  }

  /** A kind of sandbox. */
  record Kind(IsolationStrategy strategy, User user, Company company) {
    boolean isBwrap() {
      return strategy.name().equals("bwrap");
    }

    /** Whether the process that is started becomes the command. */
    boolean isInPlace() {
      return company == Company.NONE && !isBwrap();
    }

    /** Whether a process of the launcher's own waits for the command itself. */
    boolean hasWitness() {
      return switch (company) {
        case NONE -> false;
        case OUTER -> !isBwrap();
        case OUTER_AND_INIT -> true;
      };
    }

    SandboxSpec.Builder spec() throws Exception {
      SandboxSpec.Builder spec =
          SandboxSpec.builder()
              .mounts(strategy.hasOwnView() ? user.programs() : user.programsInPlace());
      company.addTo(spec);
      return spec;
    }

    @Override
    public String toString() {
      return strategy.name() + " " + user + " " + company;
    }
  }

  static Stream<Kind> kinds() throws Exception {
    List<Kind> kinds = new ArrayList<>();
    for (IsolationStrategy strategy : Strategies.ALL) {
      for (User user : User.all().toList()) {
        for (Company company : Company.values()) {
          // Landlock makes no namespaces.
          if (strategy.hasOwnView() || company != Company.OUTER_AND_INIT) {
            kinds.add(new Kind(strategy, user, company));
          }
        }
      }
    }
    return kinds.stream();
  }

  private static Stream<Kind> kindsWithoutBwrap() throws Exception {
    return kinds().filter(kind -> !kind.isBwrap());
  }

  /** Those whose command cannot outlive the process that was started. */
  static Stream<Kind> kindsThatEndTogether() throws Exception {
    return kinds().filter(kind -> kind.company() == Company.OUTER_AND_INIT || kind.isInPlace());
  }

  @BeforeEach
  void letEveryoneIn() throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Start start(Kind kind, SandboxSpec spec, Handover handover) throws Exception {
    Assessment assessment = kind.strategy().assess(spec, kind.user().host());
    Required.that(assessment instanceof Assessment.Usable, kind + ": " + assessment);
    Path file = Files.createTempFile(directory, "launcher", "");
    Files.write(
        file,
        ProgramCompiler.compile(
                kind.strategy().plan(spec.with(handover), kind.user().host()),
                ProgramCompiler.Options.library(
                    Architecture.host(), handover, ProcessHandle.current().pid()))
            .bytes());
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    return Start.of(kind.user(), file, handover);
  }

  private Start start(Kind kind, Handover handover) throws Exception {
    return start(kind, kind.spec().build(), handover);
  }

  private static void checkFailure(LibraryLauncher launcher, int errno, int status, String text)
      throws Exception {
    Said said = launcher.said();
    Said.Failure failure = said.failed();
    assertEquals(errno, failure.errno(), said::toString);
    assertEquals(status, failure.status(), said::toString);
    assertTrue(failure.text().startsWith("cloister: "), said::toString);
    assertTrue(failure.text().contains(text), said::toString);
    assertEquals(new ExitStatus.Exited(status), launcher.end());
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void theReportEndsWhenTheCommandRuns(Kind kind) throws Exception {
    try (Pipe input = Pipe.open();
        LibraryLauncher launcher =
            start(kind, PLAIN).giving(0, input.readEnd()).in("", "/bin/sh", "-c", "read line")) {
      input.readEnd().close();
      assertEquals(new Said(List.of(LibraryLauncher.EXECUTING), Optional.empty()), launcher.said());
      assertTrue(launcher.runs());
      input.writeEnd().write("\n".getBytes(StandardCharsets.US_ASCII));
      assertEquals(new ExitStatus.Exited(0), launcher.end());
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void failuresAreReportedWithStepAndErrno(Kind kind) throws Exception {
    Path source = Files.createFile(directory.resolve("source"));
    Files.setPosixFilePermissions(source, PosixFilePermissions.fromString("rwxr-xr-x"));
    SandboxSpec spec =
        kind.spec()
            .mount(StrategyContract.bind(source, source.toString(), Access.READ_ONLY))
            .build();
    Start start = start(kind, spec, PLAIN);
    Files.delete(source);
    try (LibraryLauncher launcher = start.in("", "/bin/true")) {
      if (kind.isBwrap()) {
        // It has no channel. Who waits for it says that it failed.
        assertEquals(new Said(List.of(), Optional.empty()), launcher.said());
        Said.Failure failure = Said.parse(launcher.statusChannel()).failed();
        assertEquals(SETUP_FAILED, failure.status());
        assertTrue(failure.text().contains("could not set the sandbox up"), failure::toString);
        assertEquals(new ExitStatus.Exited(SETUP_FAILED), launcher.end());
        return;
      }
      Said said = launcher.said();
      Said.Failure failure = said.failed();
      assertEquals(Errno.ENOENT.number(), failure.errno(), said::toString);
      assertEquals(SETUP_FAILED, failure.status(), said::toString);
      assertTrue(
          failure
              .text()
              .startsWith(
                  "cloister: %s: step %d of ".formatted(kind.strategy().name(), failure.step())),
          said::toString);
      assertTrue(failure.text().contains(": ENOENT ("), said::toString);
      assertEquals(new ExitStatus.Exited(SETUP_FAILED), launcher.end());
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void commandsThatCannotBeExecutedAreReported(Kind kind) throws Exception {
    Start start = start(kind, PLAIN);
    try (LibraryLauncher launcher = start.in("", "/usr/none")) {
      checkFailure(launcher, Errno.ENOENT.number(), 127, "/usr/none: command not found");
    }
    try (LibraryLauncher launcher = start.in("", "no-such-tool")) {
      checkFailure(launcher, Errno.ENOENT.number(), 127, "no-such-tool: command not found in PATH");
    }
    try (LibraryLauncher launcher = start.in("", "/etc/passwd")) {
      checkFailure(launcher, Errno.EACCES.number(), 126, "/etc/passwd: cannot be executed");
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void theCommandStartsInItsDirectory(Kind kind) throws Exception {
    SandboxSpec spec = kind.spec().workingDirectory(OsString.of("/usr")).build();
    Start start = start(kind, spec, PLAIN);
    for (List<String> places :
        List.of(List.of("", "/usr"), List.of("/etc", "/etc"), List.of("bin", "/usr/bin"))) {
      try (LibraryLauncher launcher = start.in(places.getFirst(), "/bin/sh", "-c", "pwd -P")) {
        assertEquals(places.getLast() + "\n", launcher.output());
      }
    }
    try (LibraryLauncher launcher = start.in("/usr/none", "/bin/true")) {
      checkFailure(launcher, Errno.ENOENT.number(), SETUP_FAILED, "\nhint: ");
    }
    try (LibraryLauncher launcher = start.in("/etc/passwd", "/bin/true")) {
      checkFailure(launcher, Errno.ENOTDIR.number(), SETUP_FAILED, "\nhint: ");
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void theCommandHasWhatIsPassedAndNothingElse(Kind kind) throws Exception {
    Path three = Files.writeString(directory.resolve("three"), "3");
    Path nine = Files.writeString(directory.resolve("nine"), "9");
    Start start = start(kind, Handover.library(Set.of(3, 9)));
    try (Descriptor first = LibraryLauncher.open(three.toString());
        Descriptor second = LibraryLauncher.open(nine.toString());
        LibraryLauncher launcher =
            start
                .giving(3, first)
                .giving(9, second)
                .in("", "/bin/sh", "-c", "cat <&3 && cat <&9 && echo && ls /proc/self/fd")) {
      List<String> lines = launcher.output().lines().toList();
      assertEquals("39", lines.getFirst(), lines::toString);
      // ls(1) itself has the lowest that is free.
      assertEquals(
          Set.of("0", "1", "2", "3", "4", "9"), new TreeSet<>(lines.subList(1, lines.size())));
    }
  }

  /** What a command closes is closed, although others live on. */
  @ParameterizedTest
  @MethodSource("kinds")
  void nobodyElseKeepsWhatIsPassed(Kind kind) throws Exception {
    String script = "exec 3>&- 9>&-; read line";
    try (Pipe input = Pipe.open();
        Pipe passed = Pipe.open();
        LibraryLauncher launcher =
            start(kind, Handover.library(Set.of(3, 9)))
                .giving(0, input.readEnd())
                .giving(3, passed.writeEnd())
                .giving(9, passed.writeEnd())
                .in("", "/bin/sh", "-c", script)) {
      input.readEnd().close();
      passed.writeEnd().close();
      assertEquals(0, LibraryLauncher.readAll(passed.readEnd()).length);
      assertTrue(launcher.runs());
      input.writeEnd().close();
      launcher.end();
    }
  }

  /** bubblewrap's own process keeps the standard descriptors. */
  @ParameterizedTest
  @MethodSource("kindsWithoutBwrap")
  void nobodyElseKeepsStandardDescriptors(Kind kind) throws Exception {
    try (Pipe input = Pipe.open();
        LibraryLauncher launcher =
            start(kind, PLAIN)
                .giving(0, input.readEnd())
                .in("", "/bin/sh", "-c", "exec >&- 2>&-; read line")) {
      input.readEnd().close();
      assertEquals("", launcher.output());
      assertTrue(launcher.runs());
      input.writeEnd().close();
      launcher.end();
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void whoWaitsSaysHowTheCommandEnded(Kind kind) throws Exception {
    Start start = start(kind, PLAIN);
    try (LibraryLauncher launcher = start.in("", "/bin/sh", "-c", "exit 7")) {
      checkEnd(kind, launcher, 7 << 8);
      assertEquals(new ExitStatus.Exited(7), launcher.end());
    }
    int kill = (int) LinuxConstant.SIGKILL.value(Architecture.host());
    try (LibraryLauncher launcher = start.in("", "/bin/sh", "-c", "kill -KILL $$")) {
      checkEnd(kind, launcher, kill);
      assertEquals(
          kind.isInPlace() ? new ExitStatus.Killed(kill, false) : new ExitStatus.Exited(128 + kill),
          launcher.end());
    }
  }

  private static void checkEnd(Kind kind, LibraryLauncher launcher, int status) throws Exception {
    byte[] said = launcher.statusChannel();
    if (kind.hasWitness()) {
      assertEquals(Optional.of(status), Said.end(said));
    } else {
      assertEquals(0, said.length);
    }
  }

  private static String read(Pipe pipe) throws Exception {
    return new String(LibraryLauncher.readAll(pipe.readEnd()), StandardCharsets.UTF_8);
  }

  private static List<String> command(String directory, String script, String... arguments) {
    List<String> words =
        new ArrayList<>(List.of("cloister", directory, "/bin/sh", "-c", script, "sh"));
    words.addAll(List.of(arguments));
    return words;
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void aCommandThatComesLaterHasAllOfItsOwn(Kind kind) throws Exception {
    String script =
        "read line; echo $line; echo $#; echo \"$2\"; pwd -P; ls /proc/self/fd; /usr/bin/env;"
            + " echo wrong >&2; exit 5";
    try (Pipe input = Pipe.open();
        Pipe output = Pipe.open();
        Pipe error = Pipe.open();
        LibraryLauncher launcher = start(kind, Handover.PREWARMED).in("", "")) {
      launcher.awaitReady();
      assertTrue(launcher.runs());
      launcher.send(
          command("/usr", script, "", "two words"),
          List.of("PATH=/usr/bin:/bin", "A=1"),
          List.of(input.readEnd(), output.writeEnd(), error.writeEnd()));
      input.readEnd().close();
      output.writeEnd().close();
      error.writeEnd().close();
      input.writeEnd().write("text\n".getBytes(StandardCharsets.US_ASCII));
      assertEquals(new Said(List.of(LibraryLauncher.EXECUTING), Optional.empty()), launcher.said());
      List<String> lines = read(output).lines().toList();
      assertEquals(List.of("text", "2", "two words", "/usr"), lines.subList(0, 4));
      assertEquals(List.of("0", "1", "2", "3"), lines.subList(4, 8));
      // The shell adds the place where it is, and no other.
      assertEquals(
          Set.of("PATH=/usr/bin:/bin", "A=1", "PWD=/usr"),
          new TreeSet<>(lines.subList(8, lines.size())));
      assertEquals("wrong\n", read(error));
      checkEnd(kind, launcher, 5 << 8);
      assertEquals(new ExitStatus.Exited(5), launcher.end());
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void aCommandThatComesLaterMayBeLong(Kind kind) throws Exception {
    // MAX_ARG_STRLEN is 128 KiB, execve(2).
    String[] arguments = new String[11];
    for (int i = 0; i < arguments.length; i++) {
      arguments[i] = Integer.toString(i % 10).repeat(100_000);
    }
    try (Pipe output = Pipe.open();
        Descriptor nothing = LibraryLauncher.open("/dev/null");
        LibraryLauncher launcher = start(kind, Handover.PREWARMED).in("", "")) {
      launcher.awaitReady();
      launcher.send(
          command("", "echo $# ${#11}; case ${10} in *[!9]*) ;; *) echo nines;; esac", arguments),
          List.of(),
          List.of(nothing, output.writeEnd(), nothing));
      output.writeEnd().close();
      assertEquals("11 100000\nnines\n", read(output));
      assertEquals(new ExitStatus.Exited(0), launcher.end());
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void aCommandThatComesLaterMayBeMissing(Kind kind) throws Exception {
    try (Descriptor nothing = LibraryLauncher.open("/dev/null");
        LibraryLauncher launcher = start(kind, Handover.PREWARMED).in("", "")) {
      launcher.awaitReady();
      launcher.send(
          List.of("cloister", "", "/usr/none"), List.of(), List.of(nothing, nothing, nothing));
      checkFailure(launcher, Errno.ENOENT.number(), 127, "/usr/none: command not found");
    }
  }

  /** No execve(2) has seen it. */
  @ParameterizedTest
  @MethodSource("kinds")
  void aNameThatComesLaterMayBeLongerThanAnyCommands(Kind kind) throws Exception {
    String name = "x".repeat(400_000);
    try (Descriptor nothing = LibraryLauncher.open("/dev/null");
        LibraryLauncher launcher = start(kind, Handover.PREWARMED).in("", "")) {
      launcher.awaitReady();
      launcher.send(
          List.of("cloister", "", name),
          List.of("PATH=/" + name),
          List.of(nothing, nothing, nothing));
      checkFailure(launcher, Errno.ENOENT.number(), 127, "cloister: xxx");
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void endsWhenNobodyWantsItAnyMore(Kind kind) throws Exception {
    try (LibraryLauncher launcher = start(kind, Handover.PREWARMED).in("", "")) {
      launcher.awaitReady();
      assertTrue(launcher.runs());
      launcher.leave();
      assertEquals(new ExitStatus.Exited(SETUP_FAILED), launcher.end());
    }
  }

  @ParameterizedTest
  @MethodSource("kindsThatEndTogether")
  void nothingIsLeftOfOneThatIsKilled(Kind kind) throws Exception {
    try (LibraryLauncher launcher = start(kind, Handover.PREWARMED).in("", "")) {
      launcher.awaitReady();
      launcher.signal(LinuxConstant.SIGKILL);
      // Both end when the last process that holds them does.
      assertEquals(new Said(List.of(), Optional.empty()), launcher.said());
      assertFalse(Said.end(launcher.statusChannel()).isPresent());
    }
  }
}
