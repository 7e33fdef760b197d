package dev.cloister.cli;

import dev.cloister.ffm.Architecture;
import dev.cloister.launch.InPlace;
import dev.cloister.launch.PrivateDirectory;
import dev.cloister.machine.ElfImage;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.machine.Reporting;
import dev.cloister.machine.Speaker;
import dev.cloister.probe.VerdictStore;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Compiles a program and hands the process over to it. */
final class LauncherStart {
  /** The script executes what follows this in its place. */
  private static final String EXECUTE = "exec:";

  private LauncherStart() {}

  /**
   * Through the script: says which file to execute. Otherwise replaces this JVM.
   *
   * @param command index of the command among the arguments
   * @param speaker in whose name the launcher speaks
   * @param caching how the launcher is kept, if it is
   */
  static int start(
      SyscallProgram program,
      int command,
      Speaker speaker,
      Invocation invocation,
      PrivateDirectory directory,
      Optional<Caching> caching)
      throws CliException {
    try {
      Path file = caching.isPresent() ? caching.get().cache().reserve() : directory.reserve();
      try {
        return start(
            file,
            program,
            options(command, speaker, invocation, directory, caching),
            invocation,
            directory,
            caching);
      } catch (CliException | IOException e) {
        Files.deleteIfExists(file);
        throw e;
      }
    } catch (IOException e) {
      throw new CliException("cannot write a launcher in " + directory.path() + ": " + e);
    }
  }

  private static int start(
      Path file,
      SyscallProgram program,
      ProgramCompiler.Options options,
      Invocation invocation,
      PrivateDirectory directory,
      Optional<Caching> caching)
      throws CliException, IOException {
    ElfImage image = ProgramCompiler.compile(program.removing(OsString.of(file)), options);
    if (!invocation.throughScript()) {
      return executeInPlace(image, invocation, directory, file);
    }
    directory.write(file, image);
    if (caching.isPresent()) {
      caching.get().store(image, file);
    }
    Output.print(EXECUTE + file + "\n");
    return 0;
  }

  private static ProgramCompiler.Options options(
      int command,
      Speaker speaker,
      Invocation invocation,
      PrivateDirectory directory,
      Optional<Caching> caching) {
    List<OsString> forgotten = new ArrayList<>();
    forgotten.add(OsString.of(VerdictStore.file(directory)));
    if (caching.isPresent()) {
      forgotten.add(caching.get().file());
    }
    return new ProgramCompiler.Options(
        Architecture.host(),
        // The launcher's own name comes first.
        command + 1,
        Reporting.text(speaker),
        invocation.environmentIntact() ? Optional.empty() : Optional.of(invocation.environment()),
        invocation.caller(),
        forgotten,
        Version.current());
  }

  private static int executeInPlace(
      ElfImage image, Invocation invocation, PrivateDirectory directory, Path file)
      throws CliException, IOException {
    List<OsString> arguments = new ArrayList<>(List.of(OsString.of("cloister")));
    arguments.addAll(invocation.arguments());
    throw new CliException(
        "cannot execute the launcher: "
            + InPlace.execute(image, arguments, invocation.environment(), directory, file)
                .getMessage());
  }
}
