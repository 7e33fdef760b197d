package dev.cloister.sandbox;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.LinuxException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Closes the last descriptors of mount namespaces, which takes the kernel some time, in a thread
 * that nobody waits for.
 */
final class MountRelease {
  private final BlockingQueue<Descriptor> namespaces = new LinkedBlockingQueue<>();

  /** Started when the first is to be closed. */
  private static final class Shared {
    private static final MountRelease INSTANCE = start();

    private static MountRelease start() {
      MountRelease release = new MountRelease();
      Thread.ofPlatform()
          .name("cloister-mounts")
          .daemon()
          .inheritInheritableThreadLocals(false)
          .start(release::run);
      return release;
    }
  }

  static MountRelease shared() {
    return Shared.INSTANCE;
  }

  void close(Descriptor namespace) {
    namespaces.add(namespace);
  }

  private void run() {
    while (true) {
      try {
        namespaces.take().close();
      } catch (LinuxException e) {
        // Nothing was written to it that could be lost; it is closed.
      } catch (InterruptedException e) {
        // Nobody has a reason to; what is left is closed nevertheless.
      }
    }
  }
}
