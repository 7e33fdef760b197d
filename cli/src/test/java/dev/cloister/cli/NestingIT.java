package dev.cloister.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A Cloister in a sandbox of Cloister's. */
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

  /** Three levels deep, with an id that may make user namespaces and map itself. */
  @EveryNativeSetting
  void worksThreeLevelsDeep(Setting setting) {
    List<String> words = level(setting);
    words.addAll(List.of("--uid", "1234", "--gid", "1234"));
    for (int level = 2; level <= 3; level++) {
      words.addAll(List.of("--", Installation.SCRIPT.toString()));
      words.addAll(level(setting));
    }
    words.addAll(
        List.of("--", "sh", "-c", "id -u; grep CapEff /proc/self/status; touch /usr/x || echo ro"));
    setting
        .user()
        .cloister(words.toArray(String[]::new))
        .run()
        .prints("1234\nCapEff:\t0000000000000000\nro\n");
  }

  /** The innermost status is the outermost's. */
  @EveryNativeSetting
  void passesTheStatusOut(Setting setting) {
    List<String> words = level(setting);
    words.addAll(List.of("--uid", "5", "--", Installation.SCRIPT.toString()));
    words.addAll(List.of(setting.words("run", "--", "sh", "-c", "exit 42")));
    setting.user().cloister(words.toArray(String[]::new)).run().exits(42);
  }

  /** A contained root cannot map ids; that is the cause that is named. */
  @EveryNativeSetting
  void isRefusedToAContainedRootWithTheCause(Setting setting) {
    List<String> words = level(setting);
    words.addAll(List.of("--map-root-user", "--", Installation.SCRIPT.toString()));
    words.addAll(List.of(setting.words("run", "--", "true")));
    setting
        .user()
        .cloister(words.toArray(String[]::new))
        .run()
        .refuses(125, "--strategy " + setting.strategy(), "CAP_SETFCAP");
  }
}
