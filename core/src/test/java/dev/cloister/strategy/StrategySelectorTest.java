package dev.cloister.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.StrategySelector.Choice;
import dev.cloister.strategy.StrategySelector.NoStrategyException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class StrategySelectorTest {
  private static final SandboxSpec SPEC = SandboxSpec.builder().build();
  private static final Assessment UNABLE = new Assessment.Unusable("cannot", "do not ask");
  private static final Assessment BROKEN = new Assessment.Unusable("broken", "repair it");

  private final List<String> tried = new ArrayList<>();

  private record Fixed(String name, Assessment assessment) implements IsolationStrategy {
    @Override
    public Assessment assess(SandboxSpec spec, HostReport host) {
      return assessment;
    }

    @Override
    public SyscallProgram plan(SandboxSpec spec, HostReport host) {
      throw new AssertionError("nothing is planned for a choice");
    }
  }

  private static IsolationStrategy able(String name) {
    return new Fixed(name, Assessment.USABLE);
  }

  private static IsolationStrategy unable(String name) {
    return new Fixed(name, UNABLE);
  }

  /** Strategies whose name starts with "broken" do not work here. */
  private StrategySelector selector(IsolationStrategy... strategies) {
    Caller caller = new Caller(1, 1, false, List.of(), true, 0, false, 0);
    HostReport host = new HostReport(caller, List.of(), Optional.empty(), _ -> Optional.empty());
    return new StrategySelector(
        List.of(strategies),
        host,
        strategy -> {
          tried.add(strategy.name());
          return strategy.name().startsWith("broken") ? BROKEN : Assessment.USABLE;
        });
  }

  private Choice choose(IsolationStrategy... strategies) throws Exception {
    return selector(strategies).choose(SPEC, Optional.empty());
  }

  @Test
  void takesTheFirstThatWorksAndTriesNoOther() throws Exception {
    Choice choice = choose(able("one"), able("two"));
    assertEquals("one", choice.strategy().name());
    assertEquals(List.of(), choice.rejections());
    assertFalse(choice.named());
    assertEquals(List.of("one"), tried);
    assertEquals("it is the preferred one, and works here", choice.why());
  }

  @Test
  void passesOverWhatCannotOrDoesNotWork() throws Exception {
    Choice choice = choose(unable("one"), able("broken two"), able("three"));
    assertEquals("three", choice.strategy().name());
    assertEquals(
        List.of("one: cannot (do not ask)", "broken two: broken (repair it)"),
        choice.rejections().stream().map(Object::toString).toList());
    assertEquals(List.of("broken two", "three"), tried);
    assertEquals("it is the first that works here", choice.why());
  }

  @Test
  void aNameAllowsNoOther() throws Exception {
    StrategySelector selector = selector(able("one"), able("two"), unable("three"));
    Choice choice = selector.choose(SPEC, Optional.of("two"));
    assertEquals("two", choice.strategy().name());
    assertTrue(choice.named());
    assertEquals(List.of("two"), tried);
    NoStrategyException refused =
        assertThrows(NoStrategyException.class, () -> selector.choose(SPEC, Optional.of("three")));
    assertEquals(1, refused.rejections().size());
    NoStrategyException unknown =
        assertThrows(NoStrategyException.class, () -> selector.choose(SPEC, Optional.of("four")));
    assertEquals(List.of(), unknown.rejections());
  }

  @Test
  void saysWhyNoneWillDo() {
    NoStrategyException e =
        assertThrows(NoStrategyException.class, () -> choose(unable("one"), able("broken two")));
    assertEquals(2, e.rejections().size());
    assertEquals("no strategy can make this sandbox here", e.getMessage());
  }
}
