package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.fixture.Golden;
import dev.cloister.host.Bwrap;
import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.program.Listing;
import dev.cloister.spec.Destination;
import dev.cloister.spec.EnvironmentRules;
import dev.cloister.spec.Handover;
import dev.cloister.spec.Identity;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.Privileges.UserNamespaces;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.IsolationStrategy;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The complete programs of every strategy for an everyday sandbox, on a host of paper. */
class ProgramsTest {
  private static final Caller ROOT =
      new Caller(0, 0, false, List.of(0L), true, (1L << 41) - 1, false, 0);
  private static final Caller USER =
      new Caller(1000, 1000, false, List.of(1000L, 27L), true, 0, false, 0);

  private static HostReport host(Caller caller) {
    return new HostReport(
        caller,
        List.of("sys", "irq", "sysrq-trigger"),
        Optional.of(new Bwrap(OsString.of("/usr/bin/bwrap"))),
        _ -> Optional.empty());
  }

  private static MountOperation bind(String path, Access access) {
    return new MountOperation.Bind(
        new MountOperation.Source(OsString.of(path), true, true), Destination.of(path), access);
  }

  /** What the preset is on a host with a merged /usr. */
  private static SandboxSpec.Builder everyday(boolean reallyRoot) {
    SandboxSpec.Builder spec =
        SandboxSpec.builder()
            .mount(bind("/usr", Access.READ_ONLY))
            .mount(bind("/etc", Access.READ_ONLY))
            .mount(new MountOperation.Symlink(OsString.of("usr/bin"), Destination.of("/bin")));
    if (reallyRoot) {
      spec.mount(new MountOperation.Devices(Destination.of("/dev")))
          .mount(new MountOperation.Proc(Destination.of("/proc")));
    } else {
      spec.mount(bind("/dev", Access.DEVICES)).mount(bind("/proc", Access.DEVICES));
    }
    return spec.mount(new MountOperation.Directory(Destination.of("/tmp"), 01777))
        .mount(bind("/home/me/project", Access.READ_WRITE));
  }

  private static IsolationStrategy strategy(String name) {
    return Strategies.ALL.stream().filter(s -> s.name().equals(name)).findFirst().orElseThrow();
  }

  private static void check(String golden, String name, Caller caller, SandboxSpec spec)
      throws Exception {
    Golden.check(
        name + "-" + golden,
        Listing.of(strategy(name).plan(spec, host(caller)), OsString.of("make")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"pivot_root", "chroot", "bwrap"})
  void asAUser(String name) throws Exception {
    check("user", name, USER, everyday(false).build());
  }

  @ParameterizedTest
  @ValueSource(strings = {"pivot_root", "chroot", "bwrap"})
  void asRoot(String name) throws Exception {
    check("root", name, ROOT, everyday(true).build());
  }

  @ParameterizedTest
  @ValueSource(strings = {"pivot_root", "bwrap"})
  void asRootForAnotherUser(String name) throws Exception {
    SandboxSpec spec =
        everyday(true).identity(Identity.CALLER.withUid(65_534).withGid(65_534)).build();
    check("root-as-other", name, ROOT, spec);
  }

  @ParameterizedTest
  @ValueSource(strings = {"pivot_root", "bwrap"})
  void withEverythingElse(String name) throws Exception {
    SandboxSpec spec =
        everyday(false)
            .unshare(Namespace.NET)
            .hostname(OsString.of("inside"))
            .environment(EnvironmentRules.INHERIT.clear())
            .workingDirectory(OsString.of("/tmp"))
            .build();
    check("everything", name, USER, spec);
  }

  @ParameterizedTest
  @ValueSource(strings = {"pivot_root", "bwrap"})
  void forALibrary(String name) throws Exception {
    SandboxSpec spec = everyday(false).unshare(Namespace.PID).build();
    check("library", name, USER, spec.with(Handover.library(Set.of(4))));
    check("waiting", name, USER, spec.with(Handover.PREWARMED));
  }

  /** It shows nothing but what is there. */
  @Test
  void inPlace() throws Exception {
    SandboxSpec.Builder spec =
        SandboxSpec.builder()
            .mount(bind("/usr", Access.READ_ONLY))
            .mount(bind("/dev", Access.DEVICES))
            .mount(bind("/home/me/project", Access.READ_WRITE))
            .workingDirectory(OsString.of("/home/me/project"));
    check("user", "landlock", USER, spec.build());
    SandboxSpec other = spec.identity(Identity.CALLER.withUid(65_534).withGid(65_534)).build();
    check("root-as-other", "landlock", ROOT, other);
  }

  @Test
  void bwrapLeavesCapabilitiesToTheInnerLauncher() throws Exception {
    SandboxSpec.Builder spec =
        everyday(false)
            .unshare(Namespace.NET)
            .unshare(Namespace.CGROUP)
            .privileges(some -> some.withUserNamespaces(UserNamespaces.DISABLED));
    check("user-disabled", "bwrap", USER, spec.build());
    spec.privileges(some -> some.withCapabilities(Set.of(LinuxConstant.CAP_NET_ADMIN)));
    check("user-capable", "bwrap", USER, spec.build());
  }

  @Test
  void theStrongestComesFirst() {
    assertEquals(
        List.of("pivot_root", "chroot", "bwrap", "landlock"),
        Strategies.ALL.stream().map(IsolationStrategy::name).toList());
  }
}
