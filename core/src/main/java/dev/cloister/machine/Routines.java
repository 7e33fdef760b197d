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
import dev.cloister.program.CText;
import dev.cloister.program.Instruction;
import dev.cloister.spec.OsString;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * The subroutines of a launcher that has no libc: text, numbers, messages. Each says which
 * registers it takes and changes; the others are kept.
 */
final class Routines {
  /** In bytes, of the number that a description of a failure starts with. */
  static final int STEP_SIZE = 2;

  /** In bytes; a socket takes three times that without a reader (socket(7), wmem_default). */
  private static final int LONGEST_TO_LIBRARY = 64 * 1024;

  /** Of the numbers before a message to a library. */
  private static final int HEADER_SIZE = 12;

  private static final int ERRNO = 4;
  private static final int STATUS = 8;

  /**
   * What is shown of a name, in bytes: as much as execve(2) takes where pages have 4 KiB. Where
   * they are larger it takes more, and what came through a socket no execve(2) has seen.
   */
  private static final int LONGEST_NAME = 128 * 1024;

  /**
   * The longest message holds two names, the command's and PATH. A step's description is bounded by
   * what it was compiled from: two paths of PATH_MAX, every byte escaped to four. Memory that is
   * not written to costs nothing.
   */
  private static final int MESSAGE_SIZE = 2 * LONGEST_NAME + 64 * 1024;

  /** Adds the text at A0 to the message that ends at V3. Changes A0, SCRATCH; V3 is the new end. */
  final Label appendText = new Label();

  /**
   * The same for a name that a caller made, which is shown without its control characters, and not
   * beyond {@link #LONGEST_NAME}. Changes A1, too.
   */
  final Label appendName = new Label();

  /** Adds RESULT in decimal to the message. Changes A0, A2, RESULT, SCRATCH, V3. */
  final Label appendNumber = new Label();

  /** Adds the name and text of errno V2 to the message. Changes A0 to A2, RESULT, SCRATCH, V3. */
  final Label appendErrno = new Label();

  /**
   * RESULT = the value of the variable whose name and equals sign are at A0, in the environment at
   * A1; 0 if there is none. Changes A0 to A3, SCRATCH.
   */
  final Label findVariable = new Label();

  /**
   * RESULT = where the text at A1 goes on after the prefix at A0; 0 if it does not start with it.
   * Changes A0, A1, A3, SCRATCH.
   */
  final Label skipPrefix = new Label();

  /**
   * Writes the message that ends at V3 to where failures are reported, and ends the process with
   * status V4. Never returns.
   */
  final Label die = new Label();

  /**
   * Reports a failed step and ends the process. RESULT is the negative errno, V0 what {@link
   * #describe} made of the step. Never returns.
   */
  final Label fail = new Label();

  /** The same, where the root is still the host's: what was believed of the host is forgotten. */
  final Label failOnHost = new Label();

  /**
   * Goes to {@link #fail} if RESULT is an errno. A call of this is shorter than a branch with what
   * it leads to.
   */
  final Label check = new Label();

  /** The same with {@link #failOnHost}. */
  final Label checkOnHost = new Label();

  /** The one control character that is not below the blank. */
  private static final int DELETE = 0x7f;

  private final Emitter emitter;
  private final Assembler asm;
  private final Label message;
  private final Label digitsEnd;

  private final Reporting reporting;
  private final List<OsString> forgetOnFailure;
  private final boolean packed;
  private final Label unpack = new Label();
  private final String name;
  private final int steps;

  /**
   * Prepares the data.
   *
   * @param packed whether what only failures need is unpacked when it is needed
   * @param name who speaks in the messages
   * @param steps how many steps there are
   */
  Routines(
      Emitter emitter, ProgramCompiler.Options options, boolean packed, String name, int steps) {
    this.emitter = emitter;
    this.name = name;
    this.steps = steps;
    this.packed = packed;
    this.reporting = options.reporting();
    this.forgetOnFailure = options.forgetOnFailure();
    this.asm = emitter.asm;
    this.message = emitter.data.zeroed(MESSAGE_SIZE);
    emitter.data.zeroed(32); // Digits grow downwards from digitsEnd, which stays zero.
    this.digitsEnd = emitter.data.zeroed(16);
  }

  /**
   * V0 = how {@link #fail} names what failed.
   *
   * @param number the step it is part of; 0 for what is no step
   * @param text what stands before the errno
   */
  void describe(int number, String text) {
    describe(number, text, Map.of());
  }

