package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.V0;
import static dev.cloister.machine.Register.V1;
import static dev.cloister.machine.Register.V3;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.CallerKind;
import dev.cloister.program.Instruction;
import dev.cloister.program.Operand;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.Handover;
import dev.cloister.spec.OsString;
import java.util.EnumSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Compiles a {@link SyscallProgram} to an executable. */
public final class ProgramCompiler {
  private final SyscallProgram program;
  private final Options options;
  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final int steps;

  /** Whether what is seldom needed is packed, which takes the compiler some time. */
  private final boolean packed;

  /** Whether the short forms of instructions do not reach far enough in this launcher. */
  private final boolean isFar;

  private final Writing writing = new Writing();
  private final IdentityHashMap<SyscallProgram, ElfImage> images = new IdentityHashMap<>();
  private final @Nullable CallWriting calls;
  private final CheckedCalls checked;

  /**
   * What does not depend on the sandbox.
   *
   * @param commandIndex which of the launcher's own arguments is the command; at least 1
   * @param callerEnvironment used in place of the launcher's own, as {@code NAME=VALUE}
   * @param parent which process starts the launcher, where that is known
   * @param forgetOnFailure files to remove if the set-up fails before the root changes: what was
   *     believed of this host when the launcher was made does not hold
   * @param note what the executable says of itself
   * @param standalone how it takes arguments from the person who starts it; {@code commandIndex}
   *     then means nothing
   */
  public record Options(
      Architecture architecture,
      int commandIndex,
      Reporting reporting,
      Optional<List<OsString>> callerEnvironment,
      OptionalLong parent,
      List<OsString> forgetOnFailure,
      LauncherNote note,
      Optional<Standalone> standalone) {
    /** Options for a launcher that a program starts, with only Cloister's version in its note. */
    public Options(
        Architecture architecture,
        int commandIndex,
        Reporting reporting,
        Optional<List<OsString>> callerEnvironment,
        OptionalLong parent,
        List<OsString> forgetOnFailure,
        String version) {
      this(
          architecture,
          commandIndex,
          reporting,
          callerEnvironment,
          parent,
          forgetOnFailure,
          LauncherNote.of(version),
          Optional.empty());
    }

    /** Options for a launcher whose command is its first argument. */
    public static Options plain(Architecture architecture, Reporting reporting, String version) {
      return new Options(
          architecture, 1, reporting, Optional.empty(), OptionalLong.empty(), List.of(), version);
    }

    /**
     * Options for a launcher that a library starts, whose command follows its directory.
     *
     * @param parent which process starts it
     */
    public static Options library(Architecture architecture, Handover handover, long parent) {
      return new Options(
          architecture,
          2,
          Reporting.channel(handover.report()),
          Optional.empty(),
          OptionalLong.of(parent),
          List.of(),
          "library");
    }

    /** Options for a launcher that is started by its own name and reports to a person. */
    public static Options standalone(
        Architecture architecture, LauncherNote note, Standalone standalone) {
      return new Options(
          architecture,
          1,
          Reporting.TEXT,
          Optional.empty(),
          OptionalLong.empty(),
          List.of(),
          note,
          Optional.of(standalone));
    }

    /** Those of a program in this one, which this one hands the command to. */
    private Options forEmbedded() {
      return new Options(
          architecture,
          1 + argumentsBefore(),
          reporting,
          Optional.empty(),
          OptionalLong.empty(),
          List.of(),
          note.version());
    }

    /** How many arguments go with the command, and before it. */
    private int argumentsBefore() {
      return reporting.isToLibrary() ? 1 : 0;
    }

    public Options {
      callerEnvironment = callerEnvironment.map(List::copyOf);
      forgetOnFailure = List.copyOf(forgetOnFailure);
      if (commandIndex < 1) {
        throw new IllegalArgumentException("argument 0 is the launcher's own name");
      }
    }
  }

  private ProgramCompiler(
      SyscallProgram program, Options options, boolean isFar, @Nullable CallWriting calls) {
    this(
        program,
        options,
        options.standalone().isPresent(),
        isFar,
        0,
        program.steps().size(),
        calls);
  }

  private ProgramCompiler(
      SyscallProgram program,
      Options options,
      boolean packed,
      boolean isFar,
      int firstStep,
      int steps,
      @Nullable CallWriting calls) {
    this.program = program;
    this.options = options;
    this.calls = calls;
    this.isFar = isFar;
    this.emitter = new Emitter(options.architecture(), isFar, this::embedded, calls);
    this.asm = emitter.asm;
    this.routines = new Routines(emitter, options, packed, program.name(), steps);
    this.packed = packed;
    this.emitter.step = firstStep;
    this.checked = new CheckedCalls(emitter, routines, program.name(), this::write);
    this.steps = steps;
  }

