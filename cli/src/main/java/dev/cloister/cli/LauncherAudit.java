package dev.cloister.cli;

import dev.cloister.machine.LauncherNote;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Says what a launcher does without trusting who made it: its note names the options, of which this
 * Cloister makes a launcher again, and only if the two are the same, byte by byte, is what this one
 * does what the file does (docs/adr/0017-emit.md).
 */
final class LauncherAudit {
  /** Far more than any launcher has. */
  private static final int MAX_SIZE = 4 << 20;

  private LauncherAudit() {}

  /** What it does, as lines. */
  static List<String> of(OsString file, Invocation invocation) throws CliException {
    byte[] bytes = read(file);
    LauncherNote note = note(file, bytes);
    List<OsString> arguments = Invocation.strings(note.options());
    if (arguments.isEmpty()) {
      throw refused(file, "was not made by `cloister emit`");
    }
    if (!note.version().equals(Version.current())) {
      throw refused(
          file,
          "was emitted by Cloister %s, which alone can tell whether it is genuine; this is %s"
              .formatted(Messages.value(OsString.of(note.version())), Version.current()));
    }
    Emitted again = emit(file, arguments, invocation);
    int different = Arrays.mismatch(bytes, again.image().bytes());
    if (different >= 0) {
      throw refused(
          file,
          "is not what this Cloister emits for the options in it: byte %d is another, so what it"
                  .formatted(different)
              + " does is not known");
    }
    return again.report();
  }

  private static Emitted emit(OsString file, List<OsString> arguments, Invocation invocation)
      throws CliException {
    try {
      return EmitRequest.of(arguments, ParsedOptions.parse(arguments, 0, EmitOption::find))
          .emit(invocation);
    } catch (CliException e) {
      throw refused(file, "has options in it that cannot be emitted: " + e.getMessage());
    }
  }

  private static LauncherNote note(OsString file, byte[] bytes) throws CliException {
    try {
      return LauncherNote.parse(bytes);
    } catch (IllegalArgumentException e) {
      throw refused(file, String.valueOf(e.getMessage()));
    }
  }

  private static byte[] read(OsString file) throws CliException {
    Path path = HostFile.path("--elf", file);
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw refused(file, "not a regular file");
    }
    try (InputStream stream = Files.newInputStream(path)) {
      byte[] bytes = stream.readNBytes(MAX_SIZE + 1);
      if (bytes.length > MAX_SIZE) {
        throw refused(file, "larger than any launcher");
      }
      return bytes;
    } catch (NoSuchFileException e) {
      throw refused(file, "no such file");
    } catch (AccessDeniedException e) {
      throw refused(file, "permission denied");
    } catch (IOException e) {
      throw refused(file, String.valueOf(e.getMessage()));
    }
  }

  private static CliException refused(OsString file, String why) {
    return new CliException("--elf %s: %s".formatted(Messages.value(file), why));
  }
}
