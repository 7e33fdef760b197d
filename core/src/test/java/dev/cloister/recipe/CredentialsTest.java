package dev.cloister.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.spec.GivenNamespaces;
import dev.cloister.spec.Identity;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.Privileges;
import dev.cloister.spec.Privileges.Authority;
import dev.cloister.spec.Privileges.UserNamespaces;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Guarantee;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What callers of all sorts are guaranteed; what is done for that is in NativeProgramTest. */
class CredentialsTest {
  private static final long ALL = (1L << 41) - 1;
  private static final long NOT_GROUPS =
      ALL & ~(1L << LinuxConstant.CAP_SETGID.value(Architecture.X86_64));

  private static Set<Guarantee> guarantees(
      long id, List<Long> groups, long capabilities, Identity identity) {
    Caller caller = new Caller(id, id, false, groups, true, capabilities, false, 0);
    return new Credentials(host(caller), identity).guarantees();
  }

  private static HostReport host(Caller caller) {
    return new HostReport(caller, List.of(), Optional.empty(), _ -> Optional.empty());
  }

  private static boolean dropsGroups(long id, List<Long> groups, long capabilities, Identity who) {
    return guarantees(id, groups, capabilities, who).contains(Guarantee.GROUPS_DROPPED);
  }

  @Test
  void groupsGoWithTheRightToSetThem() {
    assertTrue(dropsGroups(0, List.of(4L, 5L), ALL, Identity.CALLER));
    assertTrue(dropsGroups(1000, List.of(4L), ALL, Identity.CALLER));
    assertFalse(dropsGroups(0, List.of(4L), NOT_GROUPS, Identity.CALLER));
    assertFalse(dropsGroups(1000, List.of(4L), 0, Identity.CALLER));
    assertTrue(dropsGroups(1000, List.of(), 0, Identity.CALLER));
    Caller denied = new Caller(0, 0, false, List.of(4L), false, ALL, false, 0);
    assertFalse(
        new Credentials(host(denied), Identity.CALLER)
            .guarantees()
            .contains(Guarantee.GROUPS_DROPPED));
  }

  /** Login puts a user's own group into the list, which opens nothing that the gid does not. */
  @Test
  void theOwnGroupInTheListOpensNothing() {
    assertTrue(dropsGroups(1000, List.of(1000L), 0, Identity.CALLER));
    // For an unprivileged caller another gid is but a name of the same.
    assertTrue(dropsGroups(1000, List.of(1000L), 0, Identity.CALLER.withGid(7)));
    assertFalse(dropsGroups(1000, List.of(1000L, 7L), 0, Identity.CALLER.withGid(7)));
    // Who really changes it but cannot change the list keeps the old one there.
    assertFalse(dropsGroups(0, List.of(0L), NOT_GROUPS, Identity.CALLER.withGid(7)));
  }

  private static boolean unprivileged(long id, long capabilities, Identity who) {
    return guarantees(id, List.of(), capabilities, who).contains(Guarantee.UNPRIVILEGED_USER);
  }

  @Test
  void onlyWhoReallyChangesIsAnotherUser() {
    assertFalse(unprivileged(0, ALL, Identity.CALLER));
    assertTrue(unprivileged(0, ALL, Identity.CALLER.withUid(7)));
    assertTrue(unprivileged(1000, 0, Identity.ROOT));
    // A map alone does not take root's files from root, nor give them to another.
    assertFalse(unprivileged(0, 0, Identity.CALLER.withUid(7)));
    assertFalse(unprivileged(1000, ALL, Identity.ROOT));
  }

  private static SandboxSpec asking(UnaryOperator<Privileges> change) {
    return SandboxSpec.builder().privileges(change).build();
  }

  private static final SandboxSpec CAPABLE =
      asking(some -> some.withCapabilities(Set.of(LinuxConstant.CAP_NET_ADMIN)));

  @Test
  void whatIsAddedIsNoLongerGuaranteedAway() {
    Caller caller = new Caller(1000, 1000, false, List.of(), true, 0, false, 0);
    Set<Guarantee> given = new Credentials(host(caller), CAPABLE).guarantees();
    assertFalse(given.contains(Guarantee.NO_CAPABILITIES));
    assertTrue(
        given.containsAll(Set.of(Guarantee.OWN_USER_NAMESPACE, Guarantee.NO_NEW_PRIVILEGES)));
  }

  private static Assessment assess(SandboxSpec spec, Workaround... workarounds) {
    Caller root = new Caller(0, 0, false, List.of(), true, ALL, false, 0);
    return Credentials.assess(spec, host(root).with(Set.of(workarounds)));
  }

  private static String reason(Assessment assessment) {
    return assertInstanceOf(Assessment.Unusable.class, assessment).reason();
  }

