package dev.cloister.machine;

import dev.cloister.spec.OsString;
import java.util.List;
import java.util.Optional;

/**
 * A launcher that people start themselves, by its own name.
 *
 * <p>With a command, all arguments are the command's, behind those that are given here. Without
 * one, the first argument that is no option is the command; {@code --help} and {@code --explain}
 * print what they say and start nothing, and {@code --} ends the options. Status 125 is that of an
 * unknown option, of no command, and of an output that cannot be written.
 *
 * @param help what {@code --help} prints, with its last newline
 * @param command the command and its first arguments, at least its name
 */
public record Standalone(String help, Optional<List<OsString>> command) {
  public Standalone {
    command = command.map(List::copyOf);
    if (command.isPresent() && command.get().isEmpty()) {
      throw new IllegalArgumentException("a command has a name");
    }
  }
}
