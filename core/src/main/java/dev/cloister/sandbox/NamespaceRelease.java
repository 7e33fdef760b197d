package dev.cloister.sandbox;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.LinuxException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Closes the last descriptors of namespaces, which takes the kernel some time, in a thread that
 * nobody waits for.
 */
final class NamespaceRelease {
  private final BlockingQueue<Descriptor> namespaces = new LinkedBlockingQueue<>();

  /** Started when the first is to be closed. */
  private static final class Shared {
    private static final NamespaceRelease INSTANCE = start();

    private static NamespaceRelease start() {
      NamespaceRelease release = new NamespaceRelease();
      Thread.ofPlatform()
          .name("cloister-namespaces")
          .daemon()
          .inheritInheritableThreadLocals(false)
          .start(release::run);
      return release;
    }
  }

  static NamespaceRelease shared() {
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