  /** The same for a call, with its hints. */
  void describe(int number, Instruction.Call call) {
    if (reporting.form() == Reporting.Form.RECORD) {
      asm.set(V0, number);
    } else {
      describe(number, CText.of(call) + ": ", call.hints());
    }
  }

  /** The same with hints: the number, the text, for each hint its errno and text, an errno 0. */
  void describe(int number, String text, Map<Errno, String> hints) {
    if (reporting.form() == Reporting.Form.RECORD) {
      asm.set(V0, number);
      return;
    }
    ByteBuilder record = new ByteBuilder().u16(number);
    record.bytes(text.getBytes(StandardCharsets.UTF_8)).u8(0);
    hints.forEach(
        (errno, hint) ->
            record.u8(errno.number()).bytes(hint.getBytes(StandardCharsets.UTF_8)).u8(0));
    asm.address(V0, emitter.data.rare(record.u8(0).toArray()));
  }

  /**
   * The same with a record that is made at run time: the number in {@link #STEP_SIZE} bytes, the
   * text, NUL and NUL.
   */
  void describe(int number, Label record) {
    switch (reporting.form()) {
      case TEXT, RECORD_AND_TEXT -> asm.address(V0, record);
      case RECORD -> asm.set(V0, number);
    }
  }

  /** Goes on unless RESULT is an errno; then reports it of a call that is no step. */
  void failIfNegative(String call) {
    Label good = new Label();
    asm.branch(Condition.GREATER_OR_EQUAL, RESULT, 0, good);
    describe(0, call);
    asm.jump(fail);
    asm.place(good);
  }

  /** Writes all routines. */
  void write() {
    writeAppendText();
    writeAppendName();
    writeAppendNumber();
    writeAppendErrno();
    writeSkipPrefix();
    writeFindVariable();
    writeDie();
    writeCheck(check, fail);
    writeCheck(checkOnHost, failOnHost);
    asm.place(failOnHost);
    asm.copy(V5, RESULT);
    forgetOnFailure.forEach(this::writeForget);
    asm.copy(RESULT, V5);
    asm.place(fail);
    asm.copy(V2, RESULT);
    asm.negate(V2);
    switch (reporting.form()) {
      case TEXT, RECORD_AND_TEXT -> writeFailText();
      case RECORD -> writeFailRecord();
    }
    if (packed) {
      // Now that everything else is written, it is known what there is to unpack.
      Data data = emitter.data;
      new Unpacking(asm).write(unpack, data.pack(), data.rareStart(), data.rare(new byte[0]));
    }
  }

  /** Makes what only failures need readable. Changes all registers but V0 to V5. */
  void unpack() {
    if (packed) {
      asm.call(unpack);
    }
  }

  private void writeCheck(Label routine, Label report) {
    asm.place(routine);
    asm.enter();
    asm.branch(LESS, RESULT, 0, report);
    asm.leave();
  }

  /** Who speaks, and with which status. */
  Speaker speaker() {
    return reporting.speaker();
  }

  /** Says this and ends, as nothing was set up. The text's prefix is added. */
  void dieSaying(String text) {
    startMessage();
    append(speaker().prefix() + text + "\n");
    asm.set(V4, speaker().setUpFailed());
    asm.jump(die);
  }

  /** Starts a message: V3 is its end. Changes all registers but V0 to V5. */
  void startMessage() {
    unpack();
    asm.address(V3, message);
    if (reporting.isToLibrary()) {
      asm.set(A0, 0);
      asm.store(V3, 0, A0, Width.DOUBLE);
      asm.add(V3, HEADER_SIZE);
    }
  }

  /** Has the message say which errno it is about. */
  void note(Register errno) {
    noteAt(ERRNO, errno);
  }

  /** The same for one that no call said. */
  void note(Errno errno) {
    if (reporting.isToLibrary()) {
      asm.set(A0, errno.number());
      note(A0);
    }
  }

  private void noteAt(int offset, Register value) {
    if (reporting.isToLibrary()) {
      asm.address(SCRATCH, message);
      asm.store(SCRATCH, offset, value, Width.WORD);
    }
  }

  /** Adds a constant text to the message; {@link #unpack} was called before. */
  void append(String text) {
    asm.address(A0, emitter.data.rareText(text));
    asm.call(appendText);
  }

