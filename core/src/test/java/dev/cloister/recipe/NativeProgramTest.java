package dev.cloister.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.fixture.Golden;
import dev.cloister.host.Allowance;
import dev.cloister.host.Caller;
import dev.cloister.host.CgroupController;
import dev.cloister.host.CgroupPlace;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.Listing;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.Destination;
import dev.cloister.spec.EnvironmentRules;
import dev.cloister.spec.GivenNamespaces;
import dev.cloister.spec.Identity;
import dev.cloister.spec.Limits.Cpu;
import dev.cloister.spec.Limits.ResourceLimit;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Source;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.Privileges;
import dev.cloister.spec.Privileges.Authority;
import dev.cloister.spec.Privileges.UserNamespaces;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.PlanException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/**
 * The recipe around the mounts: who makes them, in which namespaces, and who is left at the end.
 */
class NativeProgramTest {
  private static final long ALL = (1L << 41) - 1;

  private static Caller caller(long id, long capabilities) {
    return new Caller(id, id, false, List.of(), true, capabilities, false, 0);
  }

  private static long bit(LinuxConstant capability) {
    return 1L << capability.value(dev.cloister.ffm.Architecture.X86_64);
  }

  private static HostReport host(Caller caller) {
    return new HostReport(caller, List.of("sys"), Optional.empty(), _ -> Optional.empty());
  }

  private static void check(String name, Caller caller, SandboxSpec spec, Workaround... workarounds)
      throws Exception {
    HostReport host = host(caller).with(Set.of(workarounds));
    SyscallProgram program = NativeProgram.plan("native", spec, host, _ -> List.of());
    Golden.check("native-" + name, Listing.of(program, OsString.of("command")));
  }

  private static SandboxSpec as(Identity identity) {
    return SandboxSpec.builder().identity(identity).build();
  }

  @Test
  void aUserFirstBecomesRootOfItsOwnNamespace() throws Exception {
    check("user", caller(1000, 0), SandboxSpec.builder().build());
  }

  @Test
  void aUserBecomesWhoItWants() throws Exception {
    check("user-as-other", caller(1000, 0), as(Identity.ROOT.withGid(4_294_967_294L)));
  }

  @Test
  void rootMakesTheMountsAsItself() throws Exception {
    check("root", caller(0, ALL), SandboxSpec.builder().build());
  }

  @Test
  void rootReallyBecomesAnother() throws Exception {
    check("root-as-other", caller(0, ALL), as(Identity.CALLER.withUid(65_534).withGid(65_534)));
    check("root-as-other-group", caller(0, ALL), as(Identity.CALLER.withGid(5)));
  }

  /** As bubblewrap's command, called by root without a user namespace. */
  @Test
  void rootMayStayWhoItIs() throws Exception {
    SandboxSpec.Builder all =
        SandboxSpec.builder()
            .unshare(Namespace.NET)
            .privileges(
                Privileges.NONE.withAuthority(
                    Authority.ALL_OF_CALLERS, Privileges.allCapabilities()));
    all.environment(EnvironmentRules.INHERIT.setToDirectory(OsString.of("PWD")));
    check("root-with-authority", caller(0, ALL), all.build());
    Set<LinuxConstant> some = Set.of(LinuxConstant.CAP_KILL);
    check(
        "root-with-some-authority",
        caller(0, ALL),
        SandboxSpec.builder()
            .unshare(Namespace.PID)
            .privileges(Privileges.NONE.withAuthority(Authority.CALLERS, some))
            .build());
  }

  @Test
  void namespacesAreMadeAtOnceAndSetUp() throws Exception {
    SandboxSpec.Builder spec = SandboxSpec.builder().hostname(OsString.of("inside"));
    for (Namespace namespace : Namespace.values()) {
      spec.unshare(namespace);
    }
    check("namespaces", caller(1000, 0), spec.build());
  }

  private static SandboxSpec.Builder given(UnaryOperator<GivenNamespaces> change) {
    return SandboxSpec.builder().given(change);
  }

  @Test
  void whoAsksIsToldBeforeTheCommandAndAfterIt() throws Exception {
    SandboxSpec.Builder spec =
        SandboxSpec.builder().unshare(Namespace.NET).reports(some -> some.withInfo(7));
    check("info", caller(1000, 0), spec.build());
    spec.unshare(Namespace.PID).reports(some -> some.withStatus(8));
    check("reports", caller(1000, 0), spec.build());
    check("root-reports", caller(0, ALL), spec.build());
  }

  @Test
  void aGivenUserNamespaceComesFirst() throws Exception {
    SandboxSpec.Builder spec =
        given(some -> some.withUser(7)).identity(Identity.CALLER.withUid(5).withGid(6));
    check("given-user", caller(1000, 0), spec.build());
    check("root-given-user", caller(0, ALL), spec.build());
    check("given-users", caller(1000, 0), given(some -> some.withUser(7).withLast(8)).build());
    check("root-given-last", caller(0, ALL), given(some -> some.withLast(8)).build());
  }

  @Test
  void aGivenPidNamespaceIsEnteredThroughItsOwner() throws Exception {
    SandboxSpec.Builder spec =
        given(some -> some.withUser(7).withPid(8)).identity(Identity.CALLER.withUid(5));
    check("given-pid", caller(1000, 0), spec.build());
    check("given-pid-and-new", caller(1000, 0), spec.unshare(Namespace.PID).build());
    check("root-given-pid", caller(0, ALL), given(some -> some.withPid(8)).build());
  }

  @Test
  void othersMapWhatTheyWereToldOf() throws Exception {
    SandboxSpec spec =
        given(some -> some.mappedBy(7))
            .reports(some -> some.withInfo(8))
            .identity(Identity.ROOT)
            .build();
    check("unmapped", caller(1000, 0), spec);
    check("root-unmapped", caller(0, ALL), spec);
  }

