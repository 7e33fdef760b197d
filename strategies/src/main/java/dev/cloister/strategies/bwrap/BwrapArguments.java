package dev.cloister.strategies.bwrap;

import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.List;

/** Says a specification in bubblewrap's words, option by option, in the same order. */
final class BwrapArguments {
  private final List<OsString> arguments = new ArrayList<>();

  private BwrapArguments() {}

  /** All options but those about the identity and the command. */
  static List<OsString> of(SandboxSpec spec) {
    BwrapArguments translation = new BwrapArguments();
    for (Namespace namespace : Namespace.values()) {
      if (spec.namespaces().contains(namespace)) {
        translation.add("--unshare-" + namespace.word());
      }
    }
    spec.hostname().ifPresent(name -> translation.add("--hostname", name));
    spec.mounts().forEach(translation::add);
    spec.workingDirectory().ifPresent(directory -> translation.add("--chdir", directory));
    return translation.arguments;
  }

  private void add(MountOperation operation) {
    OsString destination = operation.destination().absolute();
    switch (operation) {
      case Bind bind -> add(option(bind.access()), bind.source().path(), destination);
      case MountOperation.Tmpfs _ -> add("--tmpfs", destination);
      case MountOperation.Directory directory ->
          add("--perms", OsString.of("%04o".formatted(directory.mode()))).add("--dir", destination);
      case MountOperation.Symlink symlink -> add("--symlink", symlink.target(), destination);
      case MountOperation.Proc _ -> add("--proc", destination);
      case MountOperation.Devices _ -> add("--dev", destination);
    }
  }

  private static String option(MountOperation.Access access) {
    return switch (access) {
      case READ_WRITE -> "--bind";
      case READ_ONLY -> "--ro-bind";
      case DEVICES -> "--dev-bind";
    };
  }

  private BwrapArguments add(String option, OsString... values) {
    arguments.add(OsString.of(option));
    arguments.addAll(List.of(values));
    return this;
  }
}
