package dev.cloister.benchmarks;

import dev.cloister.ffm.Architecture;
import dev.cloister.host.Caller;
import dev.cloister.host.HostFiles;
import dev.cloister.host.HostFiles.SourceException;
import dev.cloister.host.HostReport;
import dev.cloister.launch.LauncherFile;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.machine.Reporting;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.Strategies;
import dev.cloister.strategy.PlanException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Launchers made without the command line: executables that set up a sandbox for their arguments.
 */
final class Plans {
  private Plans() {}

  static MountOperation bind(Path source, String destination, MountOperation.Access access)
      throws SourceException {
    return new MountOperation.Bind(
        HostFiles.inspect(OsString.of(source)), Destination.of(destination), access);
  }

  static SyscallProgram plan(String strategy, List<MountOperation> mounts)
      throws IOException, PlanException {
    HostReport host = HostReport.of(Caller.current(), "/usr/bin:/bin");
    SandboxSpec spec = SandboxSpec.builder().mounts(mounts).build();
    return Strategies.find(strategy).orElseThrow().plan(spec, host);
  }

  static Path write(Path file, SyscallProgram program) throws IOException {
    ProgramCompiler.Options options =
        ProgramCompiler.Options.plain(Architecture.host(), Reporting.TEXT, "benchmark");
    LauncherFile.write(file, ProgramCompiler.compile(program, options));
    return file;
  }
}
