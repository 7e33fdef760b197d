package dev.cloister.launch;

import dev.cloister.host.Bwrap;
import dev.cloister.host.HostState;
import dev.cloister.host.SmallFiles;
import dev.cloister.machine.CacheConditions;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.MountOperation.Overlay;
import dev.cloister.spec.MountOperation.Source;
import dev.cloister.spec.OsString;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** What a launcher depends on of the host that it was compiled on, for {@link LauncherCache}. */
public final class HostConditions {
  private static final String STATUS = "/proc/self/status";

  /** Of proc_pid_status(5): whose process it is, and what that may do. */
  private static final List<String> RIGHTS =
      List.of("Uid:", "Gid:", "Groups:", "Cap", "NoNewPrivs:", "Seccomp");

  private static final List<String> NAMESPACES =
      List.of("cgroup", "ipc", "mnt", "net", "pid", "user", "uts");

  private static final int PAGE = 4096;

  private final CacheConditions conditions = new CacheConditions();

  /**
   * Looks at the caller, the kernel, the namespaces and the root.
   *
   * @throws IOException if something of it cannot be read; nothing is kept then
   */
  public HostConditions() throws IOException {
    conditions.lines(STATUS, rights(SmallFiles.read(Path.of(STATUS))));
    for (String file : HostState.FILES) {
      content(file);
    }
    content("/proc/self/setgroups");
    for (String namespace : NAMESPACES) {
      link("/proc/self/ns/" + namespace);
    }
    // It changes with each entry of the root, so with each top-level link.
    same(Path.of("/"));
  }

  public CacheConditions conditions() {
    return conditions;
  }

  /** What {@link CacheConditions#lines} takes, in the order of the file. */
  static byte[] rights(byte[] status) {
    ByteArrayOutputStream lines = new ByteArrayOutputStream();
    int start = 0;
    for (int i = 0; i < status.length; i++) {
      if (status[i] == '\n') {
        String line = new String(status, start, i - start, StandardCharsets.ISO_8859_1);
        if (isOfRights(line)) {
          lines.writeBytes(("\n" + line + "\n\0").getBytes(StandardCharsets.ISO_8859_1));
        }
        start = i + 1;
      }
    }
    lines.write(0);
    return lines.toByteArray();
  }

  private static boolean isOfRights(String line) {
    for (String name : RIGHTS) {
      if (line.startsWith(name)) {
        return true;
      }
    }
    return false;
  }

  private void content(String file) {
    byte[] buffer = new byte[PAGE];
    try (InputStream in = new FileInputStream(file)) {
      int length = Math.max(0, in.read(buffer));
      conditions.content(file, java.util.Arrays.copyOf(buffer, length), false);
    } catch (IOException e) {
      conditions.content(file, new byte[0], true);
    }
  }

  private void link(String link) {
    OsString target;
    try {
      target = OsString.of(Files.readSymbolicLink(Path.of(link)));
    } catch (IOException e) {
      target = OsString.of("");
    }
    conditions.link(link, target);
  }

  /** A file, as it is now, by any name. */
  public void same(Path file) throws IOException {
    Map<String, Object> attributes = Files.readAttributes(file, "unix:dev,ino,ctime");
    if (attributes.get("dev") instanceof Long device
        && attributes.get("ino") instanceof Long inode
        && attributes.get("ctime") instanceof FileTime changed) {
      conditions.same(OsString.of(file), device, inode, changed.to(TimeUnit.NANOSECONDS));
    } else {
      throw new IOException(file + ": its status is not known");
    }
  }

  /** The sources of these mounts, as they were found. */
  public void sources(List<MountOperation> mounts) throws IOException {
    for (MountOperation mount : mounts) {
      if (mount instanceof Bind bind) {
        source(bind.source());
      } else if (mount instanceof Overlay overlay) {
        sources(overlay);
      }
    }
  }

  private void sources(Overlay overlay) throws IOException {
    for (Source layer : overlay.layers()) {
      source(layer);
    }
    if (overlay.changes().kept().isPresent()) {
      source(overlay.changes().kept().get().upper());
      source(overlay.changes().kept().get().work());
    }
  }

  private void source(Source source) throws IOException {
    Optional<Path> named = source.path().toPath();
    OsString real =
        source.direct() || named.isEmpty() ? source.path() : OsString.of(named.get().toRealPath());
    conditions.source(source.path(), real, source.directory());
  }

  /** Where launchers were written, which sandboxes hide. */
  public void launchers(PrivateDirectory directory) throws IOException {
    Path path = directory.path();
    conditions.source(OsString.of(path), OsString.of(path.toRealPath()), true);
  }

  /**
   * The bubblewrap that is used, and that none is found before it.
   *
   * @param path where it was looked for: a value of PATH
   * @return whether that can be told
   */
  public boolean bwrap(Bwrap bwrap, String path) throws IOException {
    for (String directory : path.split(":", -1)) {
      if (directory.startsWith("/")) {
        OsString file = OsString.of(directory + "/bwrap");
        if (file.equals(bwrap.path())) {
          same(Path.of(directory, "bwrap"));
          return true;
        }
        if (Files.exists(Path.of(directory, "bwrap"), LinkOption.NOFOLLOW_LINKS)) {
          return false;
        }
        conditions.absent(file);
      }
    }
    return false;
  }
}
