package dev.cloister.strategies;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.HostFiles;
import dev.cloister.seccomp.DefaultProfile;
import dev.cloister.spec.Destination;
import dev.cloister.spec.EnvironmentRules;
import dev.cloister.spec.Identity;
import dev.cloister.spec.Limits;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.Privileges;
import dev.cloister.spec.Processes;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.spec.Timeout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The specifications whose launchers are made to fail; together they reach every kind of step. All
 * show the witness in {@code /w} and the directory it marks in {@code /bound}, below a root.
 */
enum FaultSpec {
  /** As little as possible: the caller's own identity, environment and directory. */
  PLAIN("") {
    @Override
    void add(SandboxSpec.Builder spec, Path directory) {}
  },

  /** Every kind of mount, known and found destinations, and all that is not a mount. */
  EVERYTHING("") {
    @Override
    void add(SandboxSpec.Builder spec, Path directory) throws Exception {
      addMounts(spec, directory);
      addOptions(spec);
      spec.identity(Identity.CALLER.withUid(12_345).withGid(54_321));
    }
  },

  /** Overlays of every kind, and the queues of an IPC namespace. */
  OVERLAYS("") {
    @Override
    void add(SandboxSpec.Builder spec, Path directory) throws Exception {
      MountOperation.Source one = HostFiles.inspect(OsString.of(directory.resolve("other")));
      MountOperation.Source two = HostFiles.inspect(OsString.of(directory.resolve("bin")));
      MountOperation.Source upper = HostFiles.inspect(OsString.of(directory.resolve("upper")));
      MountOperation.Source work = HostFiles.inspect(OsString.of(directory.resolve("work")));
      spec.unshare(Namespace.IPC)
          .mount(new MountOperation.MessageQueues(Destination.of("/dev/mqueue")))
          .mount(overlay("/o/kept", MountOperation.Changes.keptIn(upper, work), one))
          .mount(overlay("/o/forgotten", MountOperation.Changes.FORGOTTEN, two, one))
          .mount(overlay("/bound/made/forbidden", MountOperation.Changes.FORBIDDEN, one, two))
          .mount(new MountOperation.RemountReadOnly(Destination.of("/o/kept")));
    }
  },

  /** The process that waits and the init say what they know, where the harness has a sink. */
  REPORTS("") {
    @Override
    void add(SandboxSpec.Builder spec, Path directory) {
      spec.unshare(Namespace.PID)
          .reports(some -> some.withInfo(SINK).withStatus(SINK))
          .descriptors(some -> some.holding("--json-status-fd", SINK));
    }
  },

  /** A holder of locks besides, in the place of an init. */
  LOCKS("") {
    @Override
    void add(SandboxSpec.Builder spec, Path directory) throws Exception {
      spec.mount(bind(directory.resolve("file"), "/file", Access.READ_ONLY))
          .processes(some -> some.locking(Destination.of("/file")).dyingWithParent());
    }
  },

  /** Descriptors that the command does not get. */
  DESCRIPTORS("") {
    @Override
    void add(SandboxSpec.Builder spec, Path directory) {
      spec.mount(new MountOperation.DataFile(0, Destination.of("/data/file"), 0640))
          .mount(new MountOperation.DataBind(0, Destination.of("/t/data"), 0600, Access.READ_ONLY))
          .descriptors(some -> some.using("--file", 0));
    }
  },

  /** Apart, as the kernel takes ten times longer to make and remove these than all the rest. */
  NAMESPACES("") {
    @Override
    void add(SandboxSpec.Builder spec, Path directory) {
      for (Namespace namespace : List.of(Namespace.NET, Namespace.IPC, Namespace.CGROUP)) {
        spec.unshare(namespace);
      }
    }
  },

  /** A process that waits, an init, and the command. */
  PROCESSES("") {
    @Override
    void add(SandboxSpec.Builder spec, Path directory) {
      spec.unshare(Namespace.PID).processes(Processes::dyingWithParent);
    }
  },

  /** All that is about what the command may, and how long, in a session of its own. */
  PRIVILEGES("") {
    @Override
    void add(SandboxSpec.Builder spec, Path directory) {
      spec.hostname(OsString.of("inside"))
          .privileges(
              some ->
                  some.withCapabilities(Set.of(LinuxConstant.CAP_NET_ADMIN))
                      .withUserNamespaces(Privileges.UserNamespaces.DISABLED)
                      .withFilters(List.of(DefaultProfile.INSTANCE)))
          .processes(
              some ->
                  some.inNewSession()
                      .within(new Timeout(Duration.ofMinutes(1), Duration.ofSeconds(1))))
          .limits(
              some -> some.with(LinuxConstant.RLIMIT_NOFILE, new Limits.ResourceLimit(100, 100)));
    }
  },

  /** {@link #PRIVILEGES} where nobody waits, so that the command can enter what was made before. */
  ENTERED("") {
    @Override
    void add(SandboxSpec.Builder spec, Path directory) {
      spec.unshare(Namespace.IPC)
          .hostname(OsString.of("inside"))
          .privileges(
              some ->
                  some.withCapabilities(Set.of(LinuxConstant.CAP_NET_ADMIN))
                      .withUserNamespaces(Privileges.UserNamespaces.DISABLED)
                      .withFilters(List.of(DefaultProfile.INSTANCE)))
          .limits(
              some -> some.with(LinuxConstant.RLIMIT_NOFILE, new Limits.ResourceLimit(300, 300)));
    }
  },

