package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.GREATER_OR_EQUAL;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.V0;
import static dev.cloister.machine.Register.V1;
import static dev.cloister.machine.Register.V2;
import static dev.cloister.machine.Register.V3;

import dev.cloister.ffm.SystemCall;
import dev.cloister.spec.EnvironmentRules;
import dev.cloister.spec.OsString;

/** Makes a new environment vector on the stack, by rules that are known when this is compiled. */
final class EnvironmentFilter {
  /** Of limits.h: the longest name that getcwd(2) gives. */
  private static final int PATH_MAX = 4096;

  private static final OsString EQUALS = OsString.of("=");

  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final EnvironmentRules rules;

  EnvironmentFilter(Emitter emitter, Routines routines, EnvironmentRules rules) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.rules = rules;
  }

  void write() {
    if (rules.isTrivial()) {
      return;
    }
    reserveVector(rules.additions().size());
    copyVariables();
    for (OsString addition : rules.additions()) {
      asm.address(A0, emitter.data.text(addition));
      store(A0);
    }
    asm.set(A0, 0);
    store(A0);
  }

  /** Makes room for all old and new variables; V0 is the old vector, V1 the new one. */
  private void reserveVector(int additions) {
    Label count = new Label();
    emitter.loadVariable(V0, emitter.environment);
    asm.copy(A0, V0);
    asm.place(count);
    asm.load(A1, A0, 0, Width.DOUBLE);
    asm.add(A0, 8);
    asm.branch(NOT_EQUAL, A1, 0, count);
    asm.subtract(A0, V0);
    asm.add(A0, 8 * additions + 15);
    asm.and(A0, -16);
    asm.reserveStack(A0);
    asm.stackPointer(V1);
    emitter.storeVariable(emitter.environment, V1);
  }

  private void copyVariables() {
    Label loop = new Label();
    Label pass = new Label();
    Label end = new Label();
    asm.place(loop);
    asm.load(V2, V0, 0, Width.DOUBLE);
    asm.branch(EQUAL, V2, 0, end);
    asm.add(V0, 8);
    for (OsString name : rules.rules().keySet()) {
      asm.address(A0, emitter.data.text(name.concat(EQUALS)));
      asm.copy(A1, V2);
      asm.call(routines.skipPrefix);
      asm.branch(NOT_EQUAL, RESULT, 0, rules.passes(name) ? pass : loop);
    }
    if (!rules.inherit()) {
      asm.jump(loop);
    }
    asm.place(pass);
    store(V2);
    asm.jump(loop);
    asm.place(end);
  }

  private void store(Register variable) {
    asm.store(V1, 0, variable, Width.DOUBLE);
    asm.add(V1, 8);
  }

  /** Adds a variable with the working directory as its value; none of its name is there. */
  static void nameDirectory(Emitter emitter, Routines routines, OsString name) {
    new EnvironmentFilter(emitter, routines, EnvironmentRules.INHERIT).writeDirectory(name);
  }

  private void writeDirectory(OsString name) {
    Label known = new Label();
    Label variable = emitter.data.zeroed(name.length() + 1 + PATH_MAX);
    asm.address(V3, variable);
    asm.address(A0, emitter.data.text(name.concat(EQUALS)));
    asm.call(routines.appendText);
    asm.copy(A0, V3);
    asm.set(A1, PATH_MAX);
    emitter.systemCall(SystemCall.GETCWD);
    asm.branch(GREATER_OR_EQUAL, RESULT, 0, known);
    routines.appendPlain("/");
    asm.place(known);
    reserveVector(1);
    copyVariables();
    asm.address(A0, variable);
    store(A0);
    asm.set(A0, 0);
    store(A0);
  }

  /** Adds the first variable of this name once more at the end. */
  static void protect(Emitter emitter, Routines routines, String name) {
    new EnvironmentFilter(emitter, routines, EnvironmentRules.INHERIT).writeProtect(name);
  }

  private void writeProtect(String name) {
    Label loop = new Label();
    Label end = new Label();
    reserveVector(1);
    asm.set(V3, 0);
    asm.place(loop);
    asm.load(V2, V0, 0, Width.DOUBLE);
    asm.branch(EQUAL, V2, 0, end);
    asm.add(V0, 8);
    store(V2);
    asm.branch(NOT_EQUAL, V3, 0, loop);
    hasName(name);
    asm.branch(EQUAL, RESULT, 0, loop);
    asm.copy(V3, V2);
    asm.jump(loop);
    asm.place(end);
    // Either the variable and then the end, or the end twice.
    store(V3);
    asm.set(A0, 0);
    store(A0);
  }

  /** Removes the first variable of this name, in place. */
  static void restore(Emitter emitter, Routines routines, String name) {
    new EnvironmentFilter(emitter, routines, EnvironmentRules.INHERIT).writeRestore(name);
  }

  private void writeRestore(String name) {
    Label find = new Label();
    Label close = new Label();
    Label end = new Label();
    emitter.loadVariable(V0, emitter.environment);
    asm.place(find);
    asm.load(V2, V0, 0, Width.DOUBLE);
    asm.branch(EQUAL, V2, 0, end);
    asm.add(V0, 8);
    hasName(name);
    asm.branch(EQUAL, RESULT, 0, find);
    asm.place(close);
    asm.load(V2, V0, 0, Width.DOUBLE);
    asm.store(V0, -8, V2, Width.DOUBLE);
    asm.add(V0, 8);
    asm.branch(NOT_EQUAL, V2, 0, close);
    asm.place(end);
  }

  /** RESULT is not 0 if the variable V2 has this name. */
  private void hasName(String name) {
    asm.address(A0, emitter.data.text(OsString.of(name).concat(EQUALS)));
    asm.copy(A1, V2);
    asm.call(routines.skipPrefix);
  }
}
