package dev.cloister.program;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.spec.OsString;
import java.util.ArrayList;
import java.util.List;

/**
 * What a launcher does, for any architecture: instructions as data.
 *
 * @param name who speaks in its messages, such as a strategy's name
 */
public record SyscallProgram(String name, List<Instruction> instructions) {
  public SyscallProgram {
    instructions = List.copyOf(instructions);
  }

  /**
   * The calls a successful run makes, in order, with those of embedded programs at the end; their
   * index plus one is the step's number.
   */
  public List<Instruction.Call> steps() {
    List<Instruction.Call> steps = new ArrayList<>(Instruction.mainCalls(instructions));
    for (SyscallProgram program : embedded()) {
      steps.addAll(program.steps());
    }
    return steps;
  }

  /** How many calls this program itself makes. */
  public int ownSteps() {
    return Instruction.mainCalls(instructions).size();
  }

  /** The programs that this one hands to another process. */
  public List<SyscallProgram> embedded() {
    List<SyscallProgram> programs = new ArrayList<>();
    for (Instruction.Call call : Instruction.mainCalls(instructions)) {
      for (Operand operand : call.operands()) {
        if (operand instanceof Operand.Image image) {
          programs.add(image.program());
        }
      }
    }
    return programs;
  }

  /** This program, made to end well where nothing failed. */
  public SyscallProgram ending() {
    List<Instruction> longer = new ArrayList<>(instructions);
    longer.add(new Instruction.Exit());
    return new SyscallProgram(name, longer);
  }

  /** This program, made to remove its own file first; a file that is gone already is no failure. */
  public SyscallProgram removing(OsString file) {
    List<Instruction> longer = new ArrayList<>();
    longer.add(
        Instruction.Call.of(
                SystemCall.UNLINKAT,
                Operand.of(LinuxConstant.AT_FDCWD),
                Operand.of(file),
                Operand.of(0))
            .tolerate(Errno.ENOENT));
    longer.addAll(instructions);
    return new SyscallProgram(name, longer);
  }
}
