package dev.cloister.strategies.landlock;

import dev.cloister.host.HostReport;
import dev.cloister.spec.Destination;
import dev.cloister.spec.OsString;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** Follows the symbolic links of the host. */
final class HostPath {
  /** As many as the kernel (path_resolution(7)). */
  private static final int MAX_LINKS = 40;

  private static final OsString SELF = OsString.of(".");
  private static final OsString PARENT = OsString.of("..");

  private final HostReport host;
  private final Deque<OsString> ahead = new ArrayDeque<>();
  private final List<OsString> way = new ArrayList<>();
  private int links;

  private HostPath(HostReport host) {
    this.host = host;
  }

  /** Where an absolute path leads; nowhere, if there are too many links. */
  static Optional<Destination> resolve(OsString path, HostReport host) {
    HostPath walk = new HostPath(host);
    walk.goThrough(path);
    while (!walk.ahead.isEmpty() && walk.links <= MAX_LINKS) {
      walk.step(walk.ahead.removeFirst());
    }
    return walk.links > MAX_LINKS ? Optional.empty() : Optional.of(new Destination(walk.way));
  }

  private void step(OsString name) {
    if (name.equals(PARENT)) {
      if (!way.isEmpty()) {
        way.removeLast();
      }
      return;
    }
    way.add(name);
    Optional<OsString> target = host.links().apply(new Destination(way).absolute());
    if (target.isPresent()) {
      links++;
      way.removeLast();
      if (target.get().startsWith("/")) {
        way.clear();
      }
      goThrough(target.get());
    }
  }

  /** Puts the components of {@code path} before all others. */
  private void goThrough(OsString path) {
    int end = path.length();
    for (int i = path.length() - 1; i >= -1; i--) {
      if (i < 0 || path.charAt(i) == '/') {
        OsString name = path.substring(i + 1, end);
        if (!name.isEmpty() && !name.equals(SELF)) {
          ahead.addFirst(name);
        }
        end = i;
      }
    }
  }
}