  /** Adds a constant text to any other text that ends at V3. */
  void appendPlain(String text) {
    emitter.text(A0, text);
    asm.call(appendText);
  }

  /** Writes the message to standard error and goes on; where no person listens, does nothing. */
  void say() {
    if (reporting.form() == Reporting.Form.TEXT) {
      writeMessage();
    }
  }

  private void writeMessage() {
    asm.set(A0, reporting.messages());
    asm.address(A1, message);
    asm.copy(A2, V3);
    asm.subtract(A2, A1);
    if (reporting.isToLibrary()) {
      shorten();
    }
    emitter.systemCall(SystemCall.WRITE);
  }

  /** Who reads it looks when this process is gone, so all of it must find room until then. */
  private void shorten() {
    Label fits = new Label();
    asm.branch(BELOW, A2, LONGEST_TO_LIBRARY, fits);
    asm.set(A2, LONGEST_TO_LIBRARY);
    asm.place(fits);
  }

  private void writeAppendText() {
    Label end = new Label();
    asm.place(appendText);
    asm.enter();
    writeCopy(() -> {}, end);
    asm.place(end);
    asm.leave();
  }

  /** What would move a terminal's cursor is a "?". */
  private void writeAppendName() {
    Label end = new Label();
    Label replace = new Label();
    Label good = new Label();
    asm.place(appendName);
    asm.enter();
    asm.copy(A1, V3);
    asm.add(A1, LONGEST_NAME);
    writeCopy(
        () -> {
          asm.branch(ABOVE_OR_EQUAL, V3, A1, end);
          asm.branch(BELOW, SCRATCH, ' ', replace);
          asm.branch(NOT_EQUAL, SCRATCH, DELETE, good);
          asm.place(replace);
          asm.set(SCRATCH, '?');
          asm.place(good);
        },
        end);
    asm.place(end);
    asm.leave();
  }

