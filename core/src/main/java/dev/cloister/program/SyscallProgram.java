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

  /** The calls a successful run makes, in order; their index plus one is the step's number. */
  public List<Instruction.Call> steps() {
    return Instruction.mainCalls(instructions);
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
