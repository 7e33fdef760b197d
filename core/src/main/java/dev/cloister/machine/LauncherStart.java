package dev.cloister.machine;

import static dev.cloister.machine.Condition.LESS;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.V0;
import static dev.cloister.machine.Register.V1;

import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.OsString;
import java.util.List;

/** What a launcher does first: it finds what it was started with, and keeps it. */
final class LauncherStart {
  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final ProgramCompiler.Options options;
  private final SyscallProgram program;

  LauncherStart(
      Emitter emitter, Routines routines, ProgramCompiler.Options options, SyscallProgram program) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.options = options;
    this.program = program;
  }

  /**
   * Finds arguments and environment where execve(2) puts them: on the stack, behind their count.
   */
  void write() {
    Label usage = new Label();
    asm.stackPointer(V0);
    asm.load(V1, V0, 0, Width.DOUBLE);
    asm.copy(A0, V0);
    asm.add(A0, 8);
    emitter.storeVariable(emitter.ownArguments, A0);
    int first = options.standalone().isPresent() ? 0 : options.commandIndex();
    asm.branch(LESS, V1, first + 1, usage);
    options.standalone().ifPresentOrElse(this::takeArguments, this::skipArguments);
    asm.shiftLeft(V1, 3);
    asm.add(V0, V1);
    asm.add(V0, 16);
    options.callerEnvironment().ifPresent(this::bakeEnvironment);
    emitter.storeVariable(emitter.environment, V0);
    emitter.storeVariable(emitter.callerEnvironment, V0);
    emitter.later(() -> dieWithoutCommand(usage));
    if (!options.reporting().isToLibrary()) {
      occupyStandardDescriptors();
    }
  }

  private void takeArguments(Standalone standalone) {
    new ArgumentVector(emitter, routines, standalone, program).write();
  }

  /** The command is the launcher's own argument of a number that is known. */
  private void skipArguments() {
    int first = options.commandIndex();
    asm.copy(A0, V1);
    asm.add(A0, -first);
    emitter.storeVariable(emitter.argumentCount, A0);
    asm.copy(A0, V0);
    asm.add(A0, 8 + 8 * first);
    emitter.storeVariable(emitter.arguments, A0);
  }

  /** A program that another is embedded in starts a third between the two. */
  private void occupyStandardDescriptors() {
    Label failed = new Label();
    new StandardDescriptors(emitter).occupy(!program.embedded().isEmpty(), failed);
    emitter.later(
        () -> {
          asm.place(failed);
          routines.describe(0, program.name() + ": signalfd4(-1, [], 8, 0): ");
          asm.jump(routines.fail);
        });
  }

  /** V0 = a vector of these, on the stack. */
  private void bakeEnvironment(List<OsString> variables) {
    asm.set(A0, 8L * variables.size() + 23 & -16);
    asm.reserveStack(A0);
    asm.stackPointer(V0);
    for (int i = 0; i < variables.size(); i++) {
      asm.address(A0, emitter.data.text(variables.get(i)));
      asm.store(V0, 8 * i, A0, Width.DOUBLE);
    }
    asm.set(A0, 0);
    asm.store(V0, 8 * variables.size(), A0, Width.DOUBLE);
  }

  private void dieWithoutCommand(Label usage) {
    asm.place(usage);
    routines.dieSaying("no command given");
  }
}