  /** {@link #EVERYTHING} without what a strategy cannot do for another user. */
  EVERYTHING_AS_CALLER("") {
    @Override
    void add(SandboxSpec.Builder spec, Path directory) throws Exception {
      addMounts(spec, directory);
      addOptions(spec);
    }
  },

  /** Another user, without file systems that would have to be that user's. */
  OTHER_USER("") {
    @Override
    void add(SandboxSpec.Builder spec, Path directory) {
      spec.identity(Identity.CALLER.withUid(12_345).withGid(54_321));
    }
  },

  /** What a strategy can do that shows everything where it is, the witness as well. */
  IN_PLACE("") {
    @Override
    SandboxSpec of(Path directory) throws Exception {
      Path bin = directory.resolve("bin");
      Path bound = directory.resolve("bound");
      SandboxSpec.Builder spec = SandboxSpec.builder();
      spec.mount(bind(bin, bin.toString(), Access.READ_ONLY))
          .mount(bind(bound, bound.toString(), Access.READ_WRITE))
          .mount(bind(Path.of("/proc"), "/proc", Access.READ_ONLY));
      add(spec, directory);
      return spec.build();
    }

    @Override
    void add(SandboxSpec.Builder spec, Path directory) {
      spec.privileges(some -> some.withFilters(List.of(DefaultProfile.INSTANCE)));
    }

    @Override
    String witness(Path directory) {
      return directory.resolve("bin/witness").toString();
    }
  },

  /** The root bound, and a tmpfs over what was the root until then. */
  ROOT("/mnt") {
    @Override
    void addFirst(SandboxSpec.Builder spec) throws Exception {
      spec.mount(bind(Path.of("/"), "/", Access.READ_ONLY))
          .mount(new MountOperation.Tmpfs(Destination.of("/mnt")))
          .mount(new MountOperation.Directory(Destination.of("/mnt/d"), 0700));
    }

    @Override
    void add(SandboxSpec.Builder spec, Path directory) {}
  };

  /** Which descriptor takes all; {@code REPORTS} in harness.c. */
  private static final int SINK = 20;

  /** Where the witness's directories are. */
  private final String root;

  FaultSpec(String root) {
    this.root = root;
  }

  /** Whether nothing of the sandbox shall outlive the launcher, even while it is made. */
  boolean diesWithLauncher() {
    return this == PROCESSES || this == PRIVILEGES || this == LOCKS;
  }

  abstract void add(SandboxSpec.Builder spec, Path directory) throws Exception;

  void addFirst(SandboxSpec.Builder spec) throws Exception {}

  SandboxSpec of(Path directory) throws Exception {
    SandboxSpec.Builder spec = SandboxSpec.builder();
    addFirst(spec);
    spec.mount(bind(directory.resolve("bin"), root + "/w", Access.READ_ONLY))
        .mount(bind(directory.resolve("bound"), root + "/bound", Access.READ_WRITE))
        .mount(new MountOperation.Tmpfs(Destination.of(root + "/t")))
        .mount(new MountOperation.Proc(Destination.of("/proc")));
    add(spec, directory);
    return spec.build();
  }

  String witness(Path directory) {
    return root + "/w/witness";
  }

  static void addMounts(SandboxSpec.Builder spec, Path directory) throws Exception {
    Path other = directory.resolve("other");
    Path file = directory.resolve("file");
    spec.mount(bind(file, "/file", Access.READ_ONLY))
        .mount(bind(directory.resolve("link"), "/linked", Access.READ_ONLY))
        .mount(bind(Path.of("/dev/zero"), "/zero", Access.DEVICES))
        .mount(new MountOperation.Devices(Destination.of("/dev")))
        .mount(new MountOperation.Directory(Destination.of("/t/deep/d"), 0700))
        .mount(new MountOperation.Symlink(OsString.of("usr/bin"), Destination.of("/x/bin")))
        .mount(bind(other, "/bound/there", Access.READ_ONLY))
        .mount(bind(other, "/bound/made/deep", Access.READ_WRITE))
        .mount(bind(file, "/bound/made/file", Access.READ_ONLY))
        .mount(new MountOperation.Tmpfs(Destination.of("/bound/made/t")))
        .mount(new MountOperation.Directory(Destination.of("/bound/made/d"), 0755))
        .mount(new MountOperation.Symlink(OsString.of("x"), Destination.of("/bound/made/link")))
        .mount(new MountOperation.Permissions(Destination.of("/t/deep/d"), 0711))
        .mount(new MountOperation.Permissions(Destination.of("/bound/made/d"), 0700))
        .mount(new MountOperation.Tmpfs(Destination.of("/ro"), 01777, OptionalLong.of(1 << 16)))
        .mount(new MountOperation.RemountReadOnly(Destination.of("/ro")));
  }

  private static MountOperation overlay(
      String destination, MountOperation.Changes changes, MountOperation.Source... layers) {
    return new MountOperation.Overlay(List.of(layers), changes, Destination.of(destination));
  }

  static void addOptions(SandboxSpec.Builder spec) {
    spec.hostname(OsString.of("inside"))
        .environment(EnvironmentRules.INHERIT.clear())
        .workingDirectory(OsString.of("/t"));
  }

  static MountOperation bind(Path source, String destination, Access access) throws Exception {
    return new MountOperation.Bind(
        HostFiles.inspect(OsString.of(source)), Destination.of(destination), access);
  }
}
