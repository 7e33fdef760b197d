package dev.cloister.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.Allowance;
import dev.cloister.host.Caller;
import dev.cloister.host.CgroupController;
import dev.cloister.host.CgroupPlace;
import dev.cloister.host.HostFiles;
import dev.cloister.host.HostReport;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Tmpfs;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadOnlyCgroupsTest {
  @TempDir Path temporary;
  private Path place = Path.of("");
  private Path cgroups = Path.of("");

  @BeforeEach
  void makeHierarchy() throws Exception {
    place = temporary.toRealPath();
    cgroups = Files.createDirectories(place.resolve("sys/cgroup"));
  }

  private HostReport host() throws Exception {
    OsString directory = OsString.of(cgroups);
    Allowance allowance =
        new Allowance() {
          @Override
          public OptionalLong hardLimit(LinuxConstant resource) {
            return OptionalLong.empty();
          }

          @Override
          public CgroupPlace cgroup(Set<CgroupController> controllers) {
            return new CgroupPlace.Found(directory, List.of(directory), Set.of());
          }
        };
    return HostReport.of(Caller.current(), "/usr/bin").with(allowance);
  }

  private static MountOperation bind(Path source, String destination, Access access)
      throws Exception {
    return new MountOperation.Bind(
        HostFiles.inspect(OsString.of(source)), Destination.of(destination), access);
  }

  private List<MountOperation> covers(MountOperation... mounts) throws Exception {
    List<MountOperation> covers = new ArrayList<>(restricting(mounts));
    covers.removeAll(List.of(mounts));
    return covers;
  }

  private List<MountOperation> restricting(MountOperation... mounts) throws Exception {
    SandboxSpec spec =
        SandboxSpec.builder().mounts(List.of(mounts)).limits(limits -> limits.withPids(5)).build();
    return ReadOnlyCgroups.in(spec, host()).mounts();
  }

  @Test
  void areReadOnlyWhereABindShowsThem() throws Exception {
    for (Access access : List.of(Access.READ_WRITE, Access.DEVICES)) {
      assertEquals(
          List.of(bind(cgroups, "/x/cgroup", Access.READ_ONLY)),
          covers(bind(place.resolve("sys"), "/x", access)));
      assertEquals(
          List.of(bind(cgroups, cgroups.toString(), Access.READ_ONLY)),
          covers(bind(Path.of("/"), "/", access)));
      assertEquals(
          List.of(bind(cgroups, "/x", Access.READ_ONLY)), covers(bind(cgroups, "/x", access)));
    }
  }

  @Test
  void areReadOnlyInPart() throws Exception {
    Path part = Files.createDirectories(cgroups.resolve("part"));
    assertEquals(
        List.of(bind(part, "/x", Access.READ_ONLY)), covers(bind(part, "/x", Access.READ_WRITE)));
  }

  @Test
  void areFoundThroughLinks() throws Exception {
    Path link = Files.createSymbolicLink(place.resolve("link"), place.resolve("sys"));
    assertEquals(
        List.of(bind(cgroups, "/x/cgroup", Access.READ_ONLY)),
        covers(bind(link, "/x", Access.READ_WRITE)));
  }

  /** What the caller puts there later is over them, and not under them. */
  @Test
  void stayHidden() throws Exception {
    MountOperation shown = bind(place.resolve("sys"), "/x", Access.READ_WRITE);
    MountOperation hiding = new Tmpfs(Destination.of("/x"));
    assertEquals(
        List.of(shown, bind(cgroups, "/x/cgroup", Access.READ_ONLY), hiding),
        restricting(shown, hiding));
    MountOperation all = bind(Path.of("/"), "/", Access.READ_WRITE);
    assertEquals(List.of(), covers(all, new Tmpfs(Destination.of(place.toString()))));
  }

  @Test
  void areShownWhereNothingIsMountedOver() throws Exception {
    MountOperation all = bind(Path.of("/"), "/", Access.READ_WRITE);
    Destination over = Destination.of("/");
    for (MountOperation later :
        List.of(
            new MountOperation.Directory(over, 0755),
            new MountOperation.Permissions(over, 0755),
            new MountOperation.RemountReadOnly(over))) {
      assertEquals(
          List.of(all, bind(cgroups, cgroups.toString(), Access.READ_ONLY), later),
          restricting(all, later));
    }
  }

  @Test
  void areLeftAloneWithoutLimits() throws Exception {
    SandboxSpec spec =
        SandboxSpec.builder().mount(bind(Path.of("/"), "/", Access.READ_WRITE)).build();
    assertSame(spec, ReadOnlyCgroups.in(spec, host()));
  }

  @Test
  void areLeftAloneWhereNothingShowsThemWritable() throws Exception {
    assertEquals(
        List.of(),
        covers(
            bind(Path.of("/"), "/", Access.READ_ONLY),
            bind(Files.createDirectories(place.resolve("other")), "/o", Access.READ_WRITE)));
  }
}
