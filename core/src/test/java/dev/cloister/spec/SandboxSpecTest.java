package dev.cloister.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SandboxSpecTest {
  private static final OsString A = OsString.of("A");
  private static final OsString B = OsString.of("B");

  private static MountOperation tmpfs(String destination) {
    return new MountOperation.Tmpfs(Destination.of(destination));
  }

  @Test
  void mountsKeepTheirOrder() {
    List<MountOperation> all = List.of(tmpfs("/c"), tmpfs("/a"), tmpfs("/b"), tmpfs("/a"));
    SandboxSpec spec = SandboxSpec.builder().mount(all.get(0)).mounts(all.subList(1, 3)).build();
    assertEquals(all, spec.withMounts(all.subList(3, 4)).mounts());
    assertEquals(all.subList(0, 3), spec.mounts());
  }

  @Test
  void aHostNameBringsItsNamespace() {
    SandboxSpec spec = SandboxSpec.builder().hostname(OsString.of("h")).build();
    assertEquals(Set.of(Namespace.UTS), spec.namespaces());
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new SandboxSpec(
                List.of(),
                Set.of(),
                Identity.CALLER,
                EnvironmentRules.INHERIT,
                Optional.empty(),
                Optional.of(OsString.of("h")),
                Processes.PLAIN,
                Privileges.NONE,
                Limits.NONE,
                Handover.NONE,
                CallerDescriptors.NONE,
                GivenNamespaces.NONE,
                Reports.NONE));
  }

  @Test
  void aHostNameIsOneThatTheKernelTakes() {
    assertEquals(
        Optional.of(OsString.of("h".repeat(64))),
        SandboxSpec.builder().hostname(OsString.of("h".repeat(64))).build().hostname());
    for (String wrong : List.of("", "h".repeat(65), "\u00e9".repeat(33))) {
      SandboxSpec.Builder builder = SandboxSpec.builder();
      OsString name = OsString.of(wrong);
      assertThrows(IllegalArgumentException.class, () -> builder.hostname(name));
      assertFalse(builder.unshares(Namespace.UTS));
    }
  }

  @Test
  void idsHave32BitsButOne() {
    assertEquals(0xffff_fffeL, Identity.CALLER.withUid(0xffff_fffeL).uid().orElseThrow());
    for (long id : new long[] {-1, 0xffff_ffffL, 1L << 32}) {
      assertThrows(IllegalArgumentException.class, () -> Identity.CALLER.withUid(id));
      assertThrows(IllegalArgumentException.class, () -> Identity.CALLER.withGid(id));
    }
  }

  @Test
  void rulesMakeAnEnvironmentOfAnother() {
    List<OsString> caller =
        List.of(OsString.of("A=1"), OsString.of("B=2=3"), OsString.of("C=4"), OsString.of("odd"));
    EnvironmentRules rules = EnvironmentRules.INHERIT.unset(A).set(B, A);
    assertEquals(
        List.of(OsString.of("C=4"), OsString.of("odd"), OsString.of("B=A")), rules.applyTo(caller));
    assertEquals(
        List.of(OsString.of("B=2=3")), EnvironmentRules.INHERIT.clear().keep(B).applyTo(caller));
  }

  @Test
  void laterRulesOverrideEarlierOnes() {
    EnvironmentRules rules = EnvironmentRules.INHERIT.set(A, B).unset(A);
    assertEquals(List.of(), rules.additions());
    assertFalse(rules.passes(A));
    rules = EnvironmentRules.INHERIT.unset(A).set(A, B);
    assertEquals(List.of(OsString.of("A=B")), rules.additions());
    assertFalse(rules.passes(A));
    assertTrue(rules.passes(B));
    rules = EnvironmentRules.INHERIT.set(A, B).keep(A);
    assertEquals(List.of(), rules.additions());
    assertTrue(rules.passes(A));
  }

  @Test
  void additionsAreInTheOrderTheyWereLastGiven() {
    EnvironmentRules rules = EnvironmentRules.INHERIT.set(A, A).set(B, B).set(A, B);
    assertEquals(List.of(OsString.of("B=B"), OsString.of("A=B")), rules.additions());
  }

  @Test
  void clearingForgetsAllButWhatIsKept() {
    EnvironmentRules rules = EnvironmentRules.INHERIT.set(A, B).keep(B).clear();
    assertEquals(List.of(), rules.additions());
    assertFalse(rules.passes(A));
    assertTrue(rules.passes(B));
    assertFalse(rules.passes(OsString.of("C")));
    assertEquals(List.of(OsString.of("A=A")), rules.set(A, A).additions());
  }

  @Test
  void isTrivialWhereNothingChanges() {
    assertTrue(EnvironmentRules.INHERIT.isTrivial());
    assertTrue(EnvironmentRules.INHERIT.keep(A).isTrivial());
    assertFalse(EnvironmentRules.INHERIT.unset(A).isTrivial());
    assertFalse(EnvironmentRules.INHERIT.set(A, A).isTrivial());
    assertFalse(EnvironmentRules.INHERIT.clear().isTrivial());
  }
}
