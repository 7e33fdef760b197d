package dev.cloister.launch;

import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.SandboxSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Keeps the directory of launchers out of sandboxes that could write to it. A command with the same
 * user id could change the launcher of another sandbox between its writing and its start.
 */
public final class HiddenLaunchers {
  private HiddenLaunchers() {}

  /**
   * The same sandbox, with an empty tmpfs over {@code directory} wherever a bind shows it writable.
   */
  public static SandboxSpec in(SandboxSpec spec, PrivateDirectory directory) throws IOException {
    Path hidden = directory.path().toRealPath();
    List<MountOperation> covers = new ArrayList<>();
    for (MountOperation operation : spec.mounts()) {
      if (operation instanceof Bind bind) {
        Shown.writable(bind, hidden)
            .ifPresent(place -> covers.add(new MountOperation.Tmpfs(place)));
      }
    }
    return covers.isEmpty() ? spec : spec.withMounts(covers);
  }
}
