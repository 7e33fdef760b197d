package dev.cloister.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A Cloister in a sandbox of Cloister's; {@link HostLab} has three levels, and contained root. */
final class NestingIT {
  /** What Cloister itself needs to be shown, on top of the host preset. */
  private static List<String> showCloister() {
    List<String> options = new ArrayList<>(List.of("--preset", "host"));
    for (Path path : List.of(Installation.HOME, Path.of(System.getProperty("java.home")))) {
      options.addAll(List.of("--ro-bind", path.toString(), path.toString()));
    }
    return options;
  }

  private static List<String> level(Setting setting) {
    List<String> words = new ArrayList<>(List.of(setting.words("run")));
    words.addAll(showCloister());
    return words;
  }

  /** The innermost status is the outermost's. */
  @EveryNativeSetting
  void passesTheStatusOut(Setting setting) {
    List<String> words = level(setting);
    words.addAll(List.of("--uid", "5", "--", Installation.SCRIPT.toString()));
    words.addAll(List.of(setting.words("run", "--", "sh", "-c", "exit 42")));
    setting.user().cloister(words.toArray(String[]::new)).run().exits(42);
  }
}
