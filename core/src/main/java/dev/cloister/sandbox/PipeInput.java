package dev.cloister.sandbox;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Objects;

/**
 * What a process writes, read without occupying the thread that waits for it, so any number of
 * virtual threads can. Closing it wakes whoever reads.
 *
 * <p>When the process ends, what it has written until then is kept, and the pipe closed: a program
 * that never reads loses no descriptor, and one that was left running in the background does not
 * keep a reader waiting.
 */
final class PipeInput extends InputStream {
  private static final int CHUNK = 8192;

  /** As much as a pipe holds that nobody privileged has enlarged (pipe(7), pipe-max-size). */
  private static final int MOST_KEPT = 1024 * 1024;

  private final Readiness readiness;
  private byte[] kept = {};
  private int next;
  private int end;
  private boolean atEnd;
  private boolean closed;

  /**
   * Takes over the reading end of a pipe.
   *
   * @throws LinuxException if that is impossible; the pipe stays the caller's then
   */
  PipeInput(Descriptor pipe) throws LinuxException {
    this.readiness = new Readiness(pipe, LinuxConstant.EPOLLIN);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (length == 0) {
      return 0;
    }
    readiness.lock().lock();
    try {
      while (true) {
        requireOpen();
        int count = tryRead(bytes, offset, length);
        if (count != Descriptor.WOULD_BLOCK) {
          return count;
        }
        readiness.await();
      }
    } finally {
      readiness.lock().unlock();
    }
  }

  private void requireOpen() throws IOException {
    if (closed) {
      throw new IOException("Stream closed");
    }
  }

  private int tryRead(byte[] bytes, int offset, int length) throws IOException {
    if (next == end && !atEnd) {
      if (length >= CHUNK) {
        return noteEnd(readiness.pipe().tryRead(bytes, offset, length));
      }
      fill();
    }
    if (next < end) {
      int count = Math.min(length, end - next);
      System.arraycopy(kept, next, bytes, offset, count);
      next += count;
      return count;
    }
    return atEnd ? -1 : Descriptor.WOULD_BLOCK;
  }

  /** Reads ahead, so that reading byte for byte does not ask the kernel for each. */
  private void fill() throws LinuxException {
    if (kept.length < CHUNK) {
      kept = new byte[CHUNK];
    }
    next = 0;
    end = 0;
    int count = noteEnd(readiness.pipe().tryRead(kept, 0, CHUNK));
    end = Math.max(count, 0);
  }

  private int noteEnd(int count) throws LinuxException {
    if (count == -1) {
      closePipe();
    }
    return count;
  }

  @Override
  public int available() throws IOException {
    readiness.lock().lock();
    try {
      requireOpen();
      if (next == end && !atEnd) {
        fill();
      }
      return end - next;
    } finally {
      readiness.lock().unlock();
    }
  }

  /**
   * Keeps what is there and closes the pipe. Does not block, nor does it go on for as long as what
   * was left in the background writes.
   */
  void processEnded() throws LinuxException {
    readiness.lock().lock();
    try {
      while (!atEnd) {
        if (kept.length - end < CHUNK) {
          makeRoom();
        }
        int count = readiness.pipe().tryRead(kept, end, kept.length - end);
        end += Math.max(count, 0);
        if (count < 0 || end - next >= MOST_KEPT) {
          closePipe();
        }
      }
    } finally {
      readiness.lock().unlock();
    }
  }

  private void makeRoom() {
    byte[] rest = Arrays.copyOfRange(kept, next, end);
    kept = Arrays.copyOf(rest, Math.max(2 * rest.length, rest.length + CHUNK));
    next = 0;
    end = rest.length;
  }

  private void closePipe() throws LinuxException {
    atEnd = true;
    readiness.close();
  }

  @Override
  public void close() throws LinuxException {
    readiness.lock().lock();
    try {
      closed = true;
      kept = new byte[0];
      next = 0;
      end = 0;
      closePipe();
    } finally {
      readiness.lock().unlock();
    }
  }
}
