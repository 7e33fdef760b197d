package dev.cloister.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CallerDescriptorsTest {
  private static final CallerDescriptors SOME =
      CallerDescriptors.NONE.using("--file", 5).holding("--sync-fd", 3).awaiting("--block-fd", 9);

  @Test
  void whatIsHeldOrAwaitedIsInUse() {
    assertEquals(List.of(3, 5, 9), SOME.numbersFrom(0));
    assertEquals(List.of(5, 9), SOME.numbersFrom(4));
    assertEquals(List.of(3), SOME.held());
    assertEquals(9, SOME.awaited().orElseThrow());
    assertTrue(SOME.uses(5));
    assertFalse(SOME.uses(4));
  }

  @Test
  void theFirstOptionThatNeedsOneNamesIt() {
    CallerDescriptors twice = CallerDescriptors.NONE.using("--a", 1).using("--b", 1);
    assertEquals(List.of(new CallerDescriptors.Use(1, "--a")), twice.uses());
    assertEquals("--a 1", twice.uses().getFirst().toString());
  }

  @Test
  void findsNumbersThatNothingNeeds() {
    assertEquals(4, SOME.firstUnused(3, 1));
    assertEquals(6, SOME.firstUnused(4, 3));
    assertEquals(10, SOME.firstUnused(4, 4));
    assertEquals(64, SOME.firstUnused(64, 2));
    assertEquals(3, CallerDescriptors.NONE.firstUnused(3, 100));
  }

  @Test
  void thereAreNoNegativeOnes() {
    assertThrows(IllegalArgumentException.class, () -> CallerDescriptors.NONE.using("--file", -1));
  }

  @Test
  void aLibraryHandsOverWhatItsLaunchersUse() {
    SandboxSpec spec = SandboxSpec.builder().descriptors(_ -> SOME).build();
    assertThrows(IllegalArgumentException.class, () -> spec.with(Handover.library(Set.of(4))));
  }

  @Test
  void process1HoldsNoLocks() {
    SandboxSpec.Builder spec =
        SandboxSpec.builder()
            .unshare(Namespace.PID)
            .processes(some -> some.withCommandAsInit().locking(Destination.of("/lock")));
    assertThrows(IllegalArgumentException.class, spec::build);
  }
}
