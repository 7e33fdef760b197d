package dev.cloister.probe;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Something that another thread finds out while this one waits for other processes. */
public final class Meanwhile<T> {
  private final FutureTask<T> task;

  private Meanwhile(FutureTask<T> task) {
    this.task = task;
  }

  /**
   * Starts at once.
   *
   * @param name the thread's
   */
  public static <T> Meanwhile<T> find(String name, Callable<T> what) {
    FutureTask<T> task = new FutureTask<>(what);
    new Thread(task, name).start();
    return new Meanwhile<>(task);
  }

  /** Waits for it. What is thrown there is thrown here. */
  public T result() {
    try {
      return task.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while probes ran", e);
    }
  }
}
