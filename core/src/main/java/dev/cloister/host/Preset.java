package dev.cloister.host;

import dev.cloister.host.HostFiles.SourceException;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.OsString;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
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
      addIfPresent(mounts, "/usr");
      addIfPresent(mounts, "/etc");
      addIfPresent(mounts, "/nix");
      for (Path entry : systemDirectories()) {
        mounts.add(asOnHost(entry));
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
      mounts.add(new MountOperation.AsOnHost(SYSTEM));
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

  /** Entries of the root that programs need, on any distribution. */
  private static final List<OsString> SYSTEM =
      List.of(
          OsString.of("usr"),
          OsString.of("etc"),
          OsString.of("nix"),
          OsString.of("bin"),
          OsString.of("lib"),
          OsString.of("lib32"),
          OsString.of("lib64"),
          OsString.of("libx32"),
          OsString.of("sbin"));

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

  /**
   * {@code /bin}, {@code /sbin}, {@code /lib}, {@code /lib64} and their like, in order of name. Not
   * by a stream of the directory, which takes the JDK ten times as long to set up.
   */
  private static List<Path> systemDirectories() throws SourceException {
    File[] entries = new File("/").listFiles();
    if (entries == null) {
      throw new SourceException("/: cannot be listed", false);
    }
    List<Path> found = new ArrayList<>();
    for (File entry : entries) {
      if (isSystem(entry.getName()) && entry.isDirectory()) {
        found.add(entry.toPath());
      }
    }
    Collections.sort(found);
    return found;
  }

  private static boolean isSystem(String name) {
    return name.equals("bin") || name.equals("sbin") || name.startsWith("lib");
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
