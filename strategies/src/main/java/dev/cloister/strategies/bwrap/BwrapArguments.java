package dev.cloister.strategies.bwrap;

import dev.cloister.recipe.Credentials;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Says a specification in bubblewrap's words, option by option, in the same order. */
final class BwrapArguments {
  private final List<OsString> arguments = new ArrayList<>();
  private final List<String> options = new ArrayList<>();
  private final Set<Destination> made = new HashSet<>();
  private final List<String> protectedProc;

  private BwrapArguments(List<String> protectedProc) {
    this.protectedProc = protectedProc;
  }

  /**
   * All options but those about the identity, the command and where it starts.
   *
   * @param protectedProc as in {@link dev.cloister.host.HostReport}
   */
  static List<OsString> of(SandboxSpec spec, List<String> protectedProc) {
    return translate(spec, protectedProc).arguments;
  }

  /** The options among these, in the order in which they come, without what follows them. */
  static List<String> optionsOf(SandboxSpec spec, List<String> protectedProc) {
    return translate(spec, protectedProc).options;
  }

  private static BwrapArguments translate(SandboxSpec spec, List<String> protectedProc) {
    BwrapArguments translation = new BwrapArguments(protectedProc);
    Set<Namespace> inner = Credentials.namespacesMadeLast(spec);
    for (Namespace namespace : Namespace.values()) {
      if (spec.namespaces().contains(namespace) && !inner.contains(namespace)) {
        translation.add("--unshare-" + namespace.word());
      }
    }
    // It is the init that is Cloister's own; without one, bubblewrap's waiting process must not
    // outlive the one of Cloister's.
    translation.add(spec.namespaces().contains(Namespace.PID) ? "--as-pid-1" : "--die-with-parent");
    if (!inner.contains(Namespace.UTS)) {
      spec.hostname().ifPresent(name -> translation.add("--hostname", name));
    }
    for (int i = 0; i < spec.mounts().size(); i++) {
      if (!repeatsLink(spec.mounts(), i)) {
        translation.makeParents(spec.mounts().get(i));
        translation.add(spec.mounts().get(i));
      }
    }
    // The inner launcher goes there. Without this, bubblewrap looks where the caller was.
    if (spec.workingDirectory().isPresent()) {
      translation.add("--chdir", OsString.of("/"));
    }
    return translation;
  }

  /**
   * Whether operation {@code index} makes a symbolic link that is there already, which bubblewrap
   * before 0.9.0 took for an error. Something mounted over the link since has hidden it.
   */
  private static boolean repeatsLink(List<MountOperation> mounts, int index) {
    MountOperation operation = mounts.get(index);
    for (MountOperation earlier : mounts.subList(0, index).reversed()) {
      if (earlier.equals(operation)) {
        return operation instanceof MountOperation.Symlink;
      }
      if (!(earlier instanceof MountOperation.Directory)
          && operation.destination().isAtOrBelow(earlier.destination())) {
        return false;
      }
    }
    return false;
  }

  /**
   * bubblewrap makes what is missing on the way to a destination with mode 0700, or one it derives
   * from {@code --perms}: a command that is made another user could not pass. What exists is left
   * as it is.
   */
  private void makeParents(MountOperation operation) {
    Destination destination = operation.destination();
    OsString mode = octal(parentsMode(operation));
    for (int depth = 1; depth < destination.components().size(); depth++) {
      Destination parent = destination.prefix(depth);
      if (made.add(parent)) {
        add("--perms", mode).add("--dir", parent.absolute());
      }
    }
    // Whatever comes here may hide them.
    made.removeIf(parent -> parent.isAtOrBelow(destination));
  }

  private static int parentsMode(MountOperation operation) {
    return switch (operation) {
      case MountOperation.Tmpfs tmpfs -> MountOperation.parentsMode(tmpfs.mode());
      case MountOperation.Directory directory -> MountOperation.parentsMode(directory.mode());
      case MountOperation.DataFile file -> MountOperation.parentsMode(file.mode());
      case MountOperation.DataBind data -> MountOperation.parentsMode(data.mode());
      default -> MountOperation.parentsMode(0755);
    };
  }

  private void add(MountOperation operation) {
    OsString destination = operation.destination().absolute();
    switch (operation) {
      case Bind bind -> bind(bind, destination);
      case MountOperation.DataFile file ->
          data("--file", file.descriptor(), file.mode(), destination);
      case MountOperation.DataBind data ->
          data(option(data.access()) + "-data", data.descriptor(), data.mode(), destination);
      case MountOperation.Tmpfs tmpfs -> {
        if (tmpfs.size().isPresent()) {
          add("--size", OsString.of(Long.toString(tmpfs.size().getAsLong())));
        }
        if (tmpfs.mode() != 0755) {
          add("--perms", octal(tmpfs.mode()));
        }
        add("--tmpfs", destination);
      }
      case MountOperation.Directory directory ->
          add("--perms", octal(directory.mode())).add("--dir", destination);
      case MountOperation.Symlink symlink -> add("--symlink", symlink.target(), destination);
      case MountOperation.Proc _ -> proc(destination);
      case MountOperation.LateBind _, MountOperation.AsOnHost _, MountOperation.HideLaunchers _ ->
          throw new IllegalArgumentException("bubblewrap is told what to bind: " + operation);
      case MountOperation.Devices _ ->
          // bubblewrap makes the directory for everybody's shared memory with mode 0755.
          add("--dev", destination)
              .add("--chmod", OsString.of("1777"), destination.concat(OsString.of("/shm")));
    }
  }

  private static OsString octal(int mode) {
    return OsString.of("%04o".formatted(mode));
  }

  /**
   * bubblewrap covers those of these directories that access(2) calls writable, which {@code
   * /proc/sys} is for nobody, although files in it can be written by a process that is really root.
   */
  private void proc(OsString destination) {
    add("--proc", destination);
    for (String name : protectedProc) {
      OsString below = OsString.of("/" + name);
      add("--ro-bind", OsString.of("/proc").concat(below), destination.concat(below));
    }
  }

  private void bind(Bind bind, OsString destination) {
    String option = option(bind.access());
    if (bind.source().descriptor().isPresent()) {
      add(option + "-fd", number(bind.source().descriptor().getAsInt()), destination);
    } else {
      add(option, bind.source().path(), destination);
    }
  }

  private void data(String option, int descriptor, int mode, OsString destination) {
    add("--perms", octal(mode));
    add(option, number(descriptor), destination);
  }

  private static OsString number(int descriptor) {
    return OsString.of(Integer.toString(descriptor));
  }

  private static String option(MountOperation.Access access) {
    return switch (access) {
      case READ_WRITE -> "--bind";
      case READ_ONLY -> "--ro-bind";
      case DEVICES -> "--dev-bind";
    };
  }

  private BwrapArguments add(String option, OsString... values) {
    options.add(option);
    arguments.add(OsString.of(option));
    arguments.addAll(List.of(values));
    return this;
  }
}
