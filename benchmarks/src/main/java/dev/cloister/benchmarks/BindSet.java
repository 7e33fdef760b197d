package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.Results;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How the time of whole processes grows with the number of binds, each of a directory of its own,
 * which all are beside each other in the sandbox.
 */
final class BindSet implements MeasuredSet {
  private static final List<Step> STEPS =
      List.of(new Step(1, 400), new Step(10, 400), new Step(100, 100), new Step(1000, 20));

  /** How often something with a number of binds is started; bubblewrap's thousand take a second. */
  private record Step(int binds, int rounds) {}

  @Override
  public String name() {
    return "binds";
  }

  @Override
  public Results measure(Workplace workplace) throws Exception {
    Samples samples =
        workplace
            .samples(name(), "µs", "binds")
            .comparedWith("bubblewrap, read-only", "bubblewrap, writable");
    if (Workplace.program("bwrap").isEmpty()) {
      samples.leaveOut("bubblewrap", "there is no bwrap in PATH");
    }
    for (Step step : STEPS) {
      Starts starts = Starts.in(workplace);
      for (Access access : List.of(Access.READ_ONLY, Access.READ_WRITE)) {
        add(starts, workplace, step.binds(), access);
      }
      starts
          .run(workplace.rounds(step.rounds()))
          .forEach((subject, times) -> samples.add(subject, "" + step.binds(), times));
    }
    return samples.results();
  }

  private static void add(Starts starts, Workplace workplace, int count, Access access)
      throws Exception {
    String how = access == Access.READ_ONLY ? "read-only" : "writable";
    for (String strategy : List.of("pivot_root", "chroot")) {
      Path launcher =
          Plans.write(
              workplace.directory().resolve("%s-%s-%d".formatted(strategy, how, count)),
              Plans.plan(strategy, mounts(workplace, count, access)));
      starts.add(strategy + ", " + how, words(launcher.toString()));
    }
    if (Workplace.program("bwrap").isPresent()) {
      String option = access == Access.READ_ONLY ? "--ro-bind" : "--bind";
      starts.add("bubblewrap, " + how, bubblewrap(workplace, count, option));
    }
  }

  private static List<String> words(String launcher) {
    List<String> words = new ArrayList<>(List.of(launcher));
    words.addAll(Nothing.inside());
    return words;
  }

  private static List<MountOperation> mounts(Workplace workplace, int count, Access access)
      throws Exception {
    List<MountOperation> mounts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      mounts.add(Plans.bind(source(workplace, i), destination(i), access));
    }
    mounts.add(Plans.bind(workplace.nothing().directory(), Nothing.PLACE, Access.READ_WRITE));
    return mounts;
  }

  private static List<String> bubblewrap(Workplace workplace, int count, String option)
      throws Exception {
    List<String> words = new ArrayList<>();
    words.add(Workplace.program("bwrap").orElseThrow().toString());
    words.add("--unshare-user");
    for (int i = 0; i < count; i++) {
      words.addAll(List.of(option, source(workplace, i).toString(), destination(i)));
    }
    words.addAll(List.of("--bind", workplace.nothing().directory().toString(), Nothing.PLACE));
    words.addAll(Nothing.inside());
    return words;
  }

  private static Path source(Workplace workplace, int number) throws Exception {
    return workplace.newDirectory("sources/" + number);
  }

  private static String destination(int number) {
    return "/b/" + number;
  }
}
