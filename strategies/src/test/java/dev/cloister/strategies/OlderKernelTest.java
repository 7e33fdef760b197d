package dev.cloister.strategies;

import static dev.cloister.strategies.OlderKernel.CLOSE_RANGE;
import static dev.cloister.strategies.OlderKernel.ENOSYS;
import static dev.cloister.strategies.OlderKernel.EPERM;
import static dev.cloister.strategies.OlderKernel.MOUNT_SETATTR;
import static dev.cloister.strategies.OlderKernel.MOVE_MOUNT;
import static dev.cloister.strategies.OlderKernel.OPENAT2;
import static dev.cloister.strategies.OlderKernel.OPEN_TREE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.host.Workaround;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.Run.Ended;
import dev.cloister.strategies.chroot.Chroot;
import dev.cloister.strategies.pivotroot.PivotRoot;
import dev.cloister.strategy.IsolationStrategy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;

/** The whole contract on kernels that lack calls: the older ones give the same guarantees. */
class OlderKernelTest {
  private static final Workaround[] ALL = {
    Workaround.REMOUNT_EACH, Workaround.BIND_BY_PATH, Workaround.WALK_PATHS
  };

  /** As Linux 4.18, of RHEL 8. */
  abstract static class WithoutAny extends StrategyContract {
    WithoutAny(IsolationStrategy strategy) {
      super(strategy, ALL);
    }

    WithoutAny(IsolationStrategy strategy, Workaround... workarounds) {
      super(strategy, workarounds);
    }

    @Override
    List<String> kernel() {
      return OlderKernel.without(
          ENOSYS, OPEN_TREE, MOVE_MOUNT, CLOSE_RANGE, OPENAT2, MOUNT_SETATTR);
    }

    @Override
    boolean canFollowLinks() {
      return false;
    }

    /** Even harmless ones: what they mean inside, only openat2(2) finds out safely. */
    @EachUser
    void linksOnTheWayAreRefused(User user) throws Exception {
      Path bound = folder(user, "bound");
      Path file = file(user, directory.resolve("file"), "");
      Path source = folder(user, "source");
      user.own(Files.createDirectory(bound.resolve("real")));
      file(user, bound.resolve("real/file"), "");
      Files.createSymbolicLink(bound.resolve("way"), Path.of("real"));
      Files.createSymbolicLink(bound.resolve("end"), Path.of("real/file"));
      for (MountOperation mount :
          List.of(
              bind(source, "/data/way/below", Access.READ_ONLY),
              bind(source, "/data/way", Access.READ_ONLY),
              bind(file, "/data/way/file", Access.READ_ONLY),
              bind(file, "/data/end", Access.READ_ONLY),
              new MountOperation.Tmpfs(Destination.of("/data/way")),
              new MountOperation.Directory(Destination.of("/data/way/made"), 0755),
              new MountOperation.Proc(Destination.of("/data/way/proc")),
              new MountOperation.Symlink(OsString.of("x"), Destination.of("/data/way/x")))) {
        SandboxSpec spec =
            hostPrograms(user).mount(bind(bound, "/data", Access.READ_WRITE)).mount(mount).build();
        Ended ended = sandbox(user, spec, "echo happened").end();
        assertEquals(125, ended.status(), mount + ": " + ended);
        assertTrue(
            ended.error().contains("is a symbolic link; to follow it safely needs openat2"),
            ended.error());
      }
      try (Stream<Path> made = Files.list(bound.resolve("real"))) {
        assertEquals(List.of(bound.resolve("real/file")), made.toList());
      }
    }

    @EachUser
    void whatIsMissingIsToldAsEver(User user) throws Exception {
      MountOperation bound = bind(folder(user, "bound"), "/data", Access.READ_WRITE);
      for (String missing : List.of("/data/missing", "/data/missing/below")) {
        MountOperation change = new MountOperation.Permissions(Destination.of(missing), 0700);
        SandboxSpec spec = hostPrograms(user).mount(bound).mount(change).build();
        Ended ended = sandbox(user, spec, "echo happened").end();
        assertEquals(125, ended.status(), ended.toString());
        String told = "hint: --chmod: there is no " + missing + " in the sandbox";
        assertTrue(ended.error().contains(told), ended.error());
      }
    }

    @EachUser
    void whatIsInTheWayIsNamed(User user) throws Exception {
      Path bound = folder(user, "bound");
      file(user, bound.resolve("file"), "");
      Path source = folder(user, "source");
      for (String destination : List.of("/data/file", "/data/file/below")) {
        SandboxSpec spec =
            hostPrograms(user)
                .mount(bind(bound, "/data", Access.READ_WRITE))
                .mount(bind(source, destination, Access.READ_ONLY))
                .build();
        Ended ended = sandbox(user, spec, "echo happened").end();
        assertEquals(125, ended.status(), ended.toString());
        assertTrue(
            ended.error().contains("/data/file in the sandbox is not a directory"), ended.error());
      }
    }
  }

  @Nested
  class PivotRootWithoutAny extends WithoutAny {
    PivotRootWithoutAny() {
      super(new PivotRoot());
    }
  }

  @Nested
  class ChrootWithoutAny extends WithoutAny {
    ChrootWithoutAny() {
      super(new Chroot());
    }
  }

  /** What is staged in the chroot is moved from outside. */
  @Nested
  class OutOfAChrootWithoutAny extends WithoutAny {
    OutOfAChrootWithoutAny() {
      super(
          new PivotRoot(),
          Workaround.LEAVE_CHROOT,
          Workaround.REMOUNT_EACH,
          Workaround.BIND_BY_PATH,
          Workaround.WALK_PATHS);
    }
  }

  /** As Linux 5.10, of Debian 11. */
  @Nested
  class WithoutMountSetattr extends StrategyContract {
    WithoutMountSetattr() {
      super(new PivotRoot(), Workaround.REMOUNT_EACH);
    }

    @Override
    List<String> kernel() {
      return OlderKernel.without(ENOSYS, MOUNT_SETATTR);
    }
  }

  /** As container runtimes' filters that are older than the kernel. */
  @Nested
  class FilteredByPath extends StrategyContract {
    FilteredByPath() {
      super(new PivotRoot(), Workaround.BIND_BY_PATH);
    }

    @Override
    List<String> kernel() {
      return OlderKernel.without(EPERM, OPEN_TREE, MOVE_MOUNT, CLOSE_RANGE);
    }
  }

  @Nested
  class BubblewrapWithoutAny extends BubblewrapTest {
    @Override
    List<String> kernel() {
      return OlderKernel.without(
          ENOSYS, OPEN_TREE, MOVE_MOUNT, CLOSE_RANGE, OPENAT2, MOUNT_SETATTR);
    }
  }
}
