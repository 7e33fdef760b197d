package dev.cloister.probe;

import dev.cloister.ffm.Architecture;
import dev.cloister.launch.PrivateDirectory;
import dev.cloister.machine.ElfImage;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.machine.Reporting;
import dev.cloister.program.SyscallProgram;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

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

  private final PrivateDirectory directory;

  public ProgramRunner(PrivateDirectory directory) {
    this.directory = directory;
  }

  /** Where the executables lie while they run. */
  public PrivateDirectory directory() {
    return directory;
  }

  /**
   * Runs {@code program} with these arguments, the command first.
   *
   * @throws UncheckedIOException if it cannot be started at all
   */
  public Outcome run(SyscallProgram program, List<String> arguments) {
    try {
      Path file = directory.reserve();
      try {
        directory.write(file, compile(program));
        return run(file, arguments);
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

  private static Outcome run(Path file, List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(file.toString()));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().clear();
    Process process = builder.start();
    process.getOutputStream().close();
    byte[] record = process.getInputStream().readAllBytes();
    String message =
        new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    int status = await(process);
    if (status == 0) {
      return new Outcome.Success();
    }
    if (status == SETUP_FAILED && record.length == RECORD_SIZE) {
      ByteBuffer numbers = ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN);
      return new Outcome.Failure(numbers.getInt(), numbers.getInt());
    }
    return new Outcome.Other(status, message);
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
