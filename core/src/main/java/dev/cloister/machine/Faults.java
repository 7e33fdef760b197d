package dev.cloister.machine;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Calls of a launcher that go wrong on purpose, for tests: what is left behind, and what is said?
 * No option of a launcher leads here, and a program that is compiled without has no trace of it.
 *
 * <p>Compiling with an object of this class also lists the places where the launcher makes a call;
 * that list is the same whatever goes wrong.
 */
public final class Faults implements CallWriting {
  /** What a launcher that shall be killed from outside says on standard output before it waits. */
  public static final String PAUSED = "paused";

  private static final List<Register> OPERANDS =
      List.of(Register.A0, Register.A1, Register.A2, Register.A3, Register.A4, Register.A5);

  /** Enough to be killed in; should it not be, the test fails. */
  private static final long PAUSE_NANOS = 200_000_000;

  private final Map<Integer, Fault> faults = new HashMap<>();
  private final List<Site> sites = new ArrayList<>();

  /**
   * A place in the code where a system call is made.
   *
   * @param number the sites of a program, and of those embedded in it, are numbered from 0
   * @param step the step whose code this is; 0 before the first
   * @param instruction the call in the program; nothing for one that an instruction of another kind
   *     makes
   */
  public record Site(
      int number, int step, SystemCall call, Optional<Instruction.Call> instruction) {}

  /** What goes wrong at a site. */
  public sealed interface Fault {
    int site();

    /**
     * The call is not made and its result is this.
     *
     * @param once whether only the first time
     */
    record Failure(int site, Errno errno, boolean once) implements Fault {}

    /** The process kills itself before the call, as kill -9 would. */
    record Kill(int site) implements Fault {}

    /** The process says that it is here, waits for a while, and goes on. */
    record Pause(int site) implements Fault {}
  }

  private Faults() {}

  /** At most one at each site. */
  public static Faults of(Fault... faults) {
    Faults all = new Faults();
    for (Fault fault : faults) {
      all.faults.put(fault.site(), fault);
    }
    return all;
  }

  /** In the order in which they were written, which is not that in which the calls are made. */
  public List<Site> sites() {
    return List.copyOf(sites);
  }

  /** Writes a call with what goes wrong at it. */
  @Override
  public void write(Emitter emitter, SystemCall call, Optional<Instruction.Call> instruction) {
    Site site = new Site(sites.size(), emitter.step, call, instruction);
    sites.add(site);
    switch (faults.get(site.number())) {
      case null -> emitter.make(call);
      case Fault.Failure failure -> writeFailure(emitter, call, failure);
      case Fault.Kill _ -> writeKill(emitter);
      case Fault.Pause _ -> writePause(emitter, call);
    }
  }

  private static void writeFailure(Emitter emitter, SystemCall call, Fault.Failure failure) {
    Assembler asm = emitter.asm;
    Label real = new Label();
    Label done = new Label();
    if (failure.once()) {
      Label happened = emitter.data.zeroed(8);
      asm.address(Register.SCRATCH, happened);
      asm.load(Register.RESULT, Register.SCRATCH, 0, Width.DOUBLE);
      asm.branch(Condition.NOT_EQUAL, Register.RESULT, 0, real);
      asm.set(Register.RESULT, 1);
      asm.store(Register.SCRATCH, 0, Register.RESULT, Width.DOUBLE);
    }
    if (call == SystemCall.CLOSE && failure.errno() != Errno.EBADF) {
      // Whatever it says, the descriptor is closed (close(2)).
      emitter.make(call);
    }
    asm.set(Register.RESULT, -failure.errno().number());
    if (failure.once()) {
      asm.jump(done);
      asm.place(real);
      emitter.make(call);
      asm.place(done);
    }
  }

  private static void writeKill(Emitter emitter) {
    emitter.make(SystemCall.GETPID);
    emitter.asm.copy(Register.A0, Register.RESULT);
    emitter.set(Register.A1, LinuxConstant.SIGKILL);
    emitter.make(SystemCall.KILL);
    // Process 1 of a pid namespace ignores its own (pid_namespaces(7)), but not this.
    emitter.asm.trap();
  }

  private static void writePause(Emitter emitter, SystemCall call) {
    Assembler asm = emitter.asm;
    Label operands = emitter.data.zeroed(OPERANDS.size() * Long.BYTES);
    byte[] pause = new ByteBuilder().u64(0).u64(PAUSE_NANOS).toArray();
    asm.address(Register.SCRATCH, operands);
    for (int i = 0; i < OPERANDS.size(); i++) {
      asm.store(Register.SCRATCH, i * Long.BYTES, OPERANDS.get(i), Width.DOUBLE);
    }
    asm.set(Register.A0, 1);
    emitter.text(Register.A1, PAUSED);
    asm.set(Register.A2, PAUSED.length());
    emitter.make(SystemCall.WRITE);
    asm.set(Register.A0, 0);
    asm.set(Register.A1, 0);
    asm.address(Register.A2, emitter.data.constant(pause, 8));
    asm.set(Register.A3, 0);
    asm.set(Register.A4, 0);
    emitter.make(SystemCall.PPOLL);
    for (int i = 0; i < OPERANDS.size(); i++) {
      asm.address(Register.SCRATCH, operands);
      asm.load(OPERANDS.get(i), Register.SCRATCH, i * Long.BYTES, Width.DOUBLE);
    }
    emitter.make(call);
  }
}
