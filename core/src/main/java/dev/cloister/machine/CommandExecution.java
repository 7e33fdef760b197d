package dev.cloister.machine;

import static dev.cloister.machine.Condition.ABOVE_OR_EQUAL;
import static dev.cloister.machine.Condition.BELOW;
import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.LESS;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.A3;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.SCRATCH;
import static dev.cloister.machine.Register.V0;
import static dev.cloister.machine.Register.V1;
import static dev.cloister.machine.Register.V2;
import static dev.cloister.machine.Register.V3;
import static dev.cloister.machine.Register.V4;
import static dev.cloister.machine.Register.V5;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import dev.cloister.program.Slot;
import dev.cloister.spec.OsString;
import java.util.List;
import java.util.Optional;

/**
 * Finds the command and becomes it, as execvp(3) does, but tells apart what that folds into one
 * errno: a command that does not exist (127), one whose interpreter does not exist (127, naming it)
 * and one that cannot be executed (126).
 *
 * <p>Throughout, V0 is the address of the command's argument vector, V1 its name, V2 where the
 * search is in PATH, V4 the errno of the first file that exists and cannot be executed, and V5 the
 * path being tried.
 */
final class CommandExecution {
  private static final String DEFAULT_PATH = "/usr/bin:/bin";

  /** PATH_MAX of limits.h; longer paths are ENAMETOOLONG anyway. */
  private static final int PATH_MAX = 4096;

  private static final List<Errno> NOT_HERE =
      List.of(
          Errno.ENOTDIR,
          Errno.ELOOP,
          Errno.ENAMETOOLONG,
          Errno.ESTALE,
          Errno.ENODEV,
          Errno.ETIMEDOUT);

  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final Instruction.SearchPath searchPath;
  private final Optional<Slot> executed;
  private final Optional<OsString> name;

  private final Label candidate;
  private final Label remembered;
  private final Label header;

  private final Label search = new Label();
  private final Label nextElement = new Label();
  private final Label runShell = new Label();
  private final Label notFound = new Label();
  private final Label cannotExecute = new Label();
  private final Label missingFile = new Label();

