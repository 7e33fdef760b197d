package dev.cloister.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HandoverTest {
  @Test
  void aCommandLineLeavesAllButTheStandardDescriptorsToTheLauncher() {
    assertEquals(3, Handover.NONE.firstFree());
    assertEquals(List.of(), Handover.NONE.gaps());
  }

  @Test
  void theChannelsAreAboveWhatIsPassed() {
    Handover handover = Handover.library(Set.of(7, 4));
    assertEquals(8, handover.report());
    assertEquals(9, handover.status());
    assertEquals(10, handover.firstFree());
    assertEquals(List.of(3, 5, 6), handover.gaps());
    assertEquals(3, Handover.library(Set.of()).report());
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 2, 256})
  void standardDescriptorsAndHighNumbersAreNotPassed(int number) {
    assertThrows(IllegalArgumentException.class, () -> Handover.library(Set.of(number)));
  }

  @Test
  void whoWaitsHasAChannelAndNothingElse() {
    assertThrows(
        IllegalArgumentException.class, () -> new Handover(new TreeSet<>(), false, true, 0));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Handover(new TreeSet<>(Set.of(3)), true, true, 0));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Handover(new TreeSet<>(Set.of(3)), false, false, 0));
  }
}
