package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.EPOLLONESHOT;
import static dev.cloister.ffm.LinuxConstant.EPOLL_CLOEXEC;
import static dev.cloister.ffm.LinuxConstant.EPOLL_CTL_ADD;
import static dev.cloister.ffm.LinuxConstant.EPOLL_CTL_DEL;
import static dev.cloister.ffm.LinuxConstant.EPOLL_CTL_MOD;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;

/**
 * Waits for many descriptors at once: epoll(7). Each is watched until something happened to it,
 * once, and then again when its owner says so, so that one thread may wait and others do the work.
 *
 * <p>Any thread may watch, rearm and forget descriptors. One thread at a time waits, because there
 * is one buffer, and none may when the queue is closed.
 */
public final class EventQueue implements AutoCloseable {
  private static final MemoryLayout EVENT =
      switch (KernelCall.HOST) {
        // Not in LinuxStruct: it is packed on x86_64 only, so that 32-bit programs have the same.
        case X86_64 -> dev.cloister.ffm.generated.x86_64.epoll_event.layout();
        case AARCH64 -> dev.cloister.ffm.generated.aarch64.epoll_event.layout();
      };

  private static final long EVENTS = EVENT.byteOffset(PathElement.groupElement("events"));
  private static final long DATA = EVENT.byteOffset(PathElement.groupElement("data"));

  /** How many events a wait gives at most; those left over are the first of the next. */
  private static final int CAPACITY = 64;

  private final Descriptor epoll;
  private final MemorySegment events;

  private EventQueue(Descriptor epoll) {
    this.epoll = epoll;
    // Not a shared arena: its memory would be gone while a thread waits, if one does against the
    // rule above.
    events = Arena.ofAuto().allocate(EVENT.byteSize() * CAPACITY, Long.BYTES);
  }

  /** Makes a queue that watches nothing yet: epoll_create1(2). Its owner closes it. */
  public static EventQueue open() throws LinuxException {
    return new EventQueue(
        Descriptor.owning(new KernelCall(SystemCall.EPOLL_CREATE1).flags(EPOLL_CLOEXEC)));
  }

  /**
   * Watches a descriptor, until the first of the events: epoll_ctl(2). An error or the end of the
   * other side ({@code EPOLLERR}, {@code EPOLLHUP}) is always one of them.
   *
   * @param token what {@link #await} gives for it
   * @throws LinuxException with EEXIST if it is watched already, with EPERM if it is of a kind that
   *     is always ready: a regular file or a directory
   */
  public void watch(Descriptor descriptor, long token, LinuxConstant... wanted)
      throws LinuxException {
    control(EPOLL_CTL_ADD, descriptor, token, wanted);
  }

  /**
   * Watches a descriptor again, until the first of the events: epoll_ctl(2). What happened
   * meanwhile counts.
   *
   * @throws LinuxException with ENOENT if it was never watched, or forgotten
   */
  public void rearm(Descriptor descriptor, long token, LinuxConstant... wanted)
      throws LinuxException {
    control(EPOLL_CTL_MOD, descriptor, token, wanted);
  }

  private void control(
      LinuxConstant operation, Descriptor descriptor, long token, LinuxConstant... wanted)
      throws LinuxException {
    long bits = EPOLLONESHOT.value(KernelCall.HOST);
    for (LinuxConstant event : wanted) {
      bits |= event.value(KernelCall.HOST);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment event = arena.allocate(EVENT);
      event.set(JAVA_INT_UNALIGNED, EVENTS, (int) bits);
      event.set(JAVA_LONG_UNALIGNED, DATA, token);
      control(operation, descriptor).memory(event, "event").run();
    }
  }

  private KernelCall control(LinuxConstant operation, Descriptor descriptor) {
    return new KernelCall(SystemCall.EPOLL_CTL)
        .number(epoll.number())
        .flags(operation)
        .number(descriptor.number());
  }

  /**
   * Watches a descriptor no more, if it was: epoll_ctl(2). To be called before it is closed: while
   * a copy of it is open anywhere, the kernel goes on watching. A wait that is under way may still
   * give its token.
   */
  public void forget(Descriptor descriptor) throws LinuxException {
    control(EPOLL_CTL_DEL, descriptor).nullPointer().runUninterrupted(Errno.ENOENT, 0);
  }

  /**
   * Waits, without limit, until something happened to one of the descriptors: epoll_pwait(2).
   *
   * @param tokens to be filled from its start; at least one must fit
   * @return how many were
   */
  public int await(long[] tokens) throws LinuxException {
    int count =
        (int)
            new KernelCall(SystemCall.EPOLL_PWAIT)
                .number(epoll.number())
                .memory(events, "events")
                .number(Math.min(tokens.length, CAPACITY))
                .number(-1)
                .nullPointer()
                .number(Long.BYTES)
                .runUninterrupted();
    for (int i = 0; i < count; i++) {
      tokens[i] = events.get(JAVA_LONG_UNALIGNED, i * EVENT.byteSize() + DATA);
    }
    return count;
  }

  /** Closes the queue. What it watched stays open. */
  @Override
  public void close() throws LinuxException {
    epoll.close();
  }
}
