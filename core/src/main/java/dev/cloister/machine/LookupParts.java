package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.LESS;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.A3;
import static dev.cloister.machine.Register.A4;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.SCRATCH;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;

/** What the parts of {@link LookupProgram} share: where they fail to, and small steps. */
final class LookupParts {
  /** Holds what is read of a file, or where a link leads. */
  static final int TEXT_SIZE = 64 * 1024;

  final Emitter emitter;
  final Assembler asm;
  final Routines routines;

  /** Ends the program: there is no launcher that can be used, or none that is known. */
  final Label miss = new Label();

  /** Whether this build is known to be up to date, as 0 or 1. */
  final Label current;

  /**
   * RESULT = 0 if the A2 bytes at A0 and at A1 are the same. Changes A0 to A3, SCRATCH; goes no
   * further than the first that differs, so a text that ends with NUL may be shorter than A2.
   */
  final Label compare = new Label();

  /** What statx(2) said last. */
  final Label status;

  final Label text;

  /** The effective user id. */
  final Label user;

  /** A descriptor of Cloister's own directory. */
  final Label home;

  LookupParts(Architecture architecture, String version) {
    emitter =
        new Emitter(
            architecture,
            /* isFar= */ false,
            program -> {
              throw new IllegalStateException("starts no " + program.name());
            },
            null);
    asm = emitter.asm;
    routines =
        new Routines(
            emitter,
            ProgramCompiler.Options.plain(architecture, Reporting.TEXT, version),
            /* packed= */ false,
            "lookup",
            /* steps= */ 0);
    status = emitter.data.zeroed(256);
    text = emitter.data.zeroed(TEXT_SIZE + 16);
    user = emitter.data.zeroed(8);
    home = emitter.data.zeroed(8);
    current = emitter.data.zeroed(8);
  }

  /** RESULT = a descriptor for the path in A1, relative to that in A0, or a negative errno. */
  void open(LinuxConstant... flags) {
    asm.set(A2, flags(flags));
    asm.set(A3, 0);
    emitter.systemCall(SystemCall.OPENAT);
  }

  long flags(LinuxConstant... flags) {
    long bits = 0;
    for (LinuxConstant flag : flags) {
      bits |= flag.value(emitter.architecture);
    }
    return bits;
  }

  /** Closes RESULT. Changes A0, SCRATCH. */
  void close() {
    asm.copy(A0, RESULT);
    emitter.systemCall(SystemCall.CLOSE);
  }

  /** RESULT = what statx(2) says of the path in A1, relative to A0; see {@link #status}. */
  void stat(LinuxConstant... flags) {
    asm.set(A2, flags(flags));
    emitter.set(A3, LinuxConstant.STATX_BASIC_STATS);
    asm.address(A4, status);
    emitter.systemCall(SystemCall.STATX);
  }

  /**
   * Goes to {@code otherwise} unless descriptor RESULT is the user's own and has this type and
   * these permissions, and no others.
   */
  void requirePrivate(int mode, Label otherwise) {
    asm.copy(A0, RESULT);
    emitter.text(A1, "");
    stat(LinuxConstant.AT_EMPTY_PATH);
    asm.branch(NOT_EQUAL, RESULT, 0, otherwise);
    asm.address(A0, status);
    asm.load(A1, A0, StructField.STATX_MODE.offset(), Width.HALF);
    asm.branch(NOT_EQUAL, A1, mode, otherwise);
    asm.load(A1, A0, StructField.STATX_UID.offset(), Width.WORD);
    emitter.loadVariable(A2, user);
    asm.branch(NOT_EQUAL, A1, A2, otherwise);
  }

  void write() {
    writeCompare();
    asm.place(miss);
    emitter.loadVariable(A0, current);
    asm.add(A0, LookupProgram.MISS);
    emitter.systemCall(SystemCall.EXIT_GROUP);
    asm.trap();
    routines.write();
  }

  private void writeCompare() {
    Label loop = new Label();
    Label same = new Label();
    Label differ = new Label();
    asm.place(compare);
    asm.enter();
    asm.place(loop);
    asm.branch(EQUAL, A2, 0, same);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.load(A3, A1, 0, Width.BYTE);
    asm.branch(NOT_EQUAL, SCRATCH, A3, differ);
    asm.add(A0, 1);
    asm.add(A1, 1);
    asm.add(A2, -1);
    asm.jump(loop);
    asm.place(same);
    asm.set(RESULT, 0);
    asm.leave();
    asm.place(differ);
    asm.set(RESULT, 1);
    asm.leave();
  }

  /** Goes to {@link #miss} if RESULT is an errno. */
  void missIfFailed() {
    asm.branch(LESS, RESULT, 0, miss);
  }
}
