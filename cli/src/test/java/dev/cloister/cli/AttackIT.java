package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every attack of the catalogue, from within every sandbox it concerns, and its control. What is
 * not promised is open to it; docs/threat-model.md has the table.
 */
@ExtendWith(Summary.class)
final class AttackIT {
  /** All, or those in whose name this is found: {@code -Dcloister.attack='terminal|trace'}. */
  private static Stream<Attack> chosen() {
    Pattern part = Pattern.compile(System.getProperty("cloister.attack", ""));
    return Attack.ALL.stream().filter(attack -> part.matcher(attack.name()).find());
  }

  static Stream<Arguments> attacks() {
    return chosen()
        .flatMap(
            attack ->
                Setting.all()
                    .filter(setting -> attack.concerns(setting.user()))
                    .map(setting -> Arguments.of(attack, setting)));
  }

  static Stream<Arguments> controls() {
    return chosen()
        .flatMap(
            attack ->
                Setting.users().filter(attack::concerns).map(user -> Arguments.of(attack, user)));
  }

  static Scene scene(Attack attack, CallingUser user) throws IOException {
    if (attack.needsRoot()) {
      Required.that(CallingUser.own().isRoot(), "root, who prepares the host");
    }
    Scene scene = Scene.make(user);
    if (!attack.before().isEmpty()) {
      CallingUser.own().shell(scene.fill(attack.before())).run().exits(0);
    }
    return scene;
  }

  private static List<String> sandbox(
      List<String> around, String strategy, List<String> options, List<String> payload) {
    List<String> words = new ArrayList<>(around);
    words.addAll(List.of(Installation.SCRIPT.toString(), "run", "--strategy", strategy));
    words.addAll(options);
    words.add("--");
    words.addAll(payload);
    return words;
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("attacks")
  void failsWhereThatIsPromised(Attack attack, Setting setting) throws IOException {
    setting.mustWork();
    try (Scene scene = scene(attack, setting.user())) {
      Ran ran =
          scene
              .call(
                  sandbox(attack.around(), setting.strategy(), attack.options(), attack.payload()))
              .run();
      List<String> harm = scene.harm(ran);
      if (!attack.promise().holds(setting)) {
        assertTrue(attack.mayRefuse() || !harm.isEmpty(), ran::toString);
        return;
      }
      assertEquals(List.of(), harm, ran::toString);
      boolean tried = ran.lines().stream().anyMatch(line -> line.startsWith("closed: "));
      // A command that Cloister refuses has tried nothing.
      assertTrue(tried || attack.mayRefuse(), ran::toString);
      assertFalse(ran.status() == 125 && !attack.mayRefuse(), ran::toString);
    }
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("controls")
  void worksWithoutTheDefence(Attack attack, CallingUser user) throws IOException {
    try (Scene scene = scene(attack, user)) {
      Ran ran = scene.call(control(attack)).run();
      List<String> harm = scene.harm(ran);
      assertTrue(!harm.isEmpty() || isDeafToEveryone(ran), ran::toString);
    }
  }

  /** Since Linux 6.2 terminals may be so (ioctl_tty(2)); at least it was asked. */
  private static boolean isDeafToEveryone(Ran ran) throws IOException {
    Path setting = Path.of("/proc/sys/dev/tty/legacy_tiocsti");
    return Files.exists(setting)
        && Files.readString(setting).strip().equals("0")
        && ran.out().matches("(?s).*closed: TIOCSTI.*: Input/output error.*");
  }

  /** What is promised is also what Cloister says of itself. */
  @EverySetting
  void guaranteesAreWhatIsPromised(Setting setting) {
    Ran plain = explain(setting);
    Ran all =
        explain(
            setting,
            "--preset",
            "host",
            "--uid",
            "7",
            "--gid",
            "7",
            "--unshare-all",
            "--proc",
            "/proc");
    for (Promise promise : Promise.values()) {
      if (promise.guarantee().isPresent()) {
        Ran ran = promise.option().isEmpty() ? plain : all;
        String line =
            ran.lines().stream().filter(each -> each.startsWith("guaranteed: ")).findFirst().get();
        List<String> given = List.of(line.substring("guaranteed: ".length()).split(", "));
        // These callers have no groups, so that nobody has to drop any.
        boolean holds = promise.holds(setting) || promise == Promise.GROUPS_DROPPED;
        assertEquals(holds, given.contains(promise.word()), promise + " " + ran);
      }
    }
  }

  @EveryUser
  void guaranteesOfLandlockAreWhatIsPromised(CallingUser user) {
    Setting setting = new Setting(user, "landlock");
    Ran ran = explain(setting, "--preset", "host");
    String line =
        ran.lines().stream().filter(each -> each.startsWith("guaranteed: ")).findFirst().get();
    List<String> given = List.of(line.substring("guaranteed: ".length()).split(", "));
    for (Promise promise : Promise.values()) {
      boolean stillRoot = promise == Promise.UNPRIVILEGED_USER && user.isRoot();
      boolean holds = promise.holdsWithLandlock() && !stillRoot;
      assertEquals(holds, given.contains(promise.word()), promise + " " + ran);
    }
  }

  private static Ran explain(Setting setting, String... options) {
    Call call = setting.user().cloister(setting.words("explain", options));
    return call.command("true").run().exits(0);
  }

  private static List<String> control(Attack attack) {
    List<String> words = new ArrayList<>(attack.around());
    switch (attack.control()) {
      case Attack.Control.Behind behind -> {
        words.addAll(behind.words());
        words.addAll(attack.payload());
      }
      case Attack.Control.Instead instead -> words.addAll(instead.words());
      case Attack.Control.Sandboxed sandboxed ->
          words = sandbox(attack.around(), "pivot_root", sandboxed.options(), attack.payload());
    }
    return words;
  }

  /** For those who add up what was tried. */
  @AfterAll
  static void count() throws IOException {
    Path counts = Files.createDirectories(Path.of("target", "counts"));
    long strategies = Setting.all().map(Setting::strategy).distinct().count();
    String text =
        "attacks=%d%nattacks-run=%d%ncontrols=%d%nstrategies=%d%nusers=%d%n"
            .formatted(
                Attack.ALL.size(),
                attacks().count(),
                controls().count(),
                strategies,
                CallingUser.all().size());
    Files.writeString(counts.resolve("attacks"), text);
  }
}
