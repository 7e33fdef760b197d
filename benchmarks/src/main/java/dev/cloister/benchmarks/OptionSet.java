package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.Results;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxBuilder;
import dev.cloister.sandbox.SandboxException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** From a running JVM: what each option adds to a sandbox with five binds. */
final class OptionSet implements MeasuredSet {
  private static final String NONE = "no option";
  private static final int WARM_UP = 100;
  private static final int ROUNDS = 500;
  private static final long BYTES = 1L << 30;
  private static final long FILES = 100;

  @Override
  public String name() {
    return "options";
  }

  private static Map<String, UnaryOperator<SandboxBuilder>> options() {
    Map<String, UnaryOperator<SandboxBuilder>> options = new LinkedHashMap<>();
    options.put(NONE, it -> it);
    options.put("--unshare-ipc", SandboxBuilder::unshareIpc);
    options.put("--hostname", it -> it.hostname("sandbox"));
    options.put("--unshare-cgroup", SandboxBuilder::unshareCgroup);
    options.put("--unshare-net", SandboxBuilder::unshareNet);
    options.put("--unshare-pid", SandboxBuilder::unsharePid);
    options.put("--unshare-all", SandboxBuilder::unshareAll);
    options.put("--seccomp-profile default", SandboxBuilder::seccomp);
    options.put("--rlimit nofile=100", it -> it.rlimit("nofile", FILES));
    options.put("--new-session", SandboxBuilder::newSession);
    options.put("--die-with-parent", SandboxBuilder::dieWithParent);
    options.put("--memory 1G", it -> it.memory(BYTES));
    return options;
  }

  @Override
  public Results measure(Workplace workplace) throws Exception {
    Samples samples = workplace.samples(name(), "µs", "").comparedWith(NONE);
    List<Sandbox> sandboxes = new ArrayList<>();
    Alternation alternation = new Alternation();
    try {
      for (Map.Entry<String, UnaryOperator<SandboxBuilder>> option : options().entrySet()) {
        try {
          Sandbox sandbox = workplace.nothing().sandbox("pivot_root", option.getValue());
          sandboxes.add(sandbox);
          alternation.add(option.getKey(), () -> Nothing.runIn(sandbox));
        } catch (SandboxException e) {
          samples.leaveOut(option.getKey(), firstLine(e));
        }
      }
      alternation.run(workplace.rounds(WARM_UP), workplace.rounds(ROUNDS));
    } finally {
      close(sandboxes);
    }
    alternation.addTo(samples, "");
    return samples.results();
  }

  private static String firstLine(SandboxException refusal) {
    return String.valueOf(refusal.getMessage()).lines().findFirst().orElse("");
  }

  private static void close(List<Sandbox> sandboxes) throws IOException {
    for (Sandbox sandbox : sandboxes) {
      sandbox.close();
    }
  }
}
