package dev.cloister.strategies.bwrap;

import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.OsString;
import java.util.List;
import java.util.Optional;

/** Where in the sandbox bubblewrap finds the inner launcher. */
enum InnerLauncher {
  /** Through the descriptor it inherits. */
  PROC {
    @Override
    List<OsString> arguments(int descriptor) {
      return List.of(OsString.of("--"), OsString.of("/proc/self/fd/" + descriptor));
    }
  },

  /** In a file that bubblewrap makes in the root, where that is its own tmpfs. */
  FILE {
    @Override
    List<OsString> arguments(int descriptor) {
      String path = "/.cloister";
      return List.of(
          OsString.of("--perms"),
          OsString.of("0555"),
          OsString.of("--ro-bind-data"),
          OsString.of(Integer.toString(descriptor)),
          OsString.of(path),
          OsString.of("--"),
          OsString.of(path));
    }
  };

  private static final Destination PROC_DIRECTORY = Destination.of("/proc");

  /** The options that provide it, and its name as the command's start. */
  abstract List<OsString> arguments(int descriptor);

  /** Only those. */
  List<String> options() {
    return arguments(0).stream()
        .map(OsString::toString)
        .filter(word -> word.startsWith("--") && word.length() > 2)
        .toList();
  }

  static Optional<InnerLauncher> place(List<MountOperation> mounts) {
    Optional<InnerLauncher> place = Optional.of(FILE);
    for (MountOperation mount : mounts) {
      if (mount instanceof MountOperation.Permissions) {
        continue;
      }
      if (mount instanceof MountOperation.RemountReadOnly) {
        place = mount.destination().isRoot() ? place.filter(PROC::equals) : place;
      } else if (mount.destination().isRoot()) {
        place = afterRoot(mount);
      } else if (mount.destination().equals(PROC_DIRECTORY)) {
        boolean isProc =
            mount instanceof MountOperation.Proc
                || (mount instanceof Bind bind
                    && bind.source().path().equals(OsString.of("/proc")));
        if (isProc) {
          place = Optional.of(PROC);
        } else if (place.equals(Optional.of(PROC))) {
          place = Optional.empty();
        }
      }
    }
    return place;
  }

  private static Optional<InnerLauncher> afterRoot(MountOperation mount) {
    if (mount instanceof MountOperation.Overlay) {
      // A file would be among the changes that are kept; mounts of the layers' are not shown.
      return Optional.empty();
    }
    if (mount instanceof Bind bind) {
      return bind.source().isRoot() ? Optional.of(PROC) : Optional.empty();
    }
    return Optional.of(FILE);
  }
}
