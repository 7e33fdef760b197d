package dev.cloister.cli;

import dev.cloister.ffm.Errno;
import dev.cloister.host.HostFiles;
import dev.cloister.host.HostFiles.SourceException;
import dev.cloister.host.Preset;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.MountOperation.Changes;
import dev.cloister.spec.MountOperation.LateBind;
import dev.cloister.spec.MountOperation.Source;
import dev.cloister.spec.OsString;
import java.util.ArrayList;
import java.util.List;

/**
 * What options say of the file system, in their order. What is on this host is looked at at once,
 * so that the option at fault can be named.
 */
final class MountOptions {
  /** bubblewrap's, for what data is put into. */
  private static final int DATA_FILE_MODE = 0666;

  private static final int DATA_BIND_MODE = 0600;

  private final Invocation invocation;
  private final Dialect dialect;
  private final boolean late;
  private final Modifiers modifiers;
  private final List<MountSource> mounts = new ArrayList<>();
  private final List<OsString> absent = new ArrayList<>();
  private boolean onlyMountPaths = true;

  /** Mounts that may depend on who the command is and on what makes them. */
  @FunctionalInterface
  private interface MountSource {
    List<MountOperation> mounts(PresetView view) throws CliException;
  }

  /**
   * What presets depend on.
   *
   * @param reallyRoot whether the command stays the kernel's root
   * @param ownPids whether it has a pid namespace of its own
   * @param inPlace whether a strategy was asked for that shows things only where they are
   * @param late whether the host is not known yet
   */
  record PresetView(boolean reallyRoot, boolean ownPids, boolean inPlace, boolean late) {
    List<MountOperation> of(Preset preset) throws CliException {
      if (late) {
        return preset.lateMounts(reallyRoot, ownPids);
      }
      try {
        return inPlace ? preset.mountsInPlace(reallyRoot) : preset.mounts(reallyRoot, ownPids);
      } catch (SourceException e) {
        throw new CliException("--preset " + preset.word() + ": " + e.getMessage());
      }
    }
  }

  /**
   * Starts without any.
   *
   * @param late whether the host is not known yet
   * @param modifiers what was said of the next option
   */
  MountOptions(Invocation invocation, Dialect dialect, boolean late, Modifiers modifiers) {
    this.invocation = invocation;
    this.dialect = dialect;
    this.late = late;
    this.modifiers = modifiers;
  }

  /** The sources that were not there, and need not be. */
  List<OsString> absent() {
    return absent;
  }

  /** Whether nothing but {@code --mount} was said, around which there is the host. */
  boolean areInHost() {
    return onlyMountPaths && dialect == Dialect.CLOISTER;
  }

  /** What was asked for, in the options' order. */
  List<MountOperation> all(PresetView view) throws CliException {
    List<MountOperation> operations = new ArrayList<>();
    for (MountSource source : mounts) {
      operations.addAll(source.mounts(view));
    }
    return operations;
  }

  void mountPath(OsString path) throws CliException {
    Destination destination = destination(RunOption.MOUNT, path);
    if (late) {
      LateBind bind =
          new LateBind(absolute(RunOption.MOUNT, path), destination, Access.READ_WRITE, false);
      mounts.add(_ -> List.of(bind));
      return;
    }
    Bind bind = new Bind(source(RunOption.MOUNT, path), destination, Access.READ_WRITE);
    mounts.add(_ -> List.of(bind));
  }

  void bind(RunOption option, List<OsString> values, Access access, boolean optional)
      throws CliException {
    Destination destination = destination(option, values.get(1));
    if (late) {
      add(new LateBind(absolute(option, values.get(0)), destination, access, optional));
      return;
    }
    try {
      Source source = inspect(option, values.get(0));
      requireDirectoryAsRoot(option, values, source, destination);
      add(new Bind(source, destination, access));
    } catch (SourceException e) {
      if (!optional || !e.isMissing()) {
        throw cannotUse(option, values.get(0), e);
      }
      onlyMountPaths = false;
      absent.add(values.get(0));
    }
  }

  private static void requireDirectoryAsRoot(
      RunOption option, List<OsString> values, Source source, Destination destination)
      throws CliException {
    if (destination.isRoot() && !source.directory()) {
      throw new CliException(
          "%s %s %s: not a directory, which alone can be the root"
              .formatted(
                  option.word(), Messages.value(values.get(0)), Messages.value(values.get(1))));
    }
  }

  /** Where a descriptor leads is looked at now; that it still does so, when it is bound. */
  void bindDescriptor(
      RunOption option, DescriptorOptions descriptors, List<OsString> values, Access access)
      throws CliException {
    Destination destination = destination(option, values.get(1));
    int number = descriptors.use(option, values.get(0));
    OsString path = DescriptorOptions.path(option, number, invocation);
    try {
      Source source = HostFiles.inspect(path).through(number);
      requireDirectoryAsRoot(option, values, source, destination);
      add(new Bind(source, destination, access));
    } catch (SourceException e) {
      throw new CliException(
          "%s %d: leads to %s: %s"
              .formatted(option.word(), number, Messages.value(path), e.getMessage()));
    }
  }

  void dataFile(RunOption option, DescriptorOptions descriptors, List<OsString> values)
      throws CliException {
    Destination destination = fileDestination(option, values.get(1));
    int number = descriptors.use(option, values.get(0));
    int mode = modifiers.takePerms().orElse(DATA_FILE_MODE);
    add(new MountOperation.DataFile(number, destination, mode));
  }

