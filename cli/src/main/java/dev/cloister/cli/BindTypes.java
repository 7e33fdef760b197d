package dev.cloister.cli;

import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.OsString;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Finds binds of a file onto a directory, or the reverse, where the destination lies below another
 * bind and so can be looked at on the host beforehand. The kernel would refuse them half-way.
 */
final class BindTypes {
  private static final OsString SLASH = OsString.of("/");

  private BindTypes() {}

  static void check(List<MountOperation> mounts) throws CliException {
    for (int i = 0; i < mounts.size(); i++) {
      if (mounts.get(i) instanceof Bind bind) {
        check(bind, mounts.subList(0, i));
      }
    }
  }

  private static void check(Bind bind, List<MountOperation> earlier) throws CliException {
    Optional<Path> below =
        covering(bind.destination(), earlier).flatMap(c -> onHost(c, bind.destination()));
    if (below.isPresent()
        && Files.exists(below.get())
        && Files.isDirectory(below.get()) != bind.source().directory()) {
      throw new CliException(
          "%s %s %s: %s"
              .formatted(
                  option(bind),
                  bind.source().path(),
                  bind.destination(),
                  bind.source().directory()
                      ? "the first is a directory, but the second in the sandbox is not"
                      : "the first is not a directory, but the second in the sandbox is one"));
    }
  }

  /** The option that asks for this bind; {@code --mount PATH} is one with the same path twice. */
  private static String option(Bind bind) {
    return switch (bind.access()) {
      case READ_WRITE -> RunOption.BIND.word();
      case READ_ONLY -> RunOption.RO_BIND.word();
      case DEVICES -> RunOption.DEV_BIND.word();
    };
  }

  /** What decides what is at {@code destination}: the last operation above or at it, if a bind. */
  private static Optional<Bind> covering(Destination destination, List<MountOperation> earlier) {
    for (int i = earlier.size() - 1; i >= 0; i--) {
      MountOperation operation = earlier.get(i);
      if (operation instanceof MountOperation.Permissions
          || operation instanceof MountOperation.RemountReadOnly) {
        continue;
      }
      if (destination.isAtOrBelow(operation.destination())) {
        return operation instanceof Bind bind ? Optional.of(bind) : Optional.empty();
      }
    }
    return Optional.empty();
  }

  private static Optional<Path> onHost(Bind bind, Destination destination) {
    OsString path = bind.source().path();
    int depth = bind.destination().components().size();
    for (OsString name : destination.components().subList(depth, destination.components().size())) {
      path = path.concat(SLASH).concat(name);
    }
    return path.toPath();
  }
}
