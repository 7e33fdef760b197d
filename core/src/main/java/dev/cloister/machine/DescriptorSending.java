package dev.cloister.machine;

import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;

/** Sends one descriptor with one word through a socket. */
final class DescriptorSending {
  private static final int DESCRIPTOR_SIZE = 4;
  private static final int WORD_SIZE = 4;

  private final Emitter emitter;
  private final Assembler asm;
  private final Label message;
  private final Label part;
  private final Label control;

  DescriptorSending(Emitter emitter) {
    this.emitter = emitter;
    this.asm = emitter.asm;
    this.message = emitter.data.zeroed(LinuxStruct.MSGHDR.size());
    this.part = emitter.data.zeroed(LinuxStruct.IOVEC.size());
    // With what aligns the one that would follow.
    this.control = emitter.data.zeroed(LinuxStruct.CMSGHDR.size() + 2 * DESCRIPTOR_SIZE);
  }

  void write(Instruction.SendDescriptor send) {
    int header = LinuxStruct.CMSGHDR.size();
    asm.address(A1, control);
    set(StructField.CMSGHDR_LEN, header + DESCRIPTOR_SIZE);
    set(StructField.CMSGHDR_LEVEL, LinuxConstant.SOL_SOCKET.value(emitter.architecture));
    set(StructField.CMSGHDR_TYPE, LinuxConstant.SCM_RIGHTS.value(emitter.architecture));
    emitter.loadVariable(A0, emitter.slot(send.descriptor()));
    asm.store(A1, header, A0, Width.WORD);
    asm.address(A1, part);
    asm.address(A0, emitter.data.constant(new ByteBuilder().u32(send.word()).toArray(), WORD_SIZE));
    asm.store(A1, StructField.IOVEC_BASE.offset(), A0, Width.DOUBLE);
    set(StructField.IOVEC_LEN, WORD_SIZE);
    asm.copy(A2, A1);
    asm.address(A1, message);
    asm.store(A1, StructField.MSGHDR_IOV.offset(), A2, Width.DOUBLE);
    set(StructField.MSGHDR_IOVLEN, 1);
    asm.address(A0, control);
    asm.store(A1, StructField.MSGHDR_CONTROL.offset(), A0, Width.DOUBLE);
    set(StructField.MSGHDR_CONTROLLEN, header + DESCRIPTOR_SIZE);
    asm.set(A0, send.socket());
    emitter.set(A2, LinuxConstant.MSG_NOSIGNAL);
    emitter.systemCall(SystemCall.SENDMSG);
  }

  /** A field of the structure at A1. */
  private void set(StructField field, long value) {
    asm.set(A0, value);
    asm.store(A1, field.offset(), A0, field.size() == WORD_SIZE ? Width.WORD : Width.DOUBLE);
  }
}