  public static ElfImage compile(SyscallProgram program, Options options) {
    // Nearly every launcher is so small that the short forms of all instructions reach.
    try {
      return new ProgramCompiler(program, options, false, null).compile();
    } catch (Aarch64Assembler.OutOfReach _) {
      return new ProgramCompiler(program, options, true, null).compile();
    }
  }

  /** The same with what goes wrong in it, for tests. */
  public static ElfImage compile(SyscallProgram program, Options options, Faults faults) {
    // At once in the form that always reaches: a second attempt would number the sites anew.
    return new ProgramCompiler(program, options, true, faults).compile();
  }

  /**
   * The same, to be called in the memory of the process that starts it.
   *
   * @return nothing for one that would change that memory, or has processes of its own
   */
  public static Optional<ResidentImage> compileResident(SyscallProgram program, Options options) {
    try {
      return Optional.of(
          new ProgramCompiler(program, options, true, new SharedMemory()).resident());
    } catch (SharedMemory.Unfit _) {
      return Optional.empty();
    }
  }

  private ElfImage embedded(SyscallProgram program) {
    Options inner = options.forEmbedded();
    return images.computeIfAbsent(
        program,
        p ->
            new ProgramCompiler(p, inner, packed, isFar, this.program.ownSteps(), steps, calls)
                .compile());
  }

  private ElfImage compile() {
    writeAll();
    // The command line's caller waits for this; what is given away or made once shall be small.
    Code code = asm.finish(packed || options.reporting().isToLibrary());
    return ElfImage.link(options.architecture(), code, emitter.data, options.note());
  }

  private ResidentImage resident() {
    new ResidentEntry(emitter).write();
    writeAll();
    return new ResidentImage(asm.finish(/* small= */ true), emitter.data);
  }

  private void writeAll() {
    new LauncherStart(emitter, routines, options, program).write();
    write(program.instructions());
    asm.trap();
    emitter.flush();
    routines.write();
  }

  private void write(List<Instruction> instructions) {
    instructions.forEach(this::write);
  }

  private void write(Instruction instruction) {
    instruction.accept(writing);
  }

  /** Writes each kind of instruction. */
  private final class Writing implements Instruction.Visitor {
    @Override
    public void call(Instruction.Call call) {
      checked.write(call);
    }

    @Override
    public void expectFailure(Instruction.ExpectFailure expect) {
      checked.writeExpected(expect);
    }

    @Override
    public void closeListed(Instruction.CloseListed close) {
      new DescriptorClosing(emitter, routines).write(close, checked.failure());
    }

    @Override
    public void freeStandardDescriptors(Instruction.FreeStandardDescriptors free) {
      new StandardDescriptors(emitter).free();
    }

    @Override
    public void restrictEach(Instruction.RestrictEach restrict) {
      new MountRestriction(emitter, routines).write(restrict, checked.failure());
    }

    @Override
    public void enterHome(Instruction.EnterHome enter) {
      writeEnterHome();
    }

    @Override
    public void nameDirectory(Instruction.NameDirectory name) {
      EnvironmentFilter.nameDirectory(emitter, routines, name.variable());
    }

    @Override
    public void filterEnvironment(Instruction.FilterEnvironment filter) {
      new EnvironmentFilter(emitter, routines, filter.rules()).write();
    }

    @Override
    public void executeCommand(Instruction.ExecuteCommand execute) {
      new CommandExecution(emitter, routines, execute).write();
    }

    @Override
    public void executeProgram(Instruction.ExecuteProgram execute) {
      new ProgramExecution(emitter, routines, program.name(), options.argumentsBefore())
          .write(execute);
    }

    @Override
    public void supervise(Instruction.Supervise supervise) {
      new Supervision(emitter, routines, supervise)
          .write(() -> write(supervise.child()), checked::writeBestEffort);
    }

    @Override
    public void init(Instruction.Init init) {
      new InitProcess(emitter, routines, init)
          .write(() -> write(init.child()), checked::writeBestEffort);
    }

    @Override
    public void requireParent(Instruction.RequireParent require) {
      relations().requireParent(require, options.parent());
    }

    @Override
    public void requireLifeline(Instruction.RequireLifeline require) {
      relations().requireLifeline(require);
    }

