package dev.cloister.sandbox;

import dev.cloister.sandbox.Capture.Exceeded;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/** Reads both outputs of a process at once, a virtual thread each, which cost next to nothing. */
final class Capturing {
  private static final int CHUNK = 8192;

  private final SandboxProcess process;
  private final CaptureLimits limits;
  private volatile Exceeded exceeded = Exceeded.NONE;

  Capturing(SandboxProcess process, CaptureLimits limits) {
    this.process = process;
    this.limits = limits;
  }

  /** Reads until the process has ended, by itself or not. */
  Capture toEnd() throws IOException, InterruptedException {
    CompletableFuture<byte[]> output = readAside(process.getInputStream());
    CompletableFuture<byte[]> error = readAside(process.getErrorStream());
    try {
      Result result = await();
      return new Capture(result, output.join(), error.join(), exceeded);
    } catch (CompletionException e) {
      if (e.getCause() instanceof IOException reading) {
        throw reading;
      }
      throw e;
    }
  }

  private Result await() throws InterruptedException {
    try {
      Optional<Result> inTime =
          process.await(TimeUnit.NANOSECONDS.convert(limits.time()), TimeUnit.NANOSECONDS);
      if (inTime.isPresent()) {
        return inTime.get();
      }
      end(Exceeded.TIME);
      return process.await();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      // Whoever is interrupted may go on to remove what the command works on.
      process.awaitUninterruptibly();
      throw e;
    }
  }

  private synchronized void end(Exceeded why) {
    if (exceeded == Exceeded.NONE) {
      exceeded = why;
    }
    process.destroyForcibly();
  }

  private CompletableFuture<byte[]> readAside(InputStream stream) {
    CompletableFuture<byte[]> all = new CompletableFuture<>();
    Thread.ofVirtual()
        .name("cloister-capture")
        .start(
            () -> {
              try {
                all.complete(read(stream));
              } catch (IOException | RuntimeException | Error e) {
                all.completeExceptionally(e);
              }
            });
    return all;
  }

  /** Does not close it: the end of the process does, which a closed pipe would end otherwise. */
  private byte[] read(InputStream stream) throws IOException {
    ByteArrayOutputStream kept = new ByteArrayOutputStream();
    byte[] chunk = new byte[CHUNK];
    for (int count = stream.read(chunk); count >= 0; count = stream.read(chunk)) {
      int room = limits.bytes() - kept.size();
      kept.write(chunk, 0, Math.min(count, room));
      if (count > room) {
        end(Exceeded.BYTES);
        break;
      }
    }
    return kept.toByteArray();
  }
}
