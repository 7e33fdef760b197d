package dev.cloister.machine;

import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import java.util.Optional;

/** How system calls are written where it is not just with {@link Emitter#make}. */
interface CallWriting {
  /**
   * Writes a call whose operands are in the registers.
   *
   * @param instruction the call in the program; nothing for one that is part of another instruction
   */
  void write(Emitter emitter, SystemCall call, Optional<Instruction.Call> instruction);
}
