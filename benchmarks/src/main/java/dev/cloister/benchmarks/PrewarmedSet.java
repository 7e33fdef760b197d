package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.Results;
import dev.cloister.sandbox.Sandbox;

/**
 * The same in a sandbox that waited for its command. Before each start, whatever is started, and
 * not timed, the last one that was used is replaced, and the machine has a moment to come to rest.
 */
final class PrewarmedSet implements MeasuredSet {
  private static final int WAITING = 4;
  private static final int REST_MILLIS = 2;
  private static final int WARM_UP = 200;
  private static final int ROUNDS = 1000;

  @Override
  public String name() {
    return "prewarmed";
  }

  @Override
  public Results measure(Workplace workplace) throws Exception {
    Samples samples =
        workplace
            .samples(name(), "µs", "")
            .comparedWith(LibrarySet.SPAWN, LibrarySet.PROCESS_BUILDER);
    Nothing nothing = workplace.nothing();
    try (Sandbox cold = nothing.sandbox("pivot_root");
        Sandbox warm = nothing.sandbox("pivot_root")) {
      warm.prewarm(WAITING);
      Alternation.Action rest = () -> rest(warm);
      Alternation alternation =
          new Alternation()
              .add("pivot_root, prewarmed", rest, 1, () -> Nothing.runIn(warm))
              .add("pivot_root", rest, 1, () -> Nothing.runIn(cold))
              .add(LibrarySet.PROCESS_BUILDER, rest, 1, nothing::runPlainly)
              .add(LibrarySet.SPAWN, rest, 1, nothing::spawn);
      alternation.run(workplace.rounds(WARM_UP), workplace.rounds(ROUNDS));
      alternation.addTo(samples, "");
    }
    return samples.results();
  }

  private static void rest(Sandbox sandbox) throws InterruptedException {
    do {
      Thread.sleep(REST_MILLIS);
    } while (sandbox.waiting() < WAITING);
  }
}
