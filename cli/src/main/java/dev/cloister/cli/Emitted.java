package dev.cloister.cli;

import dev.cloister.machine.ElfImage;
import dev.cloister.machine.LauncherNote;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.machine.Standalone;
import dev.cloister.program.Listing;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.OsString;
import dev.cloister.strategy.Guarantee;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A launcher that stands alone.
 *
 * @param report what it does, as lines for a person
 */
record Emitted(ElfImage image, List<String> report) {
  Emitted {
    report = List.copyOf(report);
  }

  static Emitted compile(
      EmitRequest request, RunRequest.Late late, SyscallProgram program, Set<Guarantee> given) {
    byte[] options = pack(request.arguments());
    Optional<List<OsString>> command =
        request.command().isEmpty() ? Optional.empty() : Optional.of(request.command());
    String help = LauncherHelp.of(request, late, program.name(), options);
    ElfImage image =
        ProgramCompiler.compile(
            program,
            ProgramCompiler.Options.standalone(
                request.architecture(),
                LauncherNote.of(Version.current(), options),
                new Standalone(help, command)));
    return new Emitted(image, report(request, program, given));
  }

  private static List<String> report(
      EmitRequest request, SyscallProgram program, Set<Guarantee> given) {
    List<String> lines = new ArrayList<>();
    lines.add("options: " + LauncherHelp.words(request.arguments()));
    lines.add("strategy " + program.name() + ", decided when it runs");
    lines.add("guaranteed: " + Guarantee.words(given));
    lines.add("not guaranteed: " + Guarantee.words(Guarantee.allBut(given)));
    OsString command =
        request.command().isEmpty() ? OsString.of("COMMAND") : request.command().getFirst();
    lines.addAll(Listing.ofLauncher(program, command));
    return lines;
  }

  /** Words that each end with NUL, as {@link Invocation#strings} reads them. */
  private static byte[] pack(List<OsString> words) {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    for (OsString word : words) {
      packed.writeBytes(word.bytes());
      packed.write(0);
    }
    return packed.toByteArray();
  }
}