  CommandExecution(Emitter emitter, Routines routines, Instruction.ExecuteCommand execute) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.routines = routines;
    this.searchPath = execute.searchPath();
    this.executed = execute.executed();
    this.name = execute.name();
    // The element, a slash and the name, each at most PATH_MAX.
    this.candidate = emitter.data.zeroed(2 * PATH_MAX + 16);
    this.remembered = emitter.data.zeroed(2 * PATH_MAX + 16);
    this.header = emitter.data.zeroed(PATH_MAX + 16);
  }

  void write() {
    emitter.loadVariable(V0, emitter.arguments);
    asm.load(V1, V0, 0, Width.DOUBLE);
    note(1);
    name.ifPresent(this::rename);
    branchIfNoSlash(search);
    executeByPath();
    asm.place(search);
    searchInPath();
    writeRunShell();
    writeCannotExecute();
    writeMissingFile();
    writeNotFound();
  }

  /**
   * Notes whether the command is executed, for whoever waits. Only execve(2) leaves a 1 there, or
   * who kills this process between the two.
   */
  private void note(int value) {
    if (executed.isPresent()) {
      emitter.loadVariable(A0, emitter.slot(executed.get()));
      asm.set(A1, value);
      asm.store(A0, 0, A1, Width.WORD);
    }
  }

  private void rename(OsString other) {
    asm.address(A0, emitter.data.text(other));
    asm.store(V0, 0, A0, Width.DOUBLE);
  }

  private void branchIfNoSlash(Label noSlash) {
    Label loop = new Label();
    Label found = new Label();
    asm.copy(A0, V1);
    asm.place(loop);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, noSlash);
    asm.add(A0, 1);
    asm.branch(NOT_EQUAL, SCRATCH, '/', loop);
    asm.place(found);
  }

  private void executeByPath() {
    asm.copy(V5, V1);
    execute(V5);
    asm.branch(EQUAL, RESULT, -Errno.ENOEXEC.number(), runShell);
    asm.copy(V4, RESULT);
    asm.negate(V4);
    asm.branch(EQUAL, V4, Errno.ENOENT.number(), missingFile);
    asm.branch(EQUAL, V4, Errno.ENOTDIR.number(), missingFile);
    asm.jump(cannotExecute);
  }

  /** {@code execve(path, arguments, environment)}; comes back only if it fails. */
  private void execute(Register path) {
    asm.copy(A0, path);
    asm.copy(A1, V0);
    emitter.loadVariable(A2, emitter.environment);
    emitter.systemCall(SystemCall.EXECVE);
  }

  private void searchInPath() {
    Label end = new Label();
    asm.set(V4, 0);
    loadPath();
    asm.load(SCRATCH, V1, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, notFound);
    Label loop = new Label();
    asm.place(loop);
    makeCandidate(nextElement);
    execute(V5);
    judge();
    asm.place(nextElement);
    skipElement(loop, end);
    asm.place(end);
    asm.branch(EQUAL, V4, 0, notFound);
    asm.address(V5, remembered);
    asm.branch(EQUAL, V4, Errno.ENOENT.number(), missingFile);
    asm.jump(cannotExecute);
  }

  /** V2 = the PATH to search. */
  private void loadPath() {
    Label found = new Label();
    emitter.text(A0, "PATH=");
    emitter.loadVariable(
        A1,
        switch (searchPath) {
          case CALLER -> emitter.callerEnvironment;
          case COMMAND -> emitter.environment;
        });
    asm.call(routines.findVariable);
    asm.copy(V2, RESULT);
    asm.branch(NOT_EQUAL, V2, 0, found);
    emitter.text(V2, DEFAULT_PATH);
    asm.place(found);
  }

  /** Writes the element at V2, a slash and the command's name to where V5 points. */
  private void makeCandidate(Label tooLong) {
    Label copyElement = new Label();
    Label slash = new Label();
    Label copyName = new Label();
    Label full = new Label();
    asm.address(V5, candidate);
    asm.copy(V3, V5);
    asm.copy(A0, V2);
    asm.copy(A2, V5);
    asm.add(A2, PATH_MAX);
    asm.place(copyElement);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, slash);
    asm.branch(EQUAL, SCRATCH, ':', slash);
    asm.branch(ABOVE_OR_EQUAL, V3, A2, tooLong);
    asm.store(V3, 0, SCRATCH, Width.BYTE);
    asm.add(A0, 1);
    asm.add(V3, 1);
    asm.jump(copyElement);
    asm.place(slash);
    asm.copy(A0, V1);
    asm.copy(A2, V3);
    asm.add(A2, PATH_MAX);
    // An empty element is the working directory: the name alone, as POSIX has it.
    asm.branch(EQUAL, V3, V5, copyName);
    asm.set(SCRATCH, '/');
    asm.store(V3, 0, SCRATCH, Width.BYTE);
    asm.add(V3, 1);
    asm.place(copyName);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.store(V3, 0, SCRATCH, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, full);
    asm.branch(ABOVE_OR_EQUAL, V3, A2, tooLong);
    asm.add(A0, 1);
    asm.add(V3, 1);
    asm.jump(copyName);
    asm.place(full);
  }

  /** Decides whether a failed candidate ends the search, is remembered, or does not count. */
  private void judge() {
    Label exists = new Label();
    asm.branch(EQUAL, RESULT, -Errno.ENOEXEC.number(), runShell);
    for (Errno errno : NOT_HERE) {
      asm.branch(EQUAL, RESULT, -errno.number(), nextElement);
    }
    asm.copy(V3, RESULT);
    asm.negate(V3);
    asm.branch(EQUAL, V3, Errno.EACCES.number(), exists);
    asm.branch(EQUAL, V3, Errno.ENOENT.number(), exists);
    asm.copy(V4, V3);
    asm.jump(cannotExecute);
    asm.place(exists);
    asm.branch(NOT_EQUAL, V4, 0, nextElement);
    // EACCES may mean the directory, ENOENT the interpreter: only the file itself tells.
    checkExists(V5);
    asm.branch(NOT_EQUAL, RESULT, 0, nextElement);
    asm.copy(V4, V3);
    asm.address(V3, remembered);
    asm.copy(A0, V5);
    asm.call(routines.appendText);
    asm.set(SCRATCH, 0);
    asm.store(V3, 0, SCRATCH, Width.BYTE);
  }

  private void checkExists(Register path) {
    emitter.set(A0, LinuxConstant.AT_FDCWD);
    asm.copy(A1, path);
    emitter.set(A2, LinuxConstant.F_OK);
    emitter.systemCall(SystemCall.FACCESSAT);
  }

  /**
   * Moves V2 behind the next colon and goes to {@code more}, or to {@code end} if there is none.
   */
  private void skipElement(Label more, Label end) {
    Label loop = new Label();
    asm.place(loop);
    asm.load(SCRATCH, V2, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, end);
    asm.add(V2, 1);
    asm.branch(NOT_EQUAL, SCRATCH, ':', loop);
    asm.jump(more);
  }

  /**
   * A file that is neither ELF nor #! is a shell script, as for execvp(3). There is always an
   * argument before the command's, the launcher's own name, whose place can be used.
   */
  private void writeRunShell() {
    asm.place(runShell);
    emitter.text(A0, "/bin/sh");
    asm.store(V0, -8, A0, Width.DOUBLE);
    asm.store(V0, 0, V5, Width.DOUBLE);
    asm.copy(A1, V0);
    asm.add(A1, -8);
    emitter.loadVariable(A2, emitter.environment);
    emitter.systemCall(SystemCall.EXECVE);
    asm.set(V4, Errno.ENOEXEC.number());
  }

  /** Follows {@link #writeRunShell}, whose failure means this. */
  private void writeCannotExecute() {
    asm.place(cannotExecute);
    startMessage(V5);
    appendReason(": cannot be executed: ");
    routines.append("\n");
    end(routines.speaker().cannotExecute());
  }

  /** ENOENT of execve(2): the file, its interpreter, or its loader. */
  private void writeMissingFile() {
    Label found = new Label();
    asm.place(missingFile);
    checkExists(V5);
    asm.branch(EQUAL, RESULT, 0, found);
    startMessage(V5);
    appendReason(": command not found: ");
    routines.append("\n");
    end(routines.speaker().notFound());
    asm.place(found);
    startMessage(V5);
    appendExplanation(": cannot start, because its interpreter does not exist here: ");
    appendInterpreter();
    routines.append(
        "\nhint: make the interpreter visible in the sandbox, for example with --ro-bind\n");
    end(routines.speaker().notFound());
  }

  private void writeNotFound() {
    asm.place(notFound);
    startMessage(V1);
    asm.set(V4, Errno.ENOENT.number());
    appendExplanation(": command not found in PATH=");
    loadPath();
    asm.copy(A0, V2);
    asm.call(routines.appendName);
    routines.append("\n");
    routines.note(Errno.ENOENT);
    note(0);
    asm.set(V4, routines.speaker().notFound());
    asm.jump(routines.die);
  }

  /** As bubblewrap's, it is about what the caller said, and not about which file that is. */
  private void startMessage(Register subject) {
    boolean likeBubblewrap = routines.speaker().isBubblewrap();
    routines.startMessage();
    routines.append(routines.speaker().prefix() + (likeBubblewrap ? "execvp " : ""));
    asm.copy(A0, likeBubblewrap ? V1 : subject);
    if (!likeBubblewrap) {
      quoteIfEmpty();
    }
    asm.call(routines.appendName);
  }

  /** An empty name must be seen, too. */
  private void quoteIfEmpty() {
    Label named = new Label();
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.branch(NOT_EQUAL, SCRATCH, 0, named);
    emitter.text(A0, "''");
    asm.place(named);
  }

  /** What errno V4 means here. */
  private void appendReason(String meaning) {
    routines.append(routines.speaker().isBubblewrap() ? ": " : meaning);
    asm.copy(V2, V4);
    asm.call(routines.appendErrno);
  }

  /** What is to be said in place of errno V4; as bubblewrap, that comes first, all the same. */
  private void appendExplanation(String meaning) {
    if (routines.speaker().isBubblewrap()) {
      appendReason("");
      routines.append("\nhint" + meaning);
    } else {
      routines.append(meaning);
    }
  }

  private void end(int status) {
    routines.note(V4);
    note(0);
    asm.set(V4, status);
    asm.jump(routines.die);
  }

  /** Adds the name after {@code #!}, or PT_INTERP, of the file at V5 to the message. */
  private void appendInterpreter() {
    Label script = new Label();
    Label elf = new Label();
    Label end = new Label();
    emitter.set(A0, LinuxConstant.AT_FDCWD);
    asm.copy(A1, V5);
    emitter.set(A2, LinuxConstant.O_CLOEXEC);
    asm.set(A3, 0);
    emitter.systemCall(SystemCall.OPENAT);
    asm.branch(LESS, RESULT, 0, end);
    asm.copy(A0, RESULT);
    asm.address(A1, header);
    asm.set(A2, PATH_MAX);
    emitter.systemCall(SystemCall.READ);
    asm.branch(LESS, RESULT, 0, end);
    asm.address(V0, header);
    asm.load(A0, V0, 0, Width.HALF);
    asm.branch(EQUAL, A0, '#' | '!' << 8, script);
    asm.load(A0, V0, 0, Width.WORD);
    asm.branch(EQUAL, A0, 0x464c457f, elf);
    asm.jump(end);
    asm.place(script);
    appendScriptInterpreter(end);
    asm.place(elf);
    appendElfInterpreter(end);
    asm.place(end);
  }

  private void appendScriptInterpreter(Label end) {
    Label blanks = new Label();
    Label name = new Label();
    Label stop = new Label();
    asm.copy(A0, V0);
    asm.add(A0, 2);
    asm.place(blanks);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.add(A0, 1);
    asm.branch(EQUAL, SCRATCH, ' ', blanks);
    asm.branch(EQUAL, SCRATCH, '\t', blanks);
    asm.add(A0, -1);
    asm.copy(A1, A0);
    asm.place(name);
    asm.load(SCRATCH, A1, 0, Width.BYTE);
    // NUL, newline, tab and blank all end it.
    asm.branch(BELOW, SCRATCH, ' ' + 1, stop);
    asm.add(A1, 1);
    asm.jump(name);
    asm.place(stop);
    asm.set(SCRATCH, 0);
    asm.store(A1, 0, SCRATCH, Width.BYTE);
    asm.call(routines.appendName);
    asm.jump(end);
  }

  /** Looks for PT_INTERP (3) in a 64-bit header, as far as it lies in what was read; elf(5). */
  private void appendElfInterpreter(Label end) {
    Label loop = new Label();
    Label found = new Label();
    int sizeOfHeader = 56;
    asm.load(A1, V0, 32, Width.DOUBLE);
    asm.load(A2, V0, 56, Width.HALF);
    asm.place(loop);
    asm.branch(EQUAL, A2, 0, end);
    asm.branch(ABOVE_OR_EQUAL, A1, PATH_MAX - sizeOfHeader, end);
    asm.copy(A3, V0);
    asm.add(A3, A1);
    asm.load(SCRATCH, A3, 0, Width.WORD);
    asm.branch(EQUAL, SCRATCH, 3, found);
    asm.add(A1, sizeOfHeader);
    asm.add(A2, -1);
    asm.jump(loop);
    asm.place(found);
    asm.load(A0, A3, 8, Width.DOUBLE);
    asm.branch(ABOVE_OR_EQUAL, A0, PATH_MAX, end);
    asm.add(A0, V0);
    asm.call(routines.appendName);
    asm.jump(end);
  }
}
