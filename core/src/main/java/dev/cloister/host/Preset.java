package dev.cloister.host;

import dev.cloister.host.HostFiles.SourceException;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A named set of mounts. */
public enum Preset {
  /**
   * The host's programs, read-only, its devices and kernel file systems, and an empty {@code /tmp};
   * nothing that belongs to users.
   */
  HOST("host") {
    @Override
    public List<MountOperation> mounts(boolean reallyRoot, boolean ownPids) throws SourceException {
      List<MountOperation> mounts = new ArrayList<>();
      for (String name : HOSTS) {
        addIfPresent(mounts, "/" + name);
      }
      for (Path directory : systemDirectories(Path.of("/"))) {
        mounts.add(asOnHost(directory));
      }
      MountOperation proc = new MountOperation.Proc(Destination.of("/proc"));
      if (reallyRoot) {
        // What root owns there is open to it whatever its capabilities: devices, core_pattern, ...
        mounts.add(new MountOperation.Devices(Destination.of("/dev")));
        mounts.add(proc);
        mounts.add(bind("/sys", Access.READ_ONLY));
      } else {
        mounts.add(bind("/dev", Access.DEVICES));
        mounts.add(HostFiles.hasProc() && !ownPids ? bind("/proc", Access.DEVICES) : proc);
        mounts.add(bind("/sys", Access.DEVICES));
      }
      mounts.add(new MountOperation.Directory(Destination.of("/tmp"), 01777));
      return mounts;
    }

    @Override
    public List<MountOperation> lateMounts(boolean reallyRoot, boolean ownPids) {
      List<MountOperation> mounts = new ArrayList<>();
      mounts.add(new MountOperation.AsOnHost(entries()));
      MountOperation proc = new MountOperation.Proc(Destination.of("/proc"));
      if (reallyRoot) {
        mounts.add(new MountOperation.Devices(Destination.of("/dev")));
        mounts.add(proc);
        mounts.add(late("/sys", Access.READ_ONLY));
      } else {
        mounts.add(late("/dev", Access.DEVICES));
        mounts.add(ownPids ? proc : late("/proc", Access.DEVICES));
        mounts.add(late("/sys", Access.DEVICES));
      }
      mounts.add(new MountOperation.Directory(Destination.of("/tmp"), 01777));
      return mounts;
    }

    @Override
    public List<MountOperation> mountsInPlace(boolean reallyRoot) throws SourceException {
      List<MountOperation> mounts = new ArrayList<>();
      for (MountOperation mount : mounts(reallyRoot)) {
        boolean asItIs = mount instanceof Bind || mount instanceof MountOperation.Symlink;
        if (asItIs) {
          mounts.add(mount);
        }
      }
      if (reallyRoot) {
        for (String device : List.of("null", "zero", "full", "random", "urandom", "tty")) {
          mounts.add(bind("/dev/" + device, Access.DEVICES));
        }
        if (HostFiles.hasProc()) {
          mounts.add(bind("/proc", Access.READ_ONLY));
        }
      }
      return mounts;
    }
  },

  /** What the Nix and execline script this reproduces shows, as it shows it. */
  ORIGIN("origin") {
    @Override
    public List<MountOperation> mounts(boolean reallyRoot, boolean ownPids) throws SourceException {
      List<MountOperation> mounts = new ArrayList<>();
      for (String path : List.of("/nix", "/dev", "/proc", "/sys")) {
        mounts.add(bind(path, Access.DEVICES));
      }
      return mounts;
    }

    @Override
    public List<MountOperation> lateMounts(boolean reallyRoot, boolean ownPids) {
      List<MountOperation> mounts = new ArrayList<>();
      for (String path : List.of("/nix", "/dev", "/proc", "/sys")) {
        mounts.add(late(path, Access.DEVICES));
      }
      return mounts;
    }
  },