    @Override
    public void say(Instruction.Say say) {
      routines.startMessage();
      routines.append(routines.speaker().prefix() + program.name() + ": " + say.text() + "\n");
      routines.say();
    }

    @Override
    public void attempt(Instruction.Attempt attempt) {
      new Attempts(emitter, routines).write(() -> write(attempt.child()));
    }

    @Override
    public void protectVariable(Instruction.ProtectVariable protect) {
      EnvironmentFilter.protect(emitter, routines, protect.name());
    }

    @Override
    public void restoreVariable(Instruction.RestoreVariable restore) {
      EnvironmentFilter.restore(emitter, routines, restore.name());
    }

    @Override
    public void compose(Instruction.Compose compose) {
      writeCompose(compose);
    }

    @Override
    public void requireVariable(Instruction.RequireVariable require) {
      Label missing = new Label();
      asm.address(A0, emitter.data.text(require.name().concat(OsString.of("="))));
      emitter.loadVariable(A1, emitter.callerEnvironment);
      asm.call(routines.findVariable);
      asm.branch(EQUAL, RESULT, 0, missing);
      emitter.later(() -> dieSaying(missing, require.otherwise()));
    }

    @Override
    public void recognizeCaller(Instruction.RecognizeCaller recognize) {
      new CallerRecognition(emitter, routines)
          .write(lent -> dieSaying(lent, "will not run set-user-ID or set-group-ID"));
    }

    @Override
    public void onlyFor(Instruction.OnlyFor only) {
      Label others = new Label();
      emitter.loadVariable(A0, emitter.slot(Instruction.RecognizeCaller.KIND));
      if (only.kinds().equals(EnumSet.of(CallerKind.ROOT))) {
        asm.branch(Condition.NOT_EQUAL, A0, CallerKind.ROOT.bit(), others);
      } else {
        for (CallerKind kind : EnumSet.complementOf(EnumSet.copyOf(only.kinds()))) {
          asm.branch(EQUAL, A0, kind.bit(), others);
        }
      }
      write(only.steps());
      asm.place(others);
    }

    @Override
    public void ifSet(Instruction.IfSet choice) {
      writeIfSet(choice);
    }

    @Override
    public void ifArgument(Instruction.IfArgument choice) {
      Label end = new Label();
      emitter.operand(A0, new Operand.Argument(choice.index()));
      asm.load(A0, A0, 0, Width.BYTE);
      asm.branch(EQUAL, A0, 0, end);
      write(choice.then());
      asm.place(end);
    }

    @Override
    public void awaitCommand(Instruction.AwaitCommand await) {
      new CommandReceipt(emitter, routines, await).write(options.commandIndex(), program.name());
    }

    @Override
    public void sendDescriptor(Instruction.SendDescriptor send) {
      new DescriptorSending(emitter).write(send);
      if (send.required()) {
        routines.failIfNegative(program.name() + ": sending a descriptor: ");
      }
    }

    @Override
    public void forEach(Instruction.ForEach loop) {
      writeForEach(loop);
    }

    @Override
    public void terminate(Instruction.Terminate terminate) {
      asm.address(A0, emitter.buffer(terminate.text()));
      emitter.loadVariable(A1, emitter.slot(terminate.length()));
      asm.add(A0, A1);
      asm.set(A1, 0);
      asm.store(A0, 0, A1, Width.BYTE);
    }

    @Override
    public void requireText(Instruction.RequireText require) {
      Label differs = new Label();
      asm.address(A0, emitter.data.text(require.expected()));
      asm.address(A1, emitter.buffer(require.text()));
      asm.call(routines.skipPrefix);
      asm.branch(EQUAL, RESULT, 0, differs);
      asm.load(A0, RESULT, 0, Width.BYTE);
      asm.branch(Condition.NOT_EQUAL, A0, 0, differs);
      emitter.later(() -> dieShowing(differs, require));
    }

    @Override
    public void copyData(Instruction.CopyData copy) {
      new DataCopying(emitter, routines).write(copy, checked.failure());
    }

    @Override
    public void awaitInput(Instruction.AwaitInput await) {
      Interruption interruption = new Interruption(emitter, routines, await.lifeline());
      interruption.begin(await.descriptor());
      interruption.await();
      interruption.end();
    }

    @Override
    public void requireSameFile(Instruction.RequireSameFile require) {
      writeRequireSameFile(require);
    }

    @Override
    public void removeCgroup(Instruction.RemoveCgroup remove) {
      new CgroupRemoval(emitter).write(remove);
    }

