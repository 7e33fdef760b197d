package dev.cloister.machine;

import static dev.cloister.machine.Register.SCRATCH;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.OsString;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What the parts of one launcher share: its code, its data, and the variables that live in memory.
 */
final class Emitter {
  /** Of {@code struct sock_filter}. */
  private static final int FILTER_INSTRUCTION_SIZE = 8;

  final Architecture architecture;
  final Assembler asm;
  final Data data = new Data();

  /** The command's argument vector. */
  final Label arguments = data.zeroed(8);

  /** How many arguments there are, the command's name included. */
  final Label argumentCount = data.zeroed(8);

  /** The argument vector the launcher was started with. */
  final Label ownArguments = data.zeroed(8);

  /** The environment as it is at this point. */
  final Label environment = data.zeroed(8);

  /** The environment the launcher was started with. */
  final Label callerEnvironment = data.zeroed(8);

  /** The number of the step whose code is being written. */
  int step;

  /** Whether paths still are the host's where code is being written. */
  boolean onHost = true;

  private final Map<String, Label> slots = new HashMap<>();
  private final Map<String, Label> buffers = new HashMap<>();
  private final Deque<Runnable> deferred = new ArrayDeque<>();

  /** Compiles the programs that are embedded in this one. */
  private final Function<SyscallProgram, ElfImage> images;

  private final @Nullable CallWriting calls;

  /**
   * Starts a launcher.
   *
   * @param isFar whether instructions are to reach farther than those of aarch64 do by themselves
   * @param calls how system calls are written, if not just so
   */
  Emitter(
      Architecture architecture,
      boolean isFar,
      Function<SyscallProgram, ElfImage> images,
      @Nullable CallWriting calls) {
    this.images = images;
    this.calls = calls;
    this.architecture = architecture;
    this.asm =
        switch (architecture) {
          case X86_64 -> new X86_64Assembler();
          case AARCH64 -> new Aarch64Assembler(isFar);
        };
  }

  /** Keeps code for later, so that the way of success is straight. */
  void later(Runnable code) {
    deferred.add(code);
  }

  /** Writes what was kept for later, and what that keeps in turn. */
  void flush() {
    while (!deferred.isEmpty()) {
      deferred.remove().run();
    }
  }

  Label slot(Slot slot) {
    return slots.computeIfAbsent(slot.name(), _ -> data.zeroed(8));
  }

  Label buffer(Buffer buffer) {
    return buffers.computeIfAbsent(buffer.name(), _ -> data.zeroed(buffer.size()));
  }

  /** {@code to = the variable at label}. */
  void loadVariable(Register to, Label label) {
    asm.load(to, label);
  }

  /** {@code the variable at label = from}, where from is not SCRATCH. */
  void storeVariable(Label label, Register from) {
    asm.address(Register.SCRATCH, label);
    asm.store(Register.SCRATCH, 0, from, Width.DOUBLE);
  }

  /** Makes a call that is not in the program but part of another instruction. */
  void systemCall(SystemCall call) {
    if (calls == null) {
      make(call);
    } else {
      calls.write(this, call, Optional.empty());
    }
  }

  /** Makes a call of the program. */
  void systemCall(Instruction.Call call) {
    if (calls == null) {
      make(call.call());
    } else {
      calls.write(this, call.call(), Optional.of(call));
    }
  }

  /** Makes the call and nothing else. */
  void make(SystemCall call) {
    asm.systemCall(call.number(architecture));
  }

  /** RESULT = 0 in a new process, and its process id or a negative errno in this one. */
  void fork() {
    set(Register.A0, LinuxConstant.SIGCHLD);
    asm.set(Register.A1, 0);
    asm.set(Register.A2, 0);
    asm.set(Register.A3, 0);
    asm.set(Register.A4, 0);
    systemCall(SystemCall.CLONE);
  }

  void set(Register to, LinuxConstant constant) {
    asm.set(to, constant.value(architecture));
  }

  void text(Register to, String text) {
    asm.address(to, data.text(text));
  }

  /** {@code to = operand}. */
  void operand(Register to, Operand operand) {
    operand.accept(new Loading(to));
  }

  /** Loads any operand into a register. */
  private final class Loading implements Operand.Visitor {
    private final Register to;

    Loading(Register to) {
      this.to = to;
    }

    @Override
    public void number(Operand.Literal literal) {
      asm.set(to, literal.value());
    }

    @Override
    public void flags(Operand.Flags flags) {
      asm.set(to, LinuxConstant.or(architecture, flags.constants()));
    }

    @Override
    public void text(Operand.Text text) {
      asm.address(to, data.text(text.value()));
    }

    @Override
    public void structure(Operand.Structure structure) {
      asm.address(to, data.constant(encode(structure), 8));
    }

    @Override
    public void result(Operand.Result result) {
      loadVariable(to, slot(result.slot()));
    }

    @Override
    public void tail(Operand.Tail tail) {
      loadVariable(to, slot(tail.slot()));
      asm.add(to, tail.skipped());
    }

    @Override
    public void argument(Operand.Argument argument) {
      loadVariable(to, ownArguments);
      asm.load(to, to, 8 * argument.index(), Width.DOUBLE);
    }

    @Override
    public void address(Operand.Address address) {
      asm.address(to, buffer(address.buffer()));
    }

    @Override
    public void member(Operand.Member member) {
      asm.address(to, buffer(member.buffer()));
      asm.load(to, to, member.field().offset(), Width.DOUBLE);
    }

    @Override
    public void resultAddress(Operand.ResultAddress address) {
      asm.address(to, slot(address.slot()));
    }

    @Override
    public void image(Operand.Image image) {
      asm.address(to, data.image(images.apply(image.program())));
    }

    @Override
    public void imageSize(Operand.ImageSize size) {
      asm.set(to, images.apply(size.program()).size());
    }

    /** It holds an address, which an executable without relocations can only fill in itself. */
    @Override
    public void filter(Operand.Filter filter) {
      byte[] instructions = filter.filter().instructions(architecture);
      asm.address(SCRATCH, data.zeroed(LinuxStruct.SOCK_FPROG.size()));
      asm.set(to, instructions.length / FILTER_INSTRUCTION_SIZE);
      asm.store(SCRATCH, StructField.SOCK_FPROG_LEN.offset(), to, Width.HALF);
      asm.address(to, data.constant(instructions, 8));
      asm.store(SCRATCH, StructField.SOCK_FPROG_FILTER.offset(), to, Width.DOUBLE);
      asm.copy(to, SCRATCH);
    }
  }

  private byte[] encode(Operand.Structure structure) {
    byte[] bytes = new byte[structure.struct().size() * structure.count()];
    for (int i = 0; i < structure.count(); i++) {
      int start = structure.struct().size() * i;
      structure
          .elements()
          .get(i)
          .forEach((field, operand) -> encode(bytes, start + field.offset(), field, operand));
    }
    return bytes;
  }

  private void encode(byte[] bytes, int offset, StructField field, Operand operand) {
    if (operand instanceof Operand.Text(OsString text)) {
      System.arraycopy(text.bytes(), 0, bytes, offset, text.length());
    } else {
      long value = number(operand);
      for (int i = 0; i < field.size(); i++) {
        bytes[offset + i] = (byte) (value >> (8 * i));
      }
    }
  }

  private long number(Operand operand) {
    if (operand instanceof Operand.Literal literal) {
      return literal.value();
    }
    if (operand instanceof Operand.Flags flags) {
      return LinuxConstant.or(architecture, flags.constants());
    }
    throw new IllegalArgumentException("not a number: " + operand);
  }
}
