package dev.cloister.sandbox;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.LinuxException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.spi.AbstractInterruptibleChannel;

/**
 * A wait of the calling thread in the kernel, which an interrupt ends: the JDK tells a channel that
 * is blocked of it, and this one wakes its thread. Of use to a platform thread, which then is woken
 * by the event itself and not by another thread that was.
 */
final class DirectWait extends AbstractInterruptibleChannel {
  /** A number that is not 0, for eventfd(2). */
  private static final byte[] ONE = {1, 0, 0, 0, 0, 0, 0, 0};

  private final Descriptor event;
  private final Descriptor interrupt;

  private DirectWait(Descriptor event, Descriptor interrupt) {
    this.event = event;
    this.interrupt = interrupt;
  }

  /**
   * Waits until the descriptor can be read from.
   *
   * @throws InterruptedException if this thread is interrupted, or was already
   */
  static void await(Descriptor event) throws LinuxException, InterruptedException {
    try (Descriptor interrupt = Descriptor.event()) {
      new DirectWait(event, interrupt).await();
    }
  }

  private void await() throws LinuxException, InterruptedException {
    begin();
    try {
      Descriptor.awaitAny(event, interrupt);
    } finally {
      finish();
    }
  }

  private void finish() throws InterruptedException {
    try {
      end(true);
    } catch (AsynchronousCloseException e) {
      // Nobody else closes it. The interrupt is told as others are.
    }
    if (!isOpen() && Thread.interrupted()) {
      throw new InterruptedException();
    }
  }

  /** Called by the thread that interrupts. */
  @Override
  protected void implCloseChannel() throws LinuxException {
    interrupt.write(ONE);
  }
}
