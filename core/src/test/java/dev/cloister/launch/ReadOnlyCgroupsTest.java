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
    SandboxSpec spec =
        SandboxSpec.builder().mounts(List.of(mounts)).limits(limits -> limits.withPids(5)).build();
    SandboxSpec safe = ReadOnlyCgroups.in(spec, host());
    assertEquals(spec.mounts(), safe.mounts().subList(0, mounts.length));
    return safe.mounts().subList(mounts.length, safe.mounts().size());
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

  /** What the caller has put there is not to be covered by what it hides. */
  @Test
  void stayHidden() throws Exception {
    assertEquals(
        List.of(new Tmpfs(Destination.of("/x/cgroup"))),
        covers(
            bind(place.resolve("sys"), "/x", Access.READ_WRITE), new Tmpfs(Destination.of("/x"))));
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
