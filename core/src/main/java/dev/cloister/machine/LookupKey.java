package dev.cloister.machine;

import static dev.cloister.machine.Condition.ABOVE_OR_EQUAL;
import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.SCRATCH;
import static dev.cloister.machine.Register.V0;
import static dev.cloister.machine.Register.V1;
import static dev.cloister.machine.Register.V2;
import static dev.cloister.machine.Register.V3;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes down what a launcher is found by, as {@link CacheEntry.Key} does.
 *
 * <p>Throughout, V0 is where the next argument is, V1 an option's place in the table of options and
 * then how many values it still has, V2 the hash, and V3 the end of the key.
 */
final class LookupKey {
  /** Longer options are compiled each time. */
  private static final int SIZE = 64 * 1024;

  /** PATH_MAX of limits.h, and more than a boot's id and a version have. */
  private static final int RESERVED = 2 * 4096;

  private final LookupParts parts;
  private final Emitter emitter;
  private final Assembler asm;
  private final LookupProgram.Settings settings;
  private final Label key;

  /** Where the key ends, for later. */
  private final Label end;

  /** Adds the text at A0 with its NUL to the key. Changes A0, A1, SCRATCH, V3. */
  private final Label append = new Label();

  LookupKey(LookupParts parts, LookupProgram.Settings settings) {
    this.parts = parts;
    this.emitter = parts.emitter;
    this.asm = parts.asm;
    this.settings = settings;
    this.end = emitter.data.zeroed(8);
    this.key = emitter.data.zeroed(SIZE + RESERVED);
  }

  void write() {
    writePlace();
    writeOptions();
    emitter.storeVariable(end, V3);
  }

  private void writePlace() {
    asm.address(V3, key);
    emitter.set(A0, LinuxConstant.AT_FDCWD);
    emitter.text(A1, LookupProgram.bootFile());
    parts.open(LinuxConstant.O_RDONLY, LinuxConstant.O_CLOEXEC);
    parts.missIfFailed();
    asm.copy(A0, RESULT);
    asm.copy(A1, V3);
    asm.set(A2, 64);
    emitter.systemCall(SystemCall.READ);
    parts.missIfFailed();
    asm.add(V3, RESULT);
    asm.address(A0, emitter.data.text(settings.build()));
    asm.call(append);
    asm.copy(A0, V3);
    asm.set(A1, 4096);
    emitter.systemCall(SystemCall.GETCWD);
    parts.missIfFailed();
    asm.add(V3, RESULT);
  }

  /** Every option is in the table, or it is not known what is an option and what is its value. */
  private void writeOptions() {
    Label option = new Label();
    Label values = new Label();
    Label end = new Label();
    Label last = new Label();
    emitter.loadVariable(V0, emitter.arguments);
    appendArgument();
    asm.place(option);
    asm.load(A0, V0, 0, Width.DOUBLE);
    asm.branch(EQUAL, A0, 0, parts.miss);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.branch(NOT_EQUAL, SCRATCH, '-', end);
    findOption(last);
    appendArgument();
    asm.place(values);
    asm.branch(EQUAL, V1, 0, option);
    appendArgument();
    asm.add(V1, -1);
    asm.jump(values);
    asm.place(last);
    appendArgument();
    asm.load(A0, V0, 0, Width.DOUBLE);
    asm.branch(EQUAL, A0, 0, parts.miss);
    asm.place(end);
  }

  private void appendArgument() {
    asm.load(A0, V0, 0, Width.DOUBLE);
    asm.branch(EQUAL, A0, 0, parts.miss);
    asm.add(V0, 8);
    asm.call(append);
  }

