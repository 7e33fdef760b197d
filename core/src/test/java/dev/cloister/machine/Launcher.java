package dev.cloister.machine;

import dev.cloister.ffm.Architecture;
import dev.cloister.program.Instruction;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Compiles programs to files that anyone may execute. */
final class Launcher {
  static final String VERSION = "0.0-test";

  private Launcher() {}

  static ProgramCompiler.Options options() {
    return ProgramCompiler.Options.plain(Architecture.host(), Reporting.TEXT, VERSION);
  }

  static ProgramCompiler.Options recording() {
    return ProgramCompiler.Options.plain(Architecture.host(), Reporting.RECORD, VERSION);
  }

  static ProgramCompiler.Options withEnvironment(List<OsString> variables) {
    return new ProgramCompiler.Options(
        Architecture.host(),
        1,
        Reporting.TEXT,
        Optional.of(variables),
        OptionalLong.empty(),
        List.of(),
        VERSION);
  }

  static Path of(Path directory, Instruction... instructions) throws IOException {
    return of(directory, options(), instructions);
  }

  static Path of(Path directory, ProgramCompiler.Options options, Instruction... instructions)
      throws IOException {
    SyscallProgram program = new SyscallProgram("test", List.of(instructions));
    return write(directory, ProgramCompiler.compile(program, options));
  }

  static Path write(Path directory, ElfImage image) throws IOException {
    letEveryoneIn(directory);
    Path file = Files.createTempFile(directory, "launcher", "");
    Files.write(file, image.bytes());
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    return file;
  }

  /** JUnit's directories are their owner's only. */
  static void letEveryoneIn(Path directory) throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