  /** An empty root. */
  NONE("none") {
    @Override
    public List<MountOperation> lateMounts(boolean reallyRoot, boolean ownPids) {
      return List.of();
    }

    @Override
    public List<MountOperation> mounts(boolean reallyRoot, boolean ownPids) {
      return List.of();
    }
  };

  private final String word;

  Preset(String word) {
    this.word = word;
  }

  /** As in {@code --preset}. */
  public String word() {
    return word;
  }

  public static Optional<Preset> of(String word) {
    for (Preset preset : values()) {
      if (preset.word.equals(word)) {
        return Optional.of(preset);
      }
    }
    return Optional.empty();
  }

  /** The mounts of a sandbox that shares the caller's pid namespace. */
  public List<MountOperation> mounts(boolean reallyRoot) throws SourceException {
    return mounts(reallyRoot, false);
  }

  /**
   * The mounts, as this host has them.
   *
   * @param reallyRoot whether the command stays the kernel's uid 0
   * @param ownPids whether the command has a pid namespace of its own, and so a {@code /proc}
   * @throws SourceException if the host lacks one that must be there; the message names it
   */
  public abstract List<MountOperation> mounts(boolean reallyRoot, boolean ownPids)
      throws SourceException;

  /**
   * The same for a host that is known only when the sandbox is made.
   *
   * @param reallyRoot as for {@link #mounts}
   */
  public abstract List<MountOperation> lateMounts(boolean reallyRoot, boolean ownPids);

  /** Directories of the host's that programs need, on any distribution. */
  private static final List<String> HOSTS = List.of("usr", "etc", "nix");

  /** Those that are mostly links into {@code /usr}. */
  private static final List<String> SYSTEM =
      List.of("bin", "lib", "lib32", "lib64", "libx32", "sbin");

  private static List<OsString> entries() {
    List<OsString> entries = new ArrayList<>();
    for (String name : HOSTS) {
      entries.add(OsString.of(name));
    }
    for (String name : SYSTEM) {
      entries.add(OsString.of(name));
    }
    return entries;
  }

  private static MountOperation late(String path, Access access) {
    return new MountOperation.LateBind(
        OsString.of(path), Destination.of(path), access, /* optional= */ false);
  }

  /**
   * The same as far as it can be had of what is there, for strategies that make no mounts: no empty
   * {@code /tmp}, and for root the few devices of a minimal {@code /dev}, and the host's {@code
   * /proc} read-only.
   */
  public List<MountOperation> mountsInPlace(boolean reallyRoot) throws SourceException {
    return mounts(reallyRoot);
  }

  private static Bind bind(String path, Access access) throws SourceException {
    try {
      return new Bind(HostFiles.inspect(OsString.of(path)), Destination.of(path), access);
    } catch (SourceException e) {
      throw new SourceException(path + ": " + e.getMessage(), e.isMissing());
    }
  }

  private static void addIfPresent(List<MountOperation> mounts, String path)
      throws SourceException {
    if (Files.exists(Path.of(path))) {
      mounts.add(bind(path, Access.READ_ONLY));
    }
  }

  /** Those of {@link #SYSTEM} that {@code root} has. */
  static List<Path> systemDirectories(Path root) {
    List<Path> found = new ArrayList<>();
    for (String name : SYSTEM) {
      Path directory = root.resolve(name);
      if (directory.toFile().isDirectory()) {
        found.add(directory);
      }
    }
    return found;
  }

  /** A directory as a read-only bind, a symbolic link as the same link. */
  private static MountOperation asOnHost(Path path) throws SourceException {
    if (!Files.isSymbolicLink(path)) {
      return bind(path.toString(), Access.READ_ONLY);
    }
    try {
      OsString target = OsString.of(Files.readSymbolicLink(path));
      return new MountOperation.Symlink(target, Destination.of(path.toString()));
    } catch (IOException e) {
      throw new SourceException(path + ": " + e.getMessage(), false);
    }
  }
}