  @Test
  void capabilitiesNeedAUserNamespaceOfTheirOwn() {
    SandboxSpec own = asking(Privileges::withOwnUserNamespace);
    SandboxSpec disabled = asking(some -> some.withUserNamespaces(UserNamespaces.DISABLED));
    Workaround none = Workaround.NO_USER_NAMESPACE;
    assertEquals(Assessment.USABLE, assess(CAPABLE));
    assertEquals(Assessment.USABLE, assess(own));
    assertTrue(reason(assess(CAPABLE, none)).contains("--cap-add"));
    assertTrue(reason(assess(own, none)).contains("--unshare-user"));
    // That is proved when the program runs.
    assertEquals(Assessment.USABLE, assess(disabled, none));
  }

  private static final Caller USER = new Caller(1000, 1000, false, List.of(), true, 0, false, 0);
  private static final Caller ROOT = new Caller(0, 0, false, List.of(4L), true, ALL, false, 0);

  private static SandboxSpec.Builder given(UnaryOperator<GivenNamespaces> change) {
    return SandboxSpec.builder().given(change);
  }

  private static Set<Guarantee> guarantees(Caller caller, SandboxSpec.Builder spec) {
    return new Credentials(host(caller), spec.build()).guarantees();
  }

  @Test
  void nothingIsClaimedOfAUserNamespaceThatOthersAreIn() {
    for (Caller caller : List.of(USER, ROOT)) {
      for (SandboxSpec.Builder spec :
          List.of(
              given(some -> some.withUser(7)),
              given(some -> some.withUser(7).withPid(8)),
              given(some -> some.withUser(7).withLast(8)))) {
        Set<Guarantee> given = guarantees(caller, spec);
        assertFalse(given.contains(Guarantee.OWN_USER_NAMESPACE));
        assertFalse(given.contains(Guarantee.OLD_ROOT_UNREACHABLE));
        assertTrue(given.containsAll(Set.of(Guarantee.NO_CAPABILITIES, Guarantee.GROUPS_DROPPED)));
      }
    }
    // That is below one of its own all the same.
    assertTrue(
        guarantees(ROOT, given(some -> some.withPid(7)))
            .containsAll(Set.of(Guarantee.OWN_USER_NAMESPACE, Guarantee.OLD_ROOT_UNREACHABLE)));
  }

  @Test
  void whoOthersMapMayBeAnyone() {
    SandboxSpec.Builder inGiven = given(some -> some.withUser(7));
    assertTrue(guarantees(USER, inGiven).contains(Guarantee.UNPRIVILEGED_USER));
    assertFalse(guarantees(ROOT, inGiven).contains(Guarantee.UNPRIVILEGED_USER));
    inGiven.identity(Identity.CALLER.withUid(5));
    assertFalse(guarantees(USER, inGiven).contains(Guarantee.UNPRIVILEGED_USER));
    assertFalse(guarantees(ROOT, inGiven).contains(Guarantee.UNPRIVILEGED_USER));
    Caller grouped = new Caller(1000, 1000, false, List.of(1000L), true, 0, false, 0);
    SandboxSpec.Builder asGroup = given(some -> some.withUser(7));
    assertTrue(guarantees(grouped, asGroup).contains(Guarantee.GROUPS_DROPPED));
    asGroup.identity(Identity.CALLER.withGid(1000));
    assertFalse(guarantees(grouped, asGroup).contains(Guarantee.GROUPS_DROPPED));
  }

  @Test
  void oneThatOthersMapIsNewButOwnsTheMounts() {
    SandboxSpec.Builder mapped = given(some -> some.mappedBy(7));
    assertEquals(Set.of(Guarantee.OLD_ROOT_UNREACHABLE), withoutOthers(guarantees(USER, mapped)));
    assertEquals(
        Set.of(Guarantee.OLD_ROOT_UNREACHABLE, Guarantee.OWN_USER_NAMESPACE),
        withoutOthers(guarantees(ROOT, mapped)));
    mapped.privileges(_ -> CAPABLE.privileges());
    assertEquals(Set.of(), withoutOthers(guarantees(USER, mapped)));
  }

  private static Set<Guarantee> withoutOthers(Set<Guarantee> given) {
    given.retainAll(Set.of(Guarantee.OLD_ROOT_UNREACHABLE, Guarantee.OWN_USER_NAMESPACE));
    return given;
  }

  @Test
  void whatIsGivenMustBeWithinReach() {
    HostReport user = host(USER);
    SandboxSpec pid = given(some -> some.withPid(7)).build();
    SandboxSpec last = given(some -> some.withLast(7)).build();
    assertTrue(reason(Credentials.assess(pid, user)).contains("--pidns"));
    assertTrue(reason(Credentials.assess(last, user)).contains("--userns2"));
    assertEquals(Assessment.USABLE, Credentials.assess(pid, host(ROOT)));
    assertEquals(Assessment.USABLE, Credentials.assess(last, host(ROOT)));
    SandboxSpec both = given(some -> some.withUser(8).withPid(7).withLast(9)).build();
    assertEquals(Assessment.USABLE, Credentials.assess(both, user));
    SandboxSpec told = SandboxSpec.builder().reports(some -> some.withInfo(7)).build();
    assertEquals(Assessment.USABLE, assess(told));
    assertTrue(reason(assess(told, Workaround.OWN_PROC)).contains("--info-fd"));
  }

