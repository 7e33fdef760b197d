package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.MSG_CMSG_CLOEXEC;
import static dev.cloister.ffm.LinuxConstant.MSG_NOSIGNAL;
import static dev.cloister.ffm.LinuxConstant.SCM_RIGHTS;
import static dev.cloister.ffm.LinuxConstant.SOL_SOCKET;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;

/** Messages that carry descriptors to another process: unix(7). */
public final class Messages {
  private static final int END = -1;

  private Messages() {}

  /**
   * Sends all the bytes over a stream socket, and with the first of them copies of the descriptors:
   * sendmsg(2) as often as it takes. Blocks until they are taken; after a failure some may have
   * been.
   *
   * @param socket which must not be {@link Descriptor#setNonBlocking}
   * @param bytes at least one if there are descriptors, which cannot travel alone
   * @param descriptors at most 253, and still the caller's
   * @throws LinuxException with EPIPE or ECONNRESET if nobody has the other end any more
   */
  public static void send(Descriptor socket, byte[] bytes, List<Descriptor> descriptors)
      throws LinuxException {
    if (bytes.length == 0 && !descriptors.isEmpty()) {
      throw new IllegalArgumentException("descriptors without a byte to go with");
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocateFrom(JAVA_BYTE, bytes);
      Structure part = Structure.allocate(arena, LinuxStruct.IOVEC);
      Structure message = Structure.allocate(arena, LinuxStruct.MSGHDR);
      message.set(StructField.MSGHDR_IOV, part.memory().address());
      message.set(StructField.MSGHDR_IOVLEN, 1);
      attach(message, arena, descriptors);
      for (long sent = 0; sent < bytes.length; ) {
        part.set(StructField.IOVEC_BASE, data.address() + sent);
        part.set(StructField.IOVEC_LEN, bytes.length - sent);
        sent += send(socket, message);
        message.set(StructField.MSGHDR_CONTROLLEN, 0);
      }
    }
  }

  private static long send(Descriptor socket, Structure message) throws LinuxException {
    return new KernelCall(SystemCall.SENDMSG)
        .number(socket.number())
        .memory(message.memory(), "message")
        .flags(MSG_NOSIGNAL)
        .runUninterrupted();
  }

  /**
   * Reads what is there, and the descriptor that came with it: recvmsg(2). Waits unless the socket
   * is {@link Descriptor#setNonBlocking}.
   *
   * @param into gets the descriptor, closed on exec, which is the caller's then; of several, the
   *     first, while the kernel closes the others
   * @return how many bytes are at the start of {@code buffer} now; -1 at the end, or if the other
   *     end was closed before all was read there; {@link Descriptor#WOULD_BLOCK}
   */
  public static int receive(Descriptor socket, byte[] buffer, Consumer<Descriptor> into)
      throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(buffer.length);
      Structure part = Structure.allocate(arena, LinuxStruct.IOVEC);
      part.set(StructField.IOVEC_BASE, data.address());
      part.set(StructField.IOVEC_LEN, buffer.length);
      long size = LinuxStruct.CMSGHDR.size() + (long) Integer.BYTES;
      MemorySegment memory = arena.allocate(size, LinuxStruct.CMSGHDR.alignment());
      Structure message = Structure.allocate(arena, LinuxStruct.MSGHDR);
      message.set(StructField.MSGHDR_IOV, part.memory().address());
      message.set(StructField.MSGHDR_IOVLEN, 1);
      message.set(StructField.MSGHDR_CONTROL, memory.address());
      message.set(StructField.MSGHDR_CONTROLLEN, size);
      int count = receive(socket, message);
      // Where nothing came, the kernel leaves the length as it was.
      if (count >= 0 && message.get(StructField.MSGHDR_CONTROLLEN) > 0) {
        into.accept(Descriptor.owning(memory.get(JAVA_INT, LinuxStruct.CMSGHDR.size())));
      }
      MemorySegment.copy(data, JAVA_BYTE, 0, buffer, 0, Math.max(count, 0));
      return count == 0 ? END : count;
    }
  }

  private static int receive(Descriptor socket, Structure message) throws LinuxException {
    try {
      return (int)
          new KernelCall(SystemCall.RECVMSG)
              .number(socket.number())
              .memory(message.memory(), "message")
              .flags(MSG_CMSG_CLOEXEC)
              .runUninterrupted(Errno.EAGAIN, Descriptor.WOULD_BLOCK);
    } catch (LinuxException e) {
      if (e.is(Errno.ECONNRESET)) {
        return END;
      }
      throw e;
    }
  }

  private static void attach(Structure message, Arena arena, List<Descriptor> descriptors) {
    if (descriptors.isEmpty()) {
      return;
    }
    int header = LinuxStruct.CMSGHDR.size();
    long size = header + (long) Integer.BYTES * descriptors.size();
    MemorySegment memory = arena.allocate(size, LinuxStruct.CMSGHDR.alignment());
    Structure control = new Structure(memory);
    control.set(StructField.CMSGHDR_LEN, size);
    control.set(StructField.CMSGHDR_LEVEL, SOL_SOCKET.value(KernelCall.HOST));
    control.set(StructField.CMSGHDR_TYPE, SCM_RIGHTS.value(KernelCall.HOST));
    MemorySegment numbers = memory.asSlice(header);
    for (int i = 0; i < descriptors.size(); i++) {
      numbers.setAtIndex(JAVA_INT, i, descriptors.get(i).number());
    }
    message.set(StructField.MSGHDR_CONTROL, memory.address());
    message.set(StructField.MSGHDR_CONTROLLEN, size);
  }
}
