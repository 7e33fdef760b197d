package dev.cloister.sandbox;

import dev.cloister.ffm.Descriptor;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * A sandbox without a process: namespaces that nobody but this program has, and that the command's
 * process enters.
 */
final class WaitingNamespaces implements Waiting {
  private final Starter starter;
  private final List<Descriptor> namespaces;

  /**
   * Takes them over.
   *
   * @param namespaces in the order in which they are entered
   */
  WaitingNamespaces(Starter starter, List<Descriptor> namespaces) {
    this.starter = starter;
    this.namespaces = List.copyOf(namespaces);
  }

  @Override
  public Optional<RunningChild> start(Request request, StandardStreams streams) throws IOException {
    try {
      RunningChild child = starter.startIn(namespaces, request, streams);
      namespaces.forEach(child::keepNamespace);
      return Optional.of(child);
    } catch (IOException | RuntimeException e) {
      end();
      throw e;
    }
  }

  /** Nobody but this program could end it. */
  @Override
  public void whenLost(Runnable action) {}

  @Override
  public void end() {
    namespaces.forEach(NamespaceRelease.shared()::close);
  }
}