    @Override
    public void exit(Instruction.Exit exit) {
      asm.set(A0, 0);
      emitter.systemCall(SystemCall.EXIT_GROUP);
    }
  }

  private Relations relations() {
    return new Relations(emitter, routines, program.name());
  }

  private void writeEnterHome() {
    Label end = new Label();
    emitter.text(A0, "HOME=");
    emitter.loadVariable(A1, emitter.environment);
    asm.call(routines.findVariable);
    asm.branch(EQUAL, RESULT, 0, end);
    asm.copy(A0, RESULT);
    emitter.systemCall(SystemCall.CHDIR);
    asm.place(end);
  }

  private void writeCompose(Instruction.Compose compose) {
    asm.address(V3, emitter.buffer(compose.into()));
    for (Operand part : compose.parts()) {
      if (part instanceof Operand.Text(OsString text)) {
        asm.address(A0, emitter.data.text(text));
        asm.call(routines.appendText);
      } else if (part instanceof Operand.Address) {
        emitter.operand(A0, part);
        asm.call(routines.appendText);
      } else {
        emitter.operand(RESULT, part);
        asm.call(routines.appendNumber);
      }
    }
    asm.set(A0, 0);
    asm.store(V3, 0, A0, Width.BYTE);
    asm.address(A0, emitter.buffer(compose.into()));
    asm.subtract(V3, A0);
    emitter.storeVariable(emitter.slot(compose.length()), V3);
  }

  private void writeIfSet(Instruction.IfSet choice) {
    Label otherwise = new Label();
    Label end = new Label();
    emitter.loadVariable(A0, emitter.slot(choice.slot()));
    asm.branch(EQUAL, A0, 0, otherwise);
    boolean before = emitter.onHost;
    write(choice.then());
    boolean after = emitter.onHost;
    emitter.onHost = before;
    if (!choice.otherwise().isEmpty()) {
      asm.jump(end);
    }
    asm.place(otherwise);
    write(choice.otherwise());
    asm.place(end);
    emitter.onHost &= after;
  }

  /** A file is its number and its file system's two (inode(7)). */
  private void writeRequireSameFile(Instruction.RequireSameFile require) {
    Label different = new Label();
    asm.address(V0, emitter.buffer(require.one()));
    asm.address(V1, emitter.buffer(require.other()));
    branchIfDifferent(StructField.STATX_INO, Width.DOUBLE, different);
    branchIfDifferent(StructField.STATX_DEV_MAJOR, Width.WORD, different);
    branchIfDifferent(StructField.STATX_DEV_MINOR, Width.WORD, different);
    emitter.later(() -> dieSaying(different, program.name() + ": " + require.otherwise()));
  }

  private void branchIfDifferent(StructField field, Width width, Label different) {
    asm.load(A0, V0, field.offset(), width);
    asm.load(A1, V1, field.offset(), width);
    asm.branch(Condition.NOT_EQUAL, A0, A1, different);
  }

  /** The texts follow each other, and an empty one ends them. */
  private void writeForEach(Instruction.ForEach loop) {
    ByteBuilder texts = new ByteBuilder();
    for (OsString text : loop.texts()) {
      texts.bytes(text.bytes()).u8(0);
    }
    Label each = emitter.slot(loop.each());
    Label again = new Label();
    Label skip = new Label();
    asm.address(A0, emitter.data.constant(texts.u8(0).toArray(), 1));
    asm.place(again);
    emitter.storeVariable(each, A0);
    asm.set(A0, 0);
    loop.cleared().forEach(slot -> emitter.storeVariable(emitter.slot(slot), A0));
    write(loop.steps());
    emitter.loadVariable(A0, each);
    asm.place(skip);
    asm.load(A1, A0, 0, Width.BYTE);
    asm.add(A0, 1);
    asm.branch(Condition.NOT_EQUAL, A1, 0, skip);
    asm.load(A1, A0, 0, Width.BYTE);
    asm.branch(Condition.NOT_EQUAL, A1, 0, again);
  }

  private void dieSaying(Label here, String text) {
    asm.place(here);
    routines.dieSaying(text);
  }

  private void dieShowing(Label here, Instruction.RequireText require) {
    asm.place(here);
    routines.startMessage();
    routines.append(routines.speaker().prefix() + program.name() + ": " + require.otherwise());
    asm.address(A0, emitter.buffer(require.text()));
    asm.call(routines.appendName);
    routines.append("\n");
    asm.set(Register.V4, routines.speaker().setUpFailed());
    asm.jump(routines.die);
  }
}
