package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Golden;
import dev.cloister.host.CallerKind;
import dev.cloister.host.Preset;
import dev.cloister.program.Listing;
import dev.cloister.program.SyscallProgram;
import dev.cloister.recipe.PortableProgram;
import dev.cloister.spec.Destination;
import dev.cloister.spec.Identity;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.LateBind;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Programs for whoever runs them, complete. */
class PortableTest {
  private static PortableProgram portable(UnaryOperator<SandboxSpec.Builder> change) {
    Map<CallerKind, SandboxSpec> specs = new EnumMap<>(CallerKind.class);
    for (CallerKind kind : CallerKind.values()) {
      SandboxSpec.Builder spec = change.apply(SandboxSpec.builder());
      List<MountOperation> mounts =
          new ArrayList<>(Preset.HOST.lateMounts(kind.isUserZero(), spec.unshares(Namespace.PID)));
      mounts.add(late("/opt", "/opt", false));
      specs.put(kind, spec.mounts(mounts).build());
    }
    return new PortableProgram(Strategies.PORTABLE, specs);
  }

  private static LateBind late(String source, String destination, boolean optional) {
    return new LateBind(
        OsString.of(source), Destination.of(destination), Access.READ_WRITE, optional);
  }

  private static void check(String golden, PortableProgram program) throws Exception {
    Golden.check("portable-" + golden, Listing.of(program.plan(List.of()), OsString.of("make")));
  }

  @Test
  void everyday() throws Exception {
    check("everyday", portable(spec -> spec));
  }

  @Test
  void withAnInitAndAnotherUser() throws Exception {
    check(
        "init",
        portable(
            spec -> spec.unshare(Namespace.PID).identity(Identity.CALLER.withUid(7).withGid(8))));
  }

  /** Reproducible: nothing of the process or the host that plans it is in it. */
  @Test
  void isTheSameEveryTime() throws Exception {
    SyscallProgram program = portable(spec -> spec).plan(List.of());
    assertEquals(program, portable(spec -> spec).plan(List.of()));
  }

  @Test
  void aRootThatMayBeMissingIsRefused() {
    PortableProgram program =
        new PortableProgram(
            Strategies.PORTABLE,
            Map.of(
                CallerKind.ROOT, only(late("/srv", "/", true)),
                CallerKind.PLAIN_ROOT, only(late("/srv", "/", true)),
                CallerKind.USER, only(late("/srv", "/", true))));
    PlanException e = assertThrows(PlanException.class, () -> program.plan(List.of()));
    assertTrue(e.getMessage().contains("/srv"), e.getMessage());
  }

  private static SandboxSpec only(MountOperation mount) {
    return SandboxSpec.builder().mount(mount).build();
  }

  /** Root's command stays root, unless another user was asked for. */
  @Test
  void guaranteesWhatHoldsForEveryCaller() {
    assertFalse(portable(spec -> spec).guarantees().contains(Guarantee.UNPRIVILEGED_USER));
    assertTrue(portable(spec -> spec).guarantees().contains(Guarantee.NO_CAPABILITIES));
  }
}
