package dev.cloister.program;

import dev.cloister.spec.OsString;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Writes a program for a person: its calls, numbered as its error messages number them. */
public final class Listing {
  private final List<String> lines = new ArrayList<>();
  private final List<SyscallProgram> inner = new ArrayList<>();
  private int step;

  private Listing() {}

  /**
   * One line per call of the way of success, and headings where another process goes on.
   *
   * @param command how the command is called
   */
  public static List<String> of(SyscallProgram program, OsString command) {
    Listing listing = new Listing();
    listing.addAll(program.instructions(), command);
    for (SyscallProgram next : listing.inner) {
      listing.lines.add("in the sandbox (" + next.name() + "):");
      listing.step = 0;
      listing.addAll(next.instructions(), command);
    }
    return listing.lines;
  }

  private void addAll(List<Instruction> instructions, OsString command) {
    for (Instruction instruction : instructions) {
      add(instruction, command);
    }
  }

  private void add(Instruction instruction, OsString command) {
    switch (instruction) {
      case Instruction.Call call -> {
        addStep(CText.assignment(call));
        for (Operand operand : call.operands()) {
          if (operand instanceof Operand.Image(SyscallProgram image)) {
            inner.add(image);
          }
        }
      }
      case Instruction.ExecuteCommand execute ->
          addStep(
              "execve(%s, arguments, environment)%s"
                  .formatted(CText.quote(command), where(command, execute.searchPath())));
      case Instruction.ExecuteProgram execute -> {
        String arguments =
            execute.arguments().stream().map(CText::quote).collect(Collectors.joining(", "));
        addStep(
            "execve(%s, [%s, command...], environment)"
                .formatted(CText.quote(execute.path()), arguments));
      }
      case Instruction.Supervise supervise -> {
        lines.add("in a child, while this process waits and passes signals on:");
        addAll(supervise.child(), command);
      }
      case Instruction.EnterHome _,
          Instruction.FilterEnvironment _,
          Instruction.ProtectVariable _,
          Instruction.RestoreVariable _,
          Instruction.Exit _ -> {}
    }
  }

  private static String where(OsString command, Instruction.SearchPath path) {
    if (command.indexOf('/') >= 0) {
      return "";
    }
    return switch (path) {
      case CALLER -> "  # found through the caller's PATH";
      case COMMAND -> "  # found through the new PATH, inside";
    };
  }

  private void addStep(String text) {
    step++;
    lines.add("%4d  %s".formatted(step, text));
  }
}
