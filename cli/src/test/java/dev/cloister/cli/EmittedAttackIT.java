package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The catalogue of attacks from within what emitted launchers start; that they work without a
 * sandbox is {@link AttackIT}'s to show. By a changed root, too, which makes the weaker sandbox.
 */
final class EmittedAttackIT {
  /** What cannot be baked into a launcher. */
  private static final Set<String> NOT_BAKED =
      Set.of("--memory", "--pids", "--cpu", "--seccomp", "--add-seccomp-fd", "--verbose");

  static Stream<Arguments> attacks() {
    return Attack.ALL.stream()
        .filter(attack -> attack.options().stream().noneMatch(NOT_BAKED::contains))
        .flatMap(
            attack ->
                Setting.allNative()
                    .filter(setting -> attack.concerns(setting.user()))
                    .filter(setting -> attack.promise().holds(setting))
                    .map(setting -> Arguments.of(attack, setting)));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("attacks")
  void failsAsWithRun(Attack attack, Setting setting) throws IOException {
    setting.mustWork();
    try (Scene scene = AttackIT.scene(attack, setting.user())) {
      List<String> words = new ArrayList<>(attack.around());
      words.add(emit(attack, setting, scene).toString());
      words.add("--");
      words.addAll(attack.payload());
      Ran ran = scene.call(words).run();
      assertEquals(List.of(), scene.harm(ran), ran::toString);
      boolean tried = ran.lines().stream().anyMatch(line -> line.startsWith("closed: "));
      assertTrue(tried || attack.mayRefuse(), ran::toString);
      if (!attack.mayRefuse()) {
        assertNotEquals(125, ran.status(), ran::toString);
      }
    }
  }

  private static Path emit(Attack attack, Setting setting, Scene scene) throws IOException {
    Path file = Files.createTempFile(Installation.BASE, "emitted", "");
    List<String> options = new ArrayList<>();
    for (String option : attack.options()) {
      options.add(scene.fill(option));
    }
    CallingUser.own()
        .cloister("emit", "-o", file.toString(), "--strategy", setting.strategy())
        .and(options.toArray(String[]::new))
        .run()
        .exits(0);
    return file;
  }
}