  private static SandboxSpec.Builder withAuthority(Authority authority) {
    return SandboxSpec.builder()
        .privileges(Privileges.NONE.withAuthority(authority, Set.of(LinuxConstant.CAP_SYS_ADMIN)));
  }

  @Test
  void theCallersAuthorityIsGuaranteedAwayByNothing() {
    Caller root = new Caller(0, 0, false, List.of(4L), true, ALL, false, 0);
    for (Authority authority : List.of(Authority.CALLERS, Authority.ALL_OF_CALLERS)) {
      Set<Guarantee> given =
          new Credentials(host(root), withAuthority(authority).build()).guarantees();
      assertEquals(Set.of(Guarantee.NO_NEW_PRIVILEGES), given);
    }
    SandboxSpec none =
        SandboxSpec.builder()
            .privileges(Privileges.NONE.withAuthority(Authority.CALLERS, Set.of()))
            .build();
    assertEquals(
        Set.of(Guarantee.NO_NEW_PRIVILEGES, Guarantee.NO_CAPABILITIES),
        new Credentials(host(root), none).guarantees());
  }

  @Test
  void whoMayUndoItIsNotIsolated() {
    SandboxSpec.Builder spec = withAuthority(Authority.CALLERS);
    for (Namespace namespace : Namespace.values()) {
      spec.unshare(namespace);
    }
    assertEquals(
        Set.of(Guarantee.NO_INHERITED_DESCRIPTORS), NativeProgram.guaranteesOf(spec.build()));
  }

  @Test
  void theCallersAuthorityCannotBeHadWithAnotherIdentity() {
    SandboxSpec kept = withAuthority(Authority.CALLERS).build();
    assertEquals(Assessment.USABLE, assess(kept));
    assertEquals(Assessment.USABLE, assess(kept, Workaround.NO_USER_NAMESPACE));
    assertTrue(
        reason(
                assess(
                    withAuthority(Authority.CALLERS).identity(Identity.CALLER.withUid(7)).build()))
            .contains("ids"));
    assertTrue(
        reason(
                assess(
                    withAuthority(Authority.CALLERS)
                        .privileges(Privileges::withOwnUserNamespace)
                        .build()))
            .contains("user namespace"));
    Caller user = new Caller(1000, 1000, false, List.of(), true, 0, false, 0);
    assertTrue(reason(Credentials.assess(kept, host(user))).contains("CAP_SYS_ADMIN"));
  }

  @Test
  void onlyWhatCapabilitiesActOnIsMadeLast() {
    SandboxSpec.Builder spec = SandboxSpec.builder();
    for (Namespace namespace : Namespace.values()) {
      spec.unshare(namespace);
    }
    assertEquals(Set.of(), Credentials.namespacesMadeLast(spec.build()));
    spec.privileges(_ -> CAPABLE.privileges());
    assertEquals(
        Set.of(Namespace.NET, Namespace.IPC, Namespace.UTS),
        Credentials.namespacesMadeLast(spec.build()));
    assertEquals(Set.of(), Credentials.namespacesMadeLast(CAPABLE));
  }

  @Test
  void onlyCapabilitiesAreCapabilities() {
    assertEquals(41, Privileges.allCapabilities().size());
    for (LinuxConstant capability : Privileges.allCapabilities()) {
      assertTrue(capability.name().startsWith("CAP_"), capability.name());
    }
    Set<LinuxConstant> other = Set.of(LinuxConstant.MS_RDONLY);
    assertThrows(IllegalArgumentException.class, () -> Privileges.NONE.withCapabilities(other));
  }

  @Test
  void withoutAUserNamespaceOnlyCapabilitiesAreGone() {
    Caller root = new Caller(0, 0, false, List.of(), true, ALL, false, 0);
    HostReport host = host(root).with(Set.of(Workaround.NO_USER_NAMESPACE));
    assertEquals(
        Set.of(Guarantee.NO_CAPABILITIES, Guarantee.NO_NEW_PRIVILEGES, Guarantee.GROUPS_DROPPED),
        new Credentials(host, Identity.CALLER).guarantees());
    HostReport landlock =
        host.with(Set.of(Workaround.NO_USER_NAMESPACE, Workaround.LANDLOCK_DOMAIN));
    assertTrue(
        new Credentials(landlock, Identity.CALLER)
            .guarantees()
            .contains(Guarantee.OLD_ROOT_UNREACHABLE));
  }
}