  /**
   * Writes a loop that copies a text, up to its NUL.
   *
   * @param change writes what becomes of each byte, in SCRATCH
   */
  private void writeCopy(Runnable change, Label end) {
    Label loop = new Label();
    asm.place(loop);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, end);
    change.run();
    asm.store(V3, 0, SCRATCH, Width.BYTE);
    asm.add(A0, 1);
    asm.add(V3, 1);
    asm.jump(loop);
  }

  private void writeAppendNumber() {
    Label loop = new Label();
    asm.place(appendNumber);
    asm.enter();
    asm.address(A0, digitsEnd);
    asm.place(loop);
    asm.divide(10);
    asm.add(A2, '0');
    asm.add(A0, -1);
    asm.store(A0, 0, A2, Width.BYTE);
    asm.branch(NOT_EQUAL, RESULT, 0, loop);
    asm.call(appendText);
    asm.leave();
  }

  /** The texts lie in the order of their errnos; one that does not exist is empty. */
  private void writeAppendErrno() {
    Label skip = new Label();
    Label next = new Label();
    Label found = new Label();
    Label unknown = new Label();
    asm.place(appendErrno);
    asm.enter();
    asm.branch(ABOVE_OR_EQUAL, V2, ErrnoTexts.count(), unknown);
    asm.address(A0, emitter.data.rare(errnoTexts()));
    asm.copy(A1, V2);
    asm.place(next);
    asm.branch(EQUAL, A1, 0, found);
    asm.add(A1, -1);
    asm.place(skip);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.add(A0, 1);
    asm.branch(NOT_EQUAL, SCRATCH, 0, skip);
    asm.jump(next);
    asm.place(found);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, unknown);
    asm.call(appendText);
    asm.leave();
    asm.place(unknown);
    append("errno ");
    asm.copy(RESULT, V2);
    asm.call(appendNumber);
    asm.leave();
  }

  private byte[] errnoTexts() {
    if (speaker().isBubblewrap()) {
      return ErrnoTexts.plain();
    }
    return packed ? ErrnoTexts.small() : ErrnoTexts.complete();
  }

  private void writeSkipPrefix() {
    Label loop = new Label();
    Label matches = new Label();
    Label differs = new Label();
    asm.place(skipPrefix);
    asm.enter();
    asm.place(loop);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, matches);
    asm.load(A3, A1, 0, Width.BYTE);
    asm.branch(NOT_EQUAL, A3, SCRATCH, differs);
    asm.add(A0, 1);
    asm.add(A1, 1);
    asm.jump(loop);
    asm.place(matches);
    asm.copy(RESULT, A1);
    asm.leave();
    asm.place(differs);
    asm.set(RESULT, 0);
    asm.leave();
  }

  private void writeFindVariable() {
    Label loop = new Label();
    Label end = new Label();
    Label saved = emitter.data.zeroed(16);
    asm.place(findVariable);
    asm.enter();
    asm.address(SCRATCH, saved);
    asm.store(SCRATCH, 0, A0, Width.DOUBLE);
    asm.copy(A2, A1);
    asm.place(loop);
    asm.load(A1, A2, 0, Width.DOUBLE);
    asm.copy(RESULT, A1);
    asm.branch(EQUAL, A1, 0, end);
    asm.add(A2, 8);
    asm.address(SCRATCH, saved);
    asm.load(A0, SCRATCH, 0, Width.DOUBLE);
    asm.call(skipPrefix);
    asm.branch(EQUAL, RESULT, 0, loop);
    asm.place(end);
    asm.leave();
  }

  private void writeDie() {
    asm.place(die);
    // A limit on the size of files shall cost no more than the message, should that go to a file.
    blockFileSizeSignal();
    noteAt(STATUS, V4);
    writeMessage();
    asm.copy(A0, V4);
    emitter.systemCall(SystemCall.EXIT_GROUP);
    asm.trap();
  }

  /** A file that would be larger than the limit is EFBIG then. Changes A0 to A3, SCRATCH. */
  void blockFileSizeSignal() {
    emitter.set(A0, LinuxConstant.SIG_BLOCK);
    asm.address(A1, emitter.data.constant(tooLargeFile(), 8));
    asm.set(A2, 0);
    asm.set(A3, 8);
    emitter.systemCall(SystemCall.RT_SIGPROCMASK);
  }

  private byte[] tooLargeFile() {
    long signal = LinuxConstant.SIGXFSZ.value(emitter.architecture);
    return new ByteBuilder().u64(1L << (signal - 1)).toArray();
  }

  /** Best effort: a file that cannot be removed is no worse than before. */
  private void writeForget(OsString file) {
    emitter.set(A0, LinuxConstant.AT_FDCWD);
    asm.address(A1, emitter.data.text(file));
    asm.set(A2, 0);
    emitter.systemCall(SystemCall.UNLINKAT);
  }

  private void writeFailText() {
    Label described = new Label();
    startMessage();
    append(speaker().prefix());
    note(V2);
    asm.load(RESULT, V0, 0, Width.HALF);
    asm.branch(EQUAL, RESULT, 0, described);
    noteAt(0, RESULT);
    append(name + ": step ");
    asm.call(appendNumber);
    append(" of " + steps + ": ");
    asm.place(described);
    asm.copy(A0, V0);
    asm.add(A0, STEP_SIZE);
    asm.call(appendText);
    asm.copy(V1, A0);
    asm.add(V1, 1);
    asm.call(appendErrno);
    append("\n");
    appendHint();
    asm.set(V4, speaker().setUpFailed());
    asm.jump(die);
  }

  /** Adds the hint for errno V2, if there is one at V1. */
  private void appendHint() {
    Label loop = new Label();
    Label skip = new Label();
    Label found = new Label();
    Label end = new Label();
    asm.place(loop);
    asm.load(A1, V1, 0, Width.BYTE);
    asm.branch(EQUAL, A1, 0, end);
    asm.add(V1, 1);
    asm.branch(EQUAL, A1, V2, found);
    asm.place(skip);
    asm.load(A1, V1, 0, Width.BYTE);
    asm.add(V1, 1);
    asm.branch(NOT_EQUAL, A1, 0, skip);
    asm.jump(loop);
    asm.place(found);
    append("hint: ");
    asm.copy(A0, V1);
    asm.call(appendText);
    append("\n");
    asm.place(end);
  }

  private void writeFailRecord() {
    Label record = emitter.data.zeroed(8);
    asm.address(A1, record);
    asm.store(A1, 0, V0, Width.WORD);
    asm.store(A1, 4, V2, Width.WORD);
    asm.set(A0, reporting.descriptor());
    asm.set(A2, 8);
    emitter.systemCall(SystemCall.WRITE);
    asm.set(A0, speaker().setUpFailed());
    emitter.systemCall(SystemCall.EXIT_GROUP);
    asm.trap();
  }
}
