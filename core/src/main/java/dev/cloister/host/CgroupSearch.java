package dev.cloister.host;

import dev.cloister.host.CgroupPlace.Found;
import dev.cloister.host.CgroupPlace.Refused;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Looks for a place where this process may make a cgroup and go into it (cgroups(7)).
 *
 * <p>A cgroup that has processes, as this process's own, can pass no memory controller on to a
 * cgroup in it, unless it is the root; so the place is beside the own one, and that is where a
 * service manager that delegates lets its user make cgroups.
 */
final class CgroupSearch {
  private static final String DELEGATE =
      "start it in a delegated cgroup, as by: systemd-run --user --scope -p Delegate=yes ...";

  private static final OsString SLASH = OsString.of("/");

  private final Path root;

  /**
   * A search.
   *
   * @param root {@code /}, or a directory with files like those of a host
   */
  CgroupSearch(Path root) {
    this.root = root;
  }

  /**
   * A mount of the hierarchy.
   *
   * @param shown which cgroup of it is at {@code point}
   */
  private record Mount(OsString shown, OsString point, boolean readOnly) {
    /** Whether it shows this cgroup. */
    boolean shows(OsString cgroup) {
      return shown.equals(SLASH) || cgroup.equals(shown) || cgroup.startsWith(shown.concat(SLASH));
    }

    /** Where it shows it. */
    OsString directory(OsString cgroup) {
      OsString below = shown.equals(SLASH) ? cgroup : cgroup.substring(shown.length());
      return below.equals(SLASH) ? point : point.concat(below);
    }
  }