  void dataBind(
      RunOption option, DescriptorOptions descriptors, List<OsString> values, Access access)
      throws CliException {
    Destination destination = fileDestination(option, values.get(1));
    int number = descriptors.use(option, values.get(0));
    int mode = modifiers.takePerms().orElse(DATA_BIND_MODE);
    add(new MountOperation.DataBind(number, destination, mode, access));
  }

  private Destination fileDestination(RunOption option, OsString path) throws CliException {
    return belowRoot(option, path, "the root is a directory");
  }

  private Destination belowRoot(RunOption option, OsString path, String otherwise)
      throws CliException {
    Destination destination = destination(option, path);
    if (destination.isRoot()) {
      throw new CliException("%s %s: %s".formatted(option.word(), Messages.value(path), otherwise));
    }
    return destination;
  }

  private static OsString absolute(RunOption option, OsString path) throws CliException {
    if (!path.startsWith("/")) {
      throw new CliException(
          "%s %s: a launcher may be run from anywhere, so give an absolute path"
              .formatted(option.word(), Messages.value(path)));
    }
    return LateLaunchers.source(option, path);
  }

  void tmpfs(RunOption option, OsString path) throws CliException {
    Destination destination = destination(option, path);
    int mode = modifiers.takePerms().orElse(0755);
    add(new MountOperation.Tmpfs(destination, mode, modifiers.takeSize()));
  }

  void directory(RunOption option, OsString path) throws CliException {
    int mode = modifiers.takePerms().orElse(0755);
    add(new MountOperation.Directory(destination(option, path), mode));
  }

  void symlink(RunOption option, List<OsString> values) throws CliException {
    if (values.get(0).isEmpty()) {
      throw new CliException(option.word() + " '': a symbolic link must lead somewhere");
    }
    add(new MountOperation.Symlink(values.get(0), destination(option, values.get(1))));
  }

  void permissions(RunOption option, List<OsString> values) throws CliException {
    int mode = Modifiers.mode(option, values.get(0));
    add(new MountOperation.Permissions(destination(option, values.get(1)), mode));
  }

  void remountReadOnly(RunOption option, OsString path) throws CliException {
    add(new MountOperation.RemountReadOnly(destination(option, path)));
  }

  void messageQueues(RunOption option, OsString path) throws CliException {
    add(new MountOperation.MessageQueues(destination(option, path)));
  }

  /** The next layer of the overlay that follows. */
  void layer(RunOption option, OsString path) throws CliException {
    modifiers.layer(option, overlaid(option, path));
  }

  void overlayKept(RunOption option, List<OsString> values) throws CliException {
    Source upper = overlaid(option, values.get(0));
    Source work = overlaid(option, values.get(1));
    overlay(option, values.get(2), Changes.keptIn(upper, work));
  }

  void overlay(RunOption option, OsString path, Changes changes) throws CliException {
    List<Source> layers = modifiers.takeLayers(option, path, changes.leastLayers());
    add(new MountOperation.Overlay(layers, changes, destination(option, path)));
  }

  /** A directory of the host's for an overlay. */
  private Source overlaid(RunOption option, OsString path) throws CliException {
    if (late) {
      return new Source(absolute(option, path), /* directory= */ true, /* direct= */ false);
    }
    try {
      Source source = inspect(option, path);
      if (source.directory()) {
        return source;
      }
      throw new CliException(
          "%s %s: not a directory".formatted(option.word(), Messages.value(path)));
    } catch (SourceException e) {
      throw new CliException(
          "%s %s: %s".formatted(option.word(), Messages.value(path), e.getMessage()));
    }
  }

  void proc(RunOption option, OsString path) throws CliException {
    add(new MountOperation.Proc(belowRoot(option, path, "a /proc cannot be the root itself")));
  }

  void devices(RunOption option, OsString path) throws CliException {
    add(new MountOperation.Devices(belowRoot(option, path, "a /dev cannot be the root itself")));
  }

  void preset(Preset preset) {
    onlyMountPaths = false;
    mounts.add(view -> view.of(preset));
  }

  private void add(MountOperation operation) {
    onlyMountPaths = false;
    mounts.add(_ -> List.of(operation));
  }

  /** Where in the sandbox a path is. */
  Destination destination(RunOption option, OsString path) throws CliException {
    // bubblewrap takes all of them from the root.
    boolean fromRoot = dialect == Dialect.BUBBLEWRAP && !path.isEmpty() && !path.startsWith("/");
    try {
      return Destination.of(fromRoot ? OsString.of("/").concat(path) : path);
    } catch (IllegalArgumentException e) {
      throw new CliException(
          "%s %s: %s".formatted(option.word(), Messages.value(path), e.getMessage()));
    }
  }

  private static Source source(RunOption option, OsString path) throws CliException {
    try {
      return inspect(option, path);
    } catch (SourceException e) {
      throw cannotUse(option, path, e);
    }
  }

  private static Source inspect(RunOption option, OsString path)
      throws CliException, SourceException {
    if (Invocation.leadsNowhere(path)) {
      throw new CliException(
          "%s %s: %s".formatted(option.word(), Messages.value(path), Invocation.NOWHERE));
    }
    return HostFiles.inspect(path);
  }

  private static CliException cannotUse(RunOption option, OsString path, SourceException e) {
    RunOption bind = option == RunOption.MOUNT ? RunOption.BIND : option;
    String advice = e.isMissing() ? " (create it, or use " + bind.word() + "-try)" : "";
    return new CliException(
        "%s %s: %s%s".formatted(option.word(), Messages.value(path), e.getMessage(), advice),
        "Can't find source path %s: %s"
            .formatted(path, e.isMissing() ? Errno.ENOENT.text() : e.getMessage()));
  }
}