  /** V1 = how many values the option at V0 has; goes elsewhere if it ends the options. */
  private void findOption(Label last) {
    Label loop = new Label();
    Label skip = new Label();
    Label differs = new Label();
    Label found = new Label();
    asm.load(A1, V0, 0, Width.DOUBLE);
    emitter.text(A0, "--");
    equal(differs);
    asm.jump(last);
    asm.place(differs);
    asm.address(V1, emitter.data.constant(table(settings.options()), 1));
    Label next = new Label();
    asm.place(loop);
    asm.load(SCRATCH, V1, 0, Width.BYTE);
    asm.branch(EQUAL, SCRATCH, 0, parts.miss);
    asm.load(A1, V0, 0, Width.DOUBLE);
    asm.copy(A0, V1);
    asm.add(A0, 1);
    equal(next);
    asm.jump(found);
    asm.place(next);
    asm.add(V1, 1);
    asm.place(skip);
    asm.load(SCRATCH, V1, 0, Width.BYTE);
    asm.add(V1, 1);
    asm.branch(NOT_EQUAL, SCRATCH, 0, skip);
    asm.jump(loop);
    asm.place(found);
    asm.load(V1, V1, 0, Width.BYTE);
    asm.add(V1, -1);
  }

  /** Goes elsewhere unless the texts at A0 and A1 are the same. */
  private void equal(Label otherwise) {
    asm.call(parts.routines.skipPrefix);
    asm.branch(EQUAL, RESULT, 0, otherwise);
    asm.load(SCRATCH, RESULT, 0, Width.BYTE);
    asm.branch(NOT_EQUAL, SCRATCH, 0, otherwise);
  }

  /** For each option, one more than how many values it has, and its name with NUL; then 0. */
  private static byte[] table(Map<String, Integer> options) {
    ByteBuilder table = new ByteBuilder();
    for (Map.Entry<String, Integer> option : new TreeMap<>(options).entrySet()) {
      table.u8(option.getValue() + 1);
      table.bytes(option.getKey().getBytes(StandardCharsets.US_ASCII)).u8(0);
    }
    return table.u8(0).toArray();
  }

  /** Writes the entry's file name to {@code name}. */
  void writeName(Label name) {
    Label loop = new Label();
    Label digits = new Label();
    Label letter = new Label();
    Label store = new Label();
    asm.address(A0, key);
    asm.set(V2, 0);
    asm.place(loop);
    asm.copy(A1, V2);
    asm.shiftLeft(A1, 5);
    asm.add(V2, A1);
    asm.load(A1, A0, 0, Width.BYTE);
    asm.add(V2, A1);
    asm.add(A0, 1);
    asm.branch(NOT_EQUAL, A0, V3, loop);
    asm.address(A0, name);
    asm.set(A1, 16);
    asm.place(digits);
    asm.copy(A2, V2);
    asm.shiftRight(A2, 60);
    asm.shiftLeft(V2, 4);
    asm.branch(ABOVE_OR_EQUAL, A2, 10, letter);
    asm.add(A2, '0');
    asm.jump(store);
    asm.place(letter);
    asm.add(A2, 'a' - 10);
    asm.place(store);
    asm.store(A0, 0, A2, Width.BYTE);
    asm.add(A0, 1);
    asm.add(A1, -1);
    asm.branch(NOT_EQUAL, A1, 0, digits);
  }

  /** Two keys may have the same hash: a miss unless the entry has this one. */
  void requireSame(Label entry) {
    asm.address(A1, entry);
    asm.load(A2, A1, CacheEntry.KEY_LENGTH_AT, Width.DOUBLE);
    asm.add(A1, CacheEntry.KEY_AT);
    asm.address(A0, key);
    emitter.loadVariable(V3, end);
    asm.subtract(V3, A0);
    asm.branch(NOT_EQUAL, V3, A2, parts.miss);
    asm.call(parts.compare);
    asm.branch(NOT_EQUAL, RESULT, 0, parts.miss);
  }

  void writeRoutines() {
    Label loop = new Label();
    asm.place(append);
    asm.enter();
    asm.address(A1, key);
    asm.add(A1, SIZE);
    asm.place(loop);
    asm.branch(ABOVE_OR_EQUAL, V3, A1, parts.miss);
    asm.load(SCRATCH, A0, 0, Width.BYTE);
    asm.store(V3, 0, SCRATCH, Width.BYTE);
    asm.add(A0, 1);
    asm.add(V3, 1);
    asm.branch(NOT_EQUAL, SCRATCH, 0, loop);
    asm.leave();
  }
}