  /** On a host where everything is there but one controller. */
  private static final Allowance DELEGATED =
      new Allowance() {
        @Override
        public OptionalLong hardLimit(LinuxConstant resource) {
          return OptionalLong.of(4096);
        }

        @Override
        public CgroupPlace cgroup(Set<CgroupController> controllers) {
          OsString mount = OsString.of("/sys/fs/cgroup");
          return new CgroupPlace.Found(mount, List.of(mount), Set.of(CgroupController.CPU));
        }
      };

  @Test
  void limitsAreTheOuterCgroupsAndThoseOfTheCommandComeLast() throws Exception {
    SandboxSpec spec =
        SandboxSpec.builder()
            .unshare(Namespace.CGROUP)
            .limits(
                limits ->
                    limits
                        .withMemory(1 << 20)
                        .withPids(7)
                        .withCpu(new Cpu(50_000, 100_000))
                        .with(LinuxConstant.RLIMIT_NOFILE, new ResourceLimit(5, 5000))
                        .with(LinuxConstant.RLIMIT_CORE, new ResourceLimit(0, 0)))
            .build();
    HostReport host = host(caller(1000, 0)).with(DELEGATED);
    SyscallProgram program = NativeProgram.plan("native", spec, host, _ -> List.of());
    Golden.check("native-limits", Listing.of(program, OsString.of("command")));
  }

  @Test
  void limitsWithoutACgroupAreRefused() {
    SandboxSpec spec = SandboxSpec.builder().limits(limits -> limits.withPids(7)).build();
    HostReport host = host(caller(1000, 0));
    PlanException refused =
        assertThrows(
            PlanException.class, () -> NativeProgram.plan("native", spec, host, _ -> List.of()));
    assertEquals("--pids: no cgroup was looked for (nothing)", refused.getMessage());
  }

  /** Capabilities of both halves, over namespaces that are made with the last user namespace. */
  private static SandboxSpec capable() {
    return SandboxSpec.builder()
        .hostname(OsString.of("inside"))
        .unshare(Namespace.NET)
        .unshare(Namespace.CGROUP)
        .privileges(
            some ->
                some.withCapabilities(Set.of(LinuxConstant.CAP_NET_ADMIN, LinuxConstant.CAP_BPF))
                    .withUserNamespaces(UserNamespaces.DISABLED))
        .identity(Identity.CALLER.withUid(7))
        .build();
  }

  @Test
  void capabilitiesAreKeptInTheLastUserNamespace() throws Exception {
    check("capable-user", caller(1000, 0), capable());
    check("capable-root", caller(0, ALL), capable());
  }

  @Test
  void aWorkingDirectoryThatIsAskedForIsNotLookedUp() throws Exception {
    check(
        "chdir",
        caller(1000, 0),
        SandboxSpec.builder().workingDirectory(OsString.of("/work")).build());
  }

  private static SandboxSpec showing(Identity identity) {
    Source source = new Source(OsString.of("/usr"), true, true);
    return SandboxSpec.builder()
        .mount(new MountOperation.Bind(source, Destination.of("/usr"), Access.READ_ONLY))
        .mount(new MountOperation.Devices(Destination.of("/dev")))
        .mount(new MountOperation.Proc(Destination.of("/proc")))
        .identity(identity)
        .build();
  }

  @Test
  void rootInAChrootLeavesIt() throws Exception {
    check("leave-chroot", caller(0, ALL), showing(Identity.CALLER), Workaround.LEAVE_CHROOT);
  }

  @Test
  void rootDoesWithoutAUserNamespace() throws Exception {
    check(
        "no-user-namespace",
        caller(0, ALL),
        as(Identity.CALLER.withUid(65_534).withGid(65_534)),
        Workaround.NO_USER_NAMESPACE);
    check(
        "landlock-domain",
        caller(0, ALL),
        as(Identity.CALLER),
        Workaround.NO_USER_NAMESPACE,
        Workaround.LANDLOCK_DOMAIN);
  }

  @Test
  void rootMountsAProcOfItsOwn() throws Exception {
    check("own-proc", caller(0, ALL), showing(Identity.CALLER), Workaround.OWN_PROC);
    check(
        "own-proc-leave-chroot",
        caller(0, ALL),
        showing(Identity.CALLER),
        Workaround.OWN_PROC,
        Workaround.LEAVE_CHROOT);
  }

  private static Assessment assess(Caller caller, Identity identity) {
    return Credentials.assess(as(identity), host(caller));
  }

  private static String reason(Assessment assessment) {
    return assertInstanceOf(Assessment.Unusable.class, assessment).reason();
  }

  @Test
  void saysWhoCannotBecomeWhom() {
    Identity other = Identity.CALLER.withUid(7);
    assertEquals(Assessment.USABLE, assess(caller(1000, 0), other));
    assertEquals(Assessment.USABLE, assess(caller(0, ALL), other));
    long admin = bit(LinuxConstant.CAP_SYS_ADMIN);
    assertTrue(reason(assess(caller(1000, admin), other)).contains("CAP_SETUID"));
    assertTrue(
        reason(assess(caller(1000, admin), Identity.CALLER.withGid(7))).contains("CAP_SETGID"));
    assertEquals(Assessment.USABLE, assess(caller(1000, admin), Identity.CALLER));
    long noGroups = admin | bit(LinuxConstant.CAP_SETUID);
    assertTrue(
        reason(assess(caller(1000, noGroups), other.withGid(7))).contains("CAP_SETGID"),
        "both ids are others");
  }
}
