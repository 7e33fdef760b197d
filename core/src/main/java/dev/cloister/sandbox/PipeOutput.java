package dev.cloister.sandbox;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Objects;

/**
 * What a process reads, written without occupying the thread that waits until there is room. When
 * the process ends, the pipe is closed.
 */
final class PipeOutput extends OutputStream {
  private final Readiness readiness;
  private boolean closed;

  /**
   * Takes over the writing end of a pipe.
   *
   * @throws LinuxException if that is impossible; the pipe stays the caller's then
   */
  PipeOutput(Descriptor pipe) throws LinuxException {
    this.readiness = new Readiness(pipe, LinuxConstant.EPOLLOUT);
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  /** Of several threads' bytes, those of one write stay together only as far as pipe(7) says. */
  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    readiness.lock().lock();
    try {
      int written = 0;
      while (written < length) {
        if (closed) {
          throw new IOException("Stream closed");
        }
        int count = readiness.pipe().tryWrite(bytes, offset + written, length - written);
        if (count == Descriptor.WOULD_BLOCK) {
          readiness.await();
        } else {
          written += count;
        }
      }
    } finally {
      readiness.lock().unlock();
    }
  }

  @Override
  public void close() throws LinuxException {
    readiness.lock().lock();
    try {
      closed = true;
      readiness.close();
    } finally {
      readiness.lock().unlock();
    }
  }
}
