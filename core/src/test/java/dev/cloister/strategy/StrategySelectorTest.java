package dev.cloister.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.StrategySelector.Choice;
import dev.cloister.strategy.StrategySelector.NoStrategyException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StrategySelectorTest {
  private static final SandboxSpec SPEC = SandboxSpec.builder().build();
  private static final Assessment UNABLE = new Assessment.Unusable("cannot", "do not ask");
  private static final Assessment BROKEN = new Assessment.Unusable("broken", "repair it");

  private final List<String> tried = new ArrayList<>();

  private record Fixed(String name, Assessment assessment, Set<Guarantee> guarantees)
      implements IsolationStrategy {
    @Override
    public Set<Guarantee> guarantees(SandboxSpec spec, HostReport host) {
      return host.needs(Workaround.NO_USER_NAMESPACE) ? Set.of() : guarantees;
    }

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
    return guaranteeing(name);
  }

  private static IsolationStrategy guaranteeing(String name, Guarantee... guarantees) {
    return new Fixed(name, Assessment.USABLE, Set.of(guarantees));
  }

  private static IsolationStrategy unable(String name) {
    return new Fixed(name, UNABLE, Set.of(Guarantee.values()));
  }

  /**
   * Strategies whose name starts with "broken" do not work here, and those whose name starts with
   * "weak" only without a user namespace.
   */
  private StrategySelector selector(IsolationStrategy... strategies) {
    Caller caller = new Caller(1, 1, false, List.of(), true, 0, false, 0);
    HostReport host = new HostReport(caller, List.of(), Optional.empty(), _ -> Optional.empty());
    return new StrategySelector(
        List.of(strategies),
        host,
        strategy -> {
          tried.add(strategy.name());
          if (strategy.name().startsWith("weak")) {
            return new Assessment.Usable(Set.of(Workaround.NO_USER_NAMESPACE));
          }
          return strategy.name().startsWith("broken") ? BROKEN : Assessment.USABLE;
        });
  }

  /** What a rejection speaks of is an object of this program. */
  @Test
  void anExceptionThatWasSerializedHasItsMessageAlone() throws Exception {
    NoStrategyException e = assertThrows(NoStrategyException.class, () -> choose(unable("a")));
    assertEquals(1, e.rejections().size());
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream output = new ObjectOutputStream(bytes)) {
      output.writeObject(e);
    }
    try (ObjectInputStream input =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      NoStrategyException copy = (NoStrategyException) input.readObject();
      assertEquals(e.getMessage(), copy.getMessage());
      assertEquals(List.of(), copy.rejections());
    }
  }

  private Choice choose(IsolationStrategy... strategies) throws Exception {
    return selector(strategies).choose(SPEC, Optional.empty(), Set.of());
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
    Choice choice = selector.choose(SPEC, Optional.of("two"), Set.of());
    assertEquals("two", choice.strategy().name());
    assertTrue(choice.named());
    assertEquals(List.of("two"), tried);
    NoStrategyException refused =
        assertThrows(
            NoStrategyException.class, () -> selector.choose(SPEC, Optional.of("three"), Set.of()));
    assertEquals(1, refused.rejections().size());
    NoStrategyException unknown =
        assertThrows(
            NoStrategyException.class, () -> selector.choose(SPEC, Optional.of("four"), Set.of()));
    assertEquals(List.of(), unknown.rejections());
  }

  @Test
  void saysWhyNoneWillDo() {
    NoStrategyException e =
        assertThrows(NoStrategyException.class, () -> choose(unable("one"), able("broken two")));
    assertEquals(2, e.rejections().size());
    assertEquals(
        """
        no strategy can make this sandbox here
          one: cannot
            remedy: do not ask
          broken two: broken
            remedy: repair it\
        """,
        e.getMessage());
  }

  /** Two that need the same file need it once. */
  @Test
  void showsWhatARemedySpeaksOf() {
    Assessment needsFile =
        new Assessment.Unusable(
            Optional.empty(),
            new Assessment.Cause("forbidden", List.of(), "write this:", List.of("a", "b {")));
    NoStrategyException e =
        assertThrows(
            NoStrategyException.class,
            () ->
                choose(
                    new Fixed("one", needsFile, Set.of()), new Fixed("two", needsFile, Set.of())));
    assertEquals(
        """
        no strategy can make this sandbox here
          one: forbidden
            remedy: write this:
              a
              b {
          two: forbidden
            remedy: write this:\
        """,
        e.getMessage());
  }

  private static NoStrategyException refused(
      StrategySelector selector, Optional<String> name, Guarantee... required) {
    return assertThrows(
        NoStrategyException.class, () -> selector.choose(SPEC, name, Set.of(required)));
  }

  @Test
  void passesOverWhatDoesNotGuaranteeWhatIsRequiredWithoutTryingIt() throws Exception {
    StrategySelector selector =
        selector(
            guaranteeing("one", Guarantee.IN_PLACE),
            guaranteeing("two", Guarantee.IN_PLACE, Guarantee.NO_CAPABILITIES),
            guaranteeing("three", Guarantee.NO_CAPABILITIES));
    Choice choice =
        selector.choose(
            SPEC, Optional.empty(), Set.of(Guarantee.NO_CAPABILITIES, Guarantee.IN_PLACE));
    assertEquals("two", choice.strategy().name());
    assertEquals(
        List.of(
            "one: does not guarantee no-capabilities, as --require asks"
                + " (use --strategy two or three)"),
        choice.rejections().stream().map(Object::toString).toList());
    assertEquals(List.of("two"), tried);
    assertEquals("it is the first that works here with what is required", choice.why());
  }

  @Test
  void saysForEachRequirementWhatWouldMeetIt() {
    NoStrategyException e =
        refused(
            selector(
                able("one"),
                guaranteeing("two", Guarantee.IN_PLACE),
                // Which cannot make this sandbox, whatever it guarantees.
                unable("three")),
            Optional.of("one"),
            Guarantee.NETWORK_ISOLATION,
            Guarantee.IN_PLACE);
    assertEquals(
        List.of(
            "one: does not guarantee network-isolation, in-place, as --require asks"
                + " (for network-isolation: add --unshare-net;"
                + " for in-place: use --strategy two)"),
        e.rejections().stream().map(Object::toString).toList());
    assertEquals(List.of(), tried);
  }

  /** A workaround that is found to be needed may cost what was guaranteed before. */
  @Test
  void whatAWorkaroundCostsIsNotGuaranteed() throws Exception {
    IsolationStrategy weak = guaranteeing("weak", Guarantee.OWN_USER_NAMESPACE);
    StrategySelector selector = selector(weak, guaranteeing("two", Guarantee.OWN_USER_NAMESPACE));
    Choice choice = selector.choose(SPEC, Optional.empty(), Set.of());
    assertEquals("weak", choice.strategy().name());
    assertEquals(Set.of(), choice.guarantees());
    assertEquals(Set.of(Guarantee.values()), choice.notGuaranteed());
    assertEquals("done differently here: no_user_namespace", choice.report().get(1));

    Choice required = selector.choose(SPEC, Optional.empty(), Set.of(Guarantee.OWN_USER_NAMESPACE));
    assertEquals("two", required.strategy().name());
    assertEquals(List.of("weak", "weak", "two"), tried);
  }

  @Test
  void aChoiceIsDataThatCannotChange() throws Exception {
    Set<Guarantee> given = EnumSet.of(Guarantee.IN_PLACE);
    Choice choice = choose(unable("one"), new Fixed("two", Assessment.USABLE, given));
    given.add(Guarantee.PID_ISOLATION);
    assertEquals(Set.of(Guarantee.IN_PLACE), choice.guarantees());
    assertThrows(
        UnsupportedOperationException.class,
        () -> choice.guarantees().add(Guarantee.PID_ISOLATION));
    Set<Guarantee> rest = EnumSet.allOf(Guarantee.class);
    rest.remove(Guarantee.IN_PLACE);
    assertEquals(rest, choice.notGuaranteed());
  }

  @Test
  void reportsTheChoiceInLines() throws Exception {
    Choice choice = choose(unable("one"), guaranteeing("two", Guarantee.IN_PLACE));
    List<String> report = choice.report();
    assertEquals(
        List.of(
            "strategy two: it is the first that works here",
            "not one: cannot (do not ask)",
            "guaranteed: in-place"),
        report.subList(0, 3));
    assertTrue(
        report.get(3).startsWith("not guaranteed: old-root-unreachable, "), report::toString);
    assertTrue(report.get(3).endsWith(", pid-isolation"), report::toString);
    assertEquals(4, report.size());
  }
}
