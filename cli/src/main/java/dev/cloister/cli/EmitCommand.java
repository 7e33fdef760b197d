package dev.cloister.cli;

import dev.cloister.launch.LauncherFile;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** {@code cloister emit}. */
final class EmitCommand implements Subcommand {
  @Override
  public String name() {
    return "emit";
  }

  @Override
  public String summary() {
    return "write an executable that starts a sandbox by itself";
  }

  @Override
  public String help() {
    return """
        usage: cloister emit -o FILE [OPTION...] [-- COMMAND [ARG...]]

        Writes a static executable that needs no Java, shell or library to start a sandbox. With a
        COMMAND, FILE runs that and appends its own arguments; without, its arguments are the command,
        or --help or --explain. It serves whoever runs it on any ordinary host: ids, environment,
        sources and PATH are looked at then. The same options make the same bytes.

        """
        + CliOption.helpText(List.of(EmitOption.values()))
        + """

        Options of the sandbox, as for run:
        """
        + RunOption.helpText();
  }

  @Override
  public int run(Invocation invocation) throws CliException {
    ParsedOptions<CliOption> parsed =
        ParsedOptions.parse(invocation.arguments(), 1, EmitOption::find);
    if (parsed.help()) {
      Output.print(help());
      return 0;
    }
    parsed =
        new OptionFiles<>(invocation, Dialect.CLOISTER, EmitOption::find, Optional.empty())
            .expand(parsed);
    EmitRequest request = EmitRequest.of(invocation.arguments(), parsed);
    OsString output =
        request
            .output()
            .orElseThrow(() -> new CliException("-o FILE says where to write: it is missing"));
    Path file = HostFile.path("-o", output);
    try {
      LauncherFile.write(file, request.emit(invocation).image());
    } catch (IOException e) {
      throw new CliException("-o %s: %s".formatted(Messages.value(output), reason(e)));
    }
    return 0;
  }

  /** Java's exceptions often say no more than the path. */
  private static String reason(IOException e) {
    return switch (e) {
      case NotDirectoryException _ -> "its directory does not exist";
      case NoSuchFileException _ -> "no file can be made in its directory";
      case AccessDeniedException _ -> "permission denied";
      case FileSystemException file when file.getReason() != null -> file.getReason();
      default -> String.valueOf(e.getMessage());
    };
  }
}
