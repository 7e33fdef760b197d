package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.Results;
import dev.cloister.sandbox.Sandbox;
import java.util.List;
import java.util.Map;

/** From a running JVM: start to exit of a static program that does nothing, with five binds. */
final class LibrarySet implements MeasuredSet {
  static final String PROCESS_BUILDER = "ProcessBuilder, no sandbox";
  static final String SPAWN = "posix_spawn(3), no sandbox";

  private static final int WARM_UP = 2000;
  private static final int ROUNDS = 1500;

  /** What is made of many programs takes as long as ten turns of the others. */
  private static final int SELDOM = 20;

  @Override
  public String name() {
    return "library";
  }

  @Override
  public Results measure(Workplace workplace) throws Exception {
    Samples samples =
        workplace.samples(name(), "µs", "").comparedWith(PROCESS_BUILDER, Peers.BUBBLEWRAP);
    Nothing nothing = workplace.nothing();
    Peers peers = Peers.find(workplace);
    peers.missing().forEach(it -> samples.leaveOut(it.subject(), it.reason()));
    try (Sandbox pivotRoot = nothing.sandbox("pivot_root");
        Sandbox chroot = nothing.sandbox("chroot")) {
      Alternation alternation =
          new Alternation()
              .add("pivot_root", () -> Nothing.runIn(pivotRoot))
              .add("chroot", () -> Nothing.runIn(chroot))
              .add(PROCESS_BUILDER, nothing::runPlainly)
              .add(SPAWN, nothing::spawn);
      addPeers(alternation, peers.commands());
      alternation.run(workplace.rounds(WARM_UP), workplace.rounds(ROUNDS));
      alternation.addTo(samples, "");
    }
    return samples.results();
  }

  private static void addPeers(Alternation alternation, Map<String, List<String>> commands) {
    commands.forEach(
        (name, command) -> {
          int each = name.equals(Peers.BUBBLEWRAP) ? 1 : SELDOM;
          alternation.add(name, () -> {}, each, () -> Nothing.run(command));
        });
  }
}
