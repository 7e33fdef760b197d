package dev.cloister.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.launch.PrivateDirectory;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.OsString;
import dev.cloister.strategy.Assessment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProgramRunnerTest {
  @TempDir Path temporary;

  private ProgramRunner runner() throws IOException {
    return new ProgramRunner(PrivateDirectory.in(temporary, Caller.current().uid()).orElseThrow());
  }

  private static Call chdir(String path) {
    return Call.of(SystemCall.CHDIR, Operand.of(path));
  }

  private static SyscallProgram program(Instruction... instructions) {
    return new SyscallProgram("test", List.of(instructions));
  }

  /** Ends by a signal. */
  private static SyscallProgram killed() {
    Slot pid = new Slot("pid");
    return program(
        Call.of(SystemCall.GETPID).into(pid),
        Call.of(SystemCall.KILL, Operand.of(pid), Operand.of(LinuxConstant.SIGKILL)));
  }

  @Test
  void tellsHowEachProgramEnded() throws Exception {
    List<Outcome> outcomes =
        runner()
            .runEach(
                List.of(
                    program(chdir("/")),
                    program(chdir("/"), chdir("/none"), chdir("/")),
                    program(),
                    killed(),
                    program(chdir("/dev/null")),
                    program(
                        chdir("/"),
                        new Instruction.ExecuteProgram(OsString.of("/none"), List.of())),
                    program(chdir("/"))));
    assertEquals(
        List.of(
            new Outcome.Success(),
            new Outcome.Failure(2, Errno.ENOENT.number()),
            new Outcome.Success(),
            new Outcome.Other(137, ""),
            new Outcome.Failure(1, Errno.ENOTDIR.number()),
            new Outcome.Failure(0, Errno.ENOENT.number()),
            new Outcome.Success()),
        outcomes);
  }

  /** What one does to itself, the next does not find. */
  @Test
  void runsEachInAProcessOfItsOwn() throws Exception {
    Path directory = Files.createDirectory(temporary.resolve("a"));
    List<Outcome> outcomes =
        runner()
            .runEach(
                List.of(
                    program(chdir(temporary.toString()), chdir("a")),
                    program(chdir(directory.getFileName().toString()))));
    assertEquals(
        List.of(new Outcome.Success(), new Outcome.Failure(1, Errno.ENOENT.number())), outcomes);
  }

  @Test
  void runsNothingWhereNothingIsAskedFor() throws Exception {
    assertEquals(List.of(), runner().runEach(List.of()));
  }

  /** Together they find out what each finds out alone. */
  @Test
  void allCapabilitiesAreAsEachIsAlone() throws Exception {
    Caller caller = Caller.current();
    HostReport host = HostReport.of(caller, "/usr/bin:/bin");
    Diagnosis diagnosis = new Diagnosis(caller, dev.cloister.host.Evidence::collect);
    CapabilityProbe probe = new CapabilityProbe(runner(), host, diagnosis);
    List<Assessment> alone = new ArrayList<>();
    for (Capability capability : Capability.values()) {
      alone.add(probe.of(capability));
    }
    assertEquals(alone, List.copyOf(probe.ofAll().values()));
  }

  /**
   * A fork of one thread holds the file that another is about to execute open for writing for a
   * moment.
   */
  @Test
  void manyThreadsCanRunPrograms() throws Exception {
    ProgramRunner runner = runner();
    List<Callable<Outcome>> calls = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      calls.add(() -> runner.run(program(chdir("/"), new Instruction.Exit()), List.of("test", "")));
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      for (Future<Outcome> outcome : threads.invokeAll(calls)) {
        assertInstanceOf(Outcome.Success.class, outcome.get());
      }
    }
    try (var files = Files.list(runner.directory().path())) {
      assertTrue(files.findAny().isEmpty());
    }
  }
}