  CgroupPlace place(Set<CgroupController> controllers) {
    List<String> memberships = lines("proc/self/cgroup");
    if (memberships.isEmpty()) {
      return new Refused(
          "there is no /proc/self/cgroup, so it is not known in which cgroup this process is",
          "mount /proc, on a kernel with cgroups");
    }
    Optional<OsString> own = own(memberships);
    if (own.isEmpty()) {
      return new Refused(
          "this host has cgroups of version 1 only (/proc/self/cgroup has no line 0::)",
          "boot with systemd.unified_cgroup_hierarchy=1");
    }
    if (own.get().startsWith("/..")) {
      return new Refused(
          "this process's cgroup, " + own.get() + ", is outside of its cgroup namespace", DELEGATE);
    }
    if (own.get().toPath().isEmpty()) {
      return new Refused(
          "the name of this process's cgroup, " + own.get() + ", is none in this locale",
          "start it in a cgroup with a name in ASCII");
    }
    Optional<Mount> mount = mount(own.get());
    if (mount.isEmpty()) {
      return new Refused(
          "no cgroup v2 hierarchy that shows this process's cgroup is mounted here",
          "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
    }
    return place(controllers, own.get(), mount.get(), memberships);
  }

  private CgroupPlace place(
      Set<CgroupController> controllers, OsString own, Mount mount, List<String> memberships) {
    Optional<Refused> elsewhere = notInHierarchy(controllers, mount, memberships);
    if (elsewhere.isPresent()) {
      return elsewhere.get();
    }
    if (mount.readOnly()) {
      return new Refused(
          "the cgroup v2 hierarchy is mounted read-only at " + mount.point(),
          "mount it writable, as with --cgroupns=private and a delegated cgroup of the container");
    }
    OsString directory = mount.directory(own);
    if (isRoot(directory)) {
      return in(directory, controllers);
    }
    if (directory.equals(mount.point())) {
      return new Refused(
          "this process's cgroup is the topmost that is shown, at "
              + directory
              + ", and there is no place beside it",
          "move it to a cgroup below, and enable "
              + CgroupController.words(controllers, "+")
              + " in "
              + directory
              + "/cgroup.subtree_control");
    }
    return in(parent(directory), controllers);
  }

  private static OsString parent(OsString path) {
    int slash = path.length() - 1;
    while (path.charAt(slash) != '/') {
      slash--;
    }
    return path.substring(0, slash);
  }

  /** Whether a cgroup can be made in that directory, and this process be moved there. */
  private CgroupPlace in(OsString directory, Set<CgroupController> controllers) {
    Optional<String> closed = notWritable(directory, "", "/cgroup.procs");
    if (closed.isPresent()) {
      return new Refused(
          closed.get() + " may not be written to by this user: no cgroup is delegated to it",
          DELEGATE);
    }
    String type = text(directory, "/cgroup.type").orElse("domain");
    if (!type.equals("domain")) {
      return new Refused(directory + " is a cgroup of the type " + type, DELEGATE);
    }
    Set<CgroupController> missing = missing(controllers, directory, "/cgroup.subtree_control");
    boolean mayEnable =
        isRoot(directory) && notWritable(directory, "/cgroup.subtree_control").isEmpty();
    if (!missing.isEmpty() && !mayEnable) {
      return new Refused(
          "%s not enabled in %s/cgroup.subtree_control".formatted(are(missing), directory),
          "enable it there: echo %s >%s/cgroup.subtree_control"
              .formatted(CgroupController.words(missing, "+"), directory));
    }
    List<OsString> mounts = new ArrayList<>();
    mounts().forEach(mount -> mounts.add(mount.point()));
    return new Found(directory, mounts, missing);
  }

  /** A controller is in one hierarchy only, and on many hosts in one of version 1. */
  private Optional<Refused> notInHierarchy(
      Set<CgroupController> controllers, Mount mount, List<String> memberships) {
    Set<CgroupController> absent = missing(controllers, mount.point(), "/cgroup.controllers");
    if (absent.isEmpty()) {
      return Optional.empty();
    }
    String reason = "%s not in %s/cgroup.controllers".formatted(are(absent), mount.point());
    for (CgroupController controller : absent) {
      for (String line : memberships) {
        List<String> fields = List.of(line.split(":", 3));
        if (fields.size() == 3 && List.of(fields.get(1).split(",")).contains(controller.word())) {
          return Optional.of(
              new Refused(
                  reason
                      + ": cgroups of version 1 have the "
                      + controller.word()
                      + " controller here",
                  "boot with systemd.unified_cgroup_hierarchy=1"));
        }
      }
    }
    return Optional.of(
        new Refused(reason, "enable it in the cgroup above, or on the kernel's command line"));
  }

  private static String are(Set<CgroupController> controllers) {
    return controllers.size() == 1
        ? "the " + CgroupController.words(controllers, "") + " controller is"
        : "the controllers " + CgroupController.words(controllers, "") + " are";
  }

  private Set<CgroupController> missing(
      Set<CgroupController> controllers, OsString directory, String file) {
    List<String> present = List.of(text(directory, file).orElse("").split(" "));
    Set<CgroupController> missing = EnumSet.noneOf(CgroupController.class);
    for (CgroupController controller : controllers) {
      if (!present.contains(controller.word())) {
        missing.add(controller);
      }
    }
    return missing;
  }

  /** Every cgroup but the root has a type. */
  private boolean isRoot(OsString directory) {
    return !exists(directory, "/cgroup.type");
  }

  private Optional<String> notWritable(OsString directory, String... files) {
    for (String file : files) {
      Optional<Path> path = path(directory, file);
      if (path.isEmpty() || !Files.isWritable(path.get())) {
        return Optional.of(directory + file);
      }
    }
    return Optional.empty();
  }

  private static Optional<OsString> own(List<String> memberships) {
    for (String line : memberships) {
      if (line.startsWith("0::")) {
        return Optional.of(KernelFile.bytes(line.substring(3)));
      }
    }
    return Optional.empty();
  }

  /** The last one: what is mounted later at the same place covers the earlier. */
  private Optional<Mount> mount(OsString own) {
    Optional<Mount> last = Optional.empty();
    for (Mount mount : mounts()) {
      if (mount.shows(own) && exists(mount.directory(own), "/cgroup.procs")) {
        last = Optional.of(mount);
      }
    }
    return last;
  }

  private List<Mount> mounts() {
    List<Mount> mounts = new ArrayList<>();
    for (String line : lines("proc/self/mountinfo")) {
      List<String> fields = List.of(line.split(" "));
      // Behind a variable number of optional fields (proc_pid_mountinfo(5)).
      int type = fields.indexOf("-") + 1;
      if (type > 6 && type < fields.size() && fields.get(type).equals("cgroup2")) {
        boolean readOnly = List.of(fields.get(5).split(",")).contains("ro");
        mounts.add(
            new Mount(
                KernelFile.unescape(fields.get(3)), KernelFile.unescape(fields.get(4)), readOnly));
      }
    }
    return mounts;
  }

  /** Nothing if this JVM's locale cannot express it. */
  private Optional<Path> path(OsString directory, String file) {
    Optional<Path> path = directory.concat(OsString.of(file)).substring(1).toPath();
    return path.isEmpty() ? path : Optional.of(root.resolve(path.get()));
  }

  private boolean exists(OsString directory, String file) {
    Optional<Path> path = path(directory, file);
    return path.isPresent() && Files.exists(path.get());
  }

  private Optional<String> text(OsString directory, String file) {
    Optional<Path> path = path(directory, file);
    return path.isEmpty() ? Optional.empty() : KernelFile.read(path.get());
  }

  /** None of a file that cannot be read. */
  private List<String> lines(String file) {
    try {
      return SmallFiles.lines(root.resolve(file), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return List.of();
    }
  }
}
