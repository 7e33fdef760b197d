package dev.cloister.probe;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.ExitStatus;
import dev.cloister.launch.PrivateDirectory;
import dev.cloister.machine.ElfImage;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.machine.Reporting;
import dev.cloister.program.Instruction;
import dev.cloister.program.SyscallProgram;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * Runs programs in a child process and says how they ended.
 *
 * <p>Through a file and ProcessBuilder, not a memory file and posix_spawn: the first native call of
 * a JVM costs ten times what the whole probe does, and the command line needs none otherwise.
 */
public final class ProgramRunner {
  /** Cloister's own status for a set-up that failed. */
  private static final int SETUP_FAILED = 125;

  private static final int RECORD_SIZE = 8;

  /** A second, for what takes a fraction of a millisecond. */
  private static final int MAX_RETRIES = 5000;

  private static final long PAUSE_NANOS = 200_000;

  private final PrivateDirectory directory;

  public ProgramRunner(PrivateDirectory directory) {
    this.directory = directory;
  }

  /** Where the executables lie while they run. */
  public PrivateDirectory directory() {
    return directory;
  }

  /** Runs a program that executes no command. */
  Outcome run(SyscallProgram program) {
    return execute(program).outcome();
  }

  private Ended execute(SyscallProgram program) {
    return execute(program, List.of("probe", ""));
  }

  /**
   * Runs {@code program} with these arguments, the command first.
   *
   * @throws UncheckedIOException if it cannot be started at all
   */
  public Outcome run(SyscallProgram program, List<String> arguments) {
    return execute(program, arguments).outcome();
  }

  /**
   * Runs programs one after the other, each in a child of one process: that costs each a fork, not
   * a start. None may write to standard output.
   *
   * @return how they ended; fewer than were given if that process itself failed
   * @throws UncheckedIOException if it cannot be started at all
   */
  public List<Outcome> runEach(List<SyscallProgram> programs) {
    List<Instruction> attempts = new ArrayList<>();
    List<Integer> firstSteps = new ArrayList<>();
    int steps = 0;
    for (SyscallProgram program : programs) {
      attempts.add(new Instruction.Attempt(program.instructions()));
      firstSteps.add(steps);
      steps += program.ownSteps();
    }
    ByteBuffer records = execute(new SyscallProgram("probes", attempts).ending()).records();
    List<Outcome> outcomes = new ArrayList<>();
    Optional<Outcome.Failure> reported = Optional.empty();
    while (records.remaining() >= RECORD_SIZE && outcomes.size() < programs.size()) {
      int step = records.getInt();
      int number = records.getInt();
      if (step == Instruction.Attempt.ENDED) {
        outcomes.add(ended(number, reported));
        reported = Optional.empty();
      } else {
        int first = firstSteps.get(outcomes.size());
        reported = Optional.of(new Outcome.Failure(step == 0 ? 0 : step - first, number));
      }
    }
    return outcomes;
  }

  private static Outcome ended(int waitStatus, Optional<Outcome.Failure> reported) {
    if (waitStatus == 0) {
      return new Outcome.Success();
    }
    int status = ExitStatus.decode(waitStatus).number();
    return reported.isPresent() && status == SETUP_FAILED
        ? reported.get()
        : new Outcome.Other(status, "");
  }

  /**
   * A process that has ended.
   *
   * @param records what it wrote to standard output
   * @param message what it wrote to standard error
   */
  private record Ended(int status, ByteBuffer records, String message) {
    Outcome outcome() {
      if (status == 0) {
        return new Outcome.Success();
      }
      if (status == SETUP_FAILED && records.remaining() == RECORD_SIZE) {
        return new Outcome.Failure(records.getInt(), records.getInt());
      }
      return new Outcome.Other(status, message);
    }
  }

  private Ended execute(SyscallProgram program, List<String> arguments) {
    try {
      Path file = directory.reserve();
      try {
        directory.write(file, compile(program));
        return execute(file, arguments);
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static ElfImage compile(SyscallProgram program) {
    return ProgramCompiler.compile(
        program, ProgramCompiler.Options.plain(Architecture.host(), Reporting.RECORD, "probe"));
  }

  private static Ended execute(Path file, List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(file.toString()));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().clear();
    Process process = start(builder);
    process.getOutputStream().close();
    try (InputStream output = process.getInputStream();
        InputStream error = process.getErrorStream()) {
      ByteBuffer records = ByteBuffer.wrap(output.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
      String message = new String(error.readAllBytes(), StandardCharsets.UTF_8).strip();
      return new Ended(await(process), records, message);
    }
  }

  /**
   * A process that another thread has just forked holds a copy of the descriptor that the file was
   * written through, until it executes something: no file that is open for writing is executed
   * (execve(2)).
   */
  private static Process start(ProcessBuilder builder) throws IOException {
    for (int i = 0; i < MAX_RETRIES; i++) {
      try {
        return builder.start();
      } catch (IOException e) {
        if (!String.valueOf(e.getMessage()).contains(Errno.ETXTBSY.text())) {
          throw e;
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
    return builder.start();
  }

  private static int await(Process process) throws IOException {
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while a probe ran", e);
    }
  }
}
