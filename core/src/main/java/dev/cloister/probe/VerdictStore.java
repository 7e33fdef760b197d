package dev.cloister.probe;

import dev.cloister.host.Bwrap;
import dev.cloister.host.HostReport;
import dev.cloister.host.HostState;
import dev.cloister.host.SmallFiles;
import dev.cloister.host.Workaround;
import dev.cloister.launch.PrivateDirectory;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.StrategySelector;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * Remembers verdicts for as long as the host's state is the same, so that only the first of a row
 * of runs tries strategies, and asks bubblewrap for its options. Of a strategy that cannot be used
 * the reason and the remedy are kept as text, which is what a run says of it. A launcher whose
 * set-up fails removes the file.
 */
public final class VerdictStore implements StrategySelector.Trial {
  private static final String FILE = "verdicts";
  private static final String SEPARATOR = "\t";

  /** In place of a strategy's name. */
  private static final String OPTIONS = "bwrap --help";

  private final PrivateDirectory directory;
  private final HostState state;
  private final StrategySelector.Trial trial;
  private final Map<String, Assessment> verdicts = new HashMap<>();
  private String bwrapOptions = "";

  /**
   * Opens the store.
   *
   * @param trial who is asked for verdicts that are not known
   */
  public VerdictStore(PrivateDirectory directory, HostState state, StrategySelector.Trial trial) {
    this.directory = directory;
    this.state = state;
    this.trial = trial;
    read();
  }

  /** Forgets everything, so that every strategy is tried anew. */
  public void forget() {
    verdicts.clear();
    bwrapOptions = "";
  }

  /** Where verdicts are remembered. */
  public static Path file(PrivateDirectory directory) {
    return directory.path().resolve(FILE);
  }

  @Override
  public Assessment of(IsolationStrategy strategy) {
    Assessment known = verdicts.get(strategy.name());
    if (known != null) {
      return known;
    }
    Assessment verdict = trial.of(strategy);
    verdicts.put(strategy.name(), verdict);
    write();
    return verdict;
  }

  /** The same host, whose bubblewrap is asked for its options only if they are not remembered. */
  public HostReport remembering(HostReport host) {
    if (host.bwrap().isEmpty()) {
      return host;
    }
    Bwrap bwrap = host.bwrap().get();
    return host.with(new Bwrap(bwrap.path(), new RememberedOptions(bwrap)));
  }

  private final class RememberedOptions implements Supplier<Set<String>> {
    private final Bwrap bwrap;

    RememberedOptions(Bwrap bwrap) {
      this.bwrap = bwrap;
    }

    @Override
    public Set<String> get() {
      if (bwrapOptions.isEmpty()) {
        bwrapOptions = String.join(" ", new TreeSet<>(bwrap.options().get()));
        write();
      }
      return bwrapOptions.isEmpty() ? Set.of() : Set.of(bwrapOptions.split(" ", -1));
    }
  }

  private void read() {
    try {
      List<String> lines = SmallFiles.lines(file(directory), StandardCharsets.UTF_8);
      if (!lines.isEmpty() && lines.get(0).equals(state.text())) {
        for (String line : lines.subList(1, lines.size())) {
          String[] words = line.split(SEPARATOR, -1);
          if (words[0].equals(OPTIONS)) {
            // A line that was cut short says nothing.
            bwrapOptions = words.length == 2 ? words[1] : "";
          } else if (words.length == 2) {
            verdicts.put(words[0], new Assessment.Usable(workarounds(words[1])));
          } else if (words.length == 3) {
            verdicts.put(words[0], new Assessment.Unusable(words[1], words[2]));
          }
        }
      }
    } catch (IOException | IllegalArgumentException e) {
      // Nothing is remembered: the strategies are tried.
      forget();
    }
  }

  private static Set<Workaround> workarounds(String words) {
    if (words.isEmpty()) {
      return Set.of();
    }
    Set<Workaround> workarounds = new TreeSet<>();
    for (String word : words.split(" ", -1)) {
      workarounds.add(Workaround.valueOf(word));
    }
    return workarounds;
  }

  private static String words(Set<Workaround> workarounds) {
    List<String> words = new ArrayList<>();
    for (Workaround workaround : workarounds) {
      words.add(workaround.name());
    }
    return String.join(" ", words);
  }

  /** Replaces the file at once: others read it meanwhile. */
  private void write() {
    StringBuilder text = new StringBuilder(state.text()).append('\n');
    verdicts.forEach(
        (name, verdict) -> {
          text.append(name);
          if (verdict instanceof Assessment.Usable usable) {
            text.append(SEPARATOR).append(words(usable.workarounds()));
          }
          if (verdict instanceof Assessment.Unusable unusable) {
            text.append(SEPARATOR).append(plain(unusable.reason()));
            text.append(SEPARATOR).append(plain(unusable.remedy()));
          }
          text.append('\n');
        });
    if (!bwrapOptions.isEmpty()) {
      text.append(OPTIONS).append(SEPARATOR).append(bwrapOptions).append('\n');
    }
    try {
      Path temporary = directory.reserve();
      SmallFiles.write(temporary, text.toString().getBytes(StandardCharsets.UTF_8));
      Files.move(temporary, file(directory), StandardCopyOption.ATOMIC_MOVE);
      // Seldom enough not to matter, often enough to keep the directory small.
      directory.removeAbandoned();
    } catch (IOException e) {
      // Remembering only saves time.
    }
  }

  private static String plain(String text) {
    return text.replace(SEPARATOR, " ").replace('\n', ' ').replace('\r', ' ');
  }
}
