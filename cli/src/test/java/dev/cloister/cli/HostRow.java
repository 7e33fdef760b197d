package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A user on a host, and what Cloister must find out and do there.
 *
 * @param choice the strategy it takes; empty for none
 * @param rejections what it says against strategies, by name; all others must work
 * @param lacking what it says against single capabilities, by name; nothing is said of others
 * @param also what else is tried
 */
record HostRow(
    SimulatedHost host,
    CallingUser user,
    String choice,
    Map<String, Rejection> rejections,
    Map<String, Rejection> lacking,
    List<Trial> also) {
  private static final List<String> STRATEGIES = List.of("pivot_root", "chroot", "bwrap");

  /** What the command in the sandbox must find. */
  private static final String GUARANTEES =
      "CapEff:\t0000000000000000\nNoNewPrivs:\t1\nhome is hidden\n";

  private static final String LOOK =
      "PATH=/usr/bin:/bin; grep -E '^(CapEff|NoNewPrivs):' /proc/self/status;"
          + " [ -e \"$HOME\" ] || echo home is hidden";

  /** Words that a reason and a remedy must contain. */
  record Rejection(String cause, String remedy) {}

  /** Something else that is tried there. */
  @FunctionalInterface
  interface Trial {
    void check(SimulatedHost host, CallingUser user);
  }

  HostRow {
    rejections = Map.copyOf(rejections);
    lacking = Map.copyOf(lacking);
    also = List.copyOf(also);
  }

  /** Where everything works. */
  static HostRow of(SimulatedHost host, CallingUser user) {
    return new HostRow(host, user, STRATEGIES.getFirst(), Map.of(), Map.of(), List.of());
  }

  /** Where this strategy does not work. */
  HostRow rejects(String strategy, String cause, String remedy) {
    Map<String, Rejection> more = new LinkedHashMap<>(rejections);
    more.put(strategy, new Rejection(cause, remedy));
    String first =
        STRATEGIES.stream().filter(name -> !more.containsKey(name)).findFirst().orElse("");
    return new HostRow(host, user, first, more, lacking, also);
  }

  HostRow rejectsAll(String cause, String remedy) {
    HostRow row = this;
    for (String strategy : STRATEGIES) {
      row = row.rejects(strategy, cause, remedy);
    }
    return row;
  }

  HostRow lacks(String capability, String cause, String remedy) {
    Map<String, Rejection> more = new LinkedHashMap<>(lacking);
    more.put(capability, new Rejection(cause, remedy));
    return new HostRow(host, user, choice, rejections, more, also);
  }

  HostRow also(Trial trial) {
    List<Trial> more = new ArrayList<>(also);
    more.add(trial);
    return new HostRow(host, user, choice, rejections, lacking, more);
  }

  /** What a command there must write. */
  HostRow alsoPrints(String script, String expected) {
    return also((at, as) -> at.cloister(as, "run").script(script).run().prints(expected));
  }

  /** Has the real command line look at the host. */
  Verdicts probe() {
    return Verdicts.of(host.cloister(user, "probe", "--json").run());
  }

  /** Holds Cloister to what it must find there, and to what it says. */
  void check(Verdicts verdicts) {
    assertEquals(choice, verdicts.choice(), verdicts::toString);
    assertEquals(
        rejections.keySet(),
        Set.copyOf(Verdicts.unusable(verdicts.strategies())),
        verdicts::toString);
    rejections.forEach((strategy, why) -> check(verdicts.strategy(strategy), why));
    lacking.forEach((capability, why) -> check(verdicts.capability(capability), why));
    if (choice.isEmpty()) {
      refuse(verdicts);
    } else {
      run();
    }
    also.forEach(trial -> trial.check(host, user));
    assertEquals(List.of(), user.launchers(), "launchers left behind");
  }

  private static void check(Verdicts.Verdict verdict, Rejection expected) {
    verdict.refusedBecause(expected.cause()).remedy(expected.remedy());
  }

  /** The choice, and whatever else is said to work, makes good on it. */
  private void run() {
    String[] look = {"/bin/sh", "-c", LOOK};
    Ran chosen = host.cloister(user, "run", "--verbose").command(look).run().prints(GUARANTEES);
    assertTrue(chosen.err().contains("strategy " + choice), chosen::toString);
    for (String strategy : STRATEGIES) {
      if (!strategy.equals(choice) && !rejections.containsKey(strategy)) {
        host.cloister(user, "run", "--strategy", strategy).command(look).run().prints(GUARANTEES);
      }
    }
  }

  /** One error with every strategy, its cause and its remedy, and nothing was run. */
  private void refuse(Verdicts verdicts) {
    Ran ran = host.cloister(user, "run").command("/bin/echo", "ran").run().exits(125);
    assertEquals("", ran.out(), ran::toString);
    List<String> said = ran.err().lines().toList();
    assertTrue(said.getFirst().startsWith("cloister: "), ran::toString);
    assertTrue(
        said.stream().skip(1).allMatch(line -> line.startsWith(" ") || line.startsWith("hint: ")),
        ran::toString);
    rejections.forEach(
        (strategy, rejection) -> {
          assertTrue(ran.err().contains(strategy + ": "), ran::toString);
          assertTrue(ran.err().contains(rejection.cause()), ran::toString);
          assertTrue(ran.err().contains(verdicts.strategy(strategy).remedy()), ran::toString);
        });
  }

  @Override
  public String toString() {
    return host + ", " + user;
  }
}
