package dev.cloister.sandbox;

import dev.cloister.program.Operand;
import dev.cloister.spec.OsString;
import java.lang.ProcessBuilder.Redirect;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One command, completely.
 *
 * @param directory where it starts; empty for the default place
 * @param environment as execve(2) takes it
 * @param descriptors which of this program's become which of the command's, by the latter
 */
record Request(
    List<OsString> command,
    OsString directory,
    List<OsString> environment,
    Redirect input,
    Redirect output,
    Redirect error,
    boolean errorToOutput,
    Map<Integer, Integer> descriptors) {
  /** How a launcher calls the directory, the second of its arguments. */
  static final String DIRECTORY = new Operand.Argument(1).text();

  private static final OsString LAUNCHER = OsString.of("cloister");

  Request {
    command = List.copyOf(command);
    environment = List.copyOf(environment);
    descriptors = Map.copyOf(descriptors);
  }

  /** The launcher's own arguments: its name, the directory, the command. The list is a new one. */
  List<OsString> arguments() {
    List<OsString> arguments = new ArrayList<>(command.size() + 2);
    arguments.add(LAUNCHER);
    arguments.add(directory);
    arguments.addAll(command);
    return arguments;
  }
}
