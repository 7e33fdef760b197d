package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code explain} tells the truth: strace sees just what it says. */
final class ExplainIT {
  private static final Pattern STEP =
      Pattern.compile("(?: *(\\d+)|    )  (?:\\w+ = )?(\\w+)\\(.*\\).*");

  /** Becomes a directory of the user's with a directory {@code d} and a link to it. */
  private static final String HERE = "@here@";

  private static final String[] OPTION_SETS = {
    "",
    "--mount /usr",
    "--uid 5 --gid 6",
    "--map-root-user --clearenv",
    "--preset host --dir /q --bind @here@ /x --bind @here@ /x/d --tmpfs /x/l --symlink a /x/new",
    "--preset none --ro-bind / / --dev /mnt",
    "--preset host --unshare-net --unshare-ipc --hostname cell --chdir /usr --setenv A B",
    "--preset none --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib"
        + " --symlink usr/lib64 /lib64 --proc /proc --dev /dev --bind @here@/l /y"
        + " --ro-bind @here@/f /z/f --dev-bind /dev/null /z/null",
    "--preset host --bind @here@ /x --chmod 0755 /x/d --perms 1777 --size 65536 --tmpfs /t"
        + " --remount-ro /t --remount-ro /x",
    "--preset host --overlay-src @here@/d --tmp-overlay /o --chmod 0711 /o",
    "--unshare-pid --new-session --cap-add NET_ADMIN --disable-userns --rlimit core=0"
        + " --seccomp-profile default"
  };

  static Stream<Arguments> settingsAndOptions() {
    return Setting.all()
        .flatMap(setting -> optionSets(setting).map(set -> Arguments.of(setting, set)));
  }

  /** With bubblewrap, its own processes are among those of an init; few can make overlays. */
  private static Stream<String> optionSets(Setting setting) {
    return Arrays.stream(OPTION_SETS)
        .filter(options -> !setting.isBwrap() || !options.contains("--unshare-pid"))
        .filter(options -> !setting.isBwrap() || !options.contains("overlay"));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("settingsAndOptions")
  void listsTheCallsThatAreMade(Setting setting, String options) throws IOException {
    Path here = place(setting);
    List<String> arguments = new ArrayList<>();
    for (String word : options.isEmpty() ? new String[0] : options.split(" ", -1)) {
      arguments.add(word.replace(HERE, here.toString()));
    }
    // Through the new PATH, which not every directory of has it.
    arguments.addAll(List.of("--setenv", "PATH", "/no/such/directory:/usr/bin", "--", "true"));
    String[] words = arguments.toArray(String[]::new);

    Explained explained = explain(setting, words);
    Trace trace = trace(setting, here, words);

    String launcher = setting.user().launcherDirectory() + "/launcher-";
    if (setting.isBwrap()) {
      List<String> waiting = new ArrayList<>(explained.part(0));
      waiting.addAll(explained.part(2));
      assertEquals(waiting, trace.callsOf(launcher));
      assertEquals(explained.part(1), trace.callsBefore(Required.program("bwrap")));
      String inner =
          options.contains("--proc") || !options.contains("none") || options.contains("/ /")
              ? "/proc/self/fd/"
              : "/.cloister";
      assertEquals(explained.part(3), trace.callsOf(inner));
    } else if (options.contains("--unshare-pid")) {
      // One after the other: who waits outside, the init, and the command.
      List<String> outside = new ArrayList<>(explained.part(0));
      outside.addAll(explained.part(4));
      List<String> init = new ArrayList<>(explained.part(1));
      init.addAll(explained.part(3));
      assertEquals(List.of(outside, init, explained.part(2)), trace.callsOfEach(launcher));
    } else {
      assertEquals(1, explained.parts().size());
      assertEquals(explained.part(0), trace.callsOf(launcher));
    }
  }

  private static Path place(Setting setting) throws IOException {
    CallingUser user = setting.user();
    Path here = user.work();
    user.give(Files.createDirectory(here.resolve("d")));
    Files.createSymbolicLink(here.resolve("l"), Path.of("d"));
    user.write(here, "f", "");
    return here;
  }

  /** The names of the calls of each process; a new part begins where the text says so. */
  private record Explained(List<List<String>> parts) {
    List<String> part(int index) {
      return parts.get(index);
    }

    static Explained parse(Ran ran, String strategy) {
      List<String> lines = ran.lines();
      assertTrue(lines.getFirst().startsWith("strategy " + strategy + ": "), ran::toString);
      List<List<String>> parts = new ArrayList<>(List.of(new ArrayList<>()));
      int last = 0;
      assertTrue(lines.get(1).startsWith("guaranteed: "), ran::toString);
      assertTrue(lines.get(2).startsWith("not guaranteed: "), ran::toString);
      for (String line : lines.subList(3, lines.size())) {
        if (line.startsWith("      sprintf(")) {
          // A name that is made for the next call is no call itself.
          continue;
        }
        Matcher step = STEP.matcher(line);
        if (step.matches()) {
          // A call that is never named in a message has no number.
          if (step.group(1) != null) {
            assertEquals(last + 1, Integer.parseInt(step.group(1)), line);
            last++;
          }
          parts.getLast().add(step.group(2));
        } else {
          assertTrue(line.startsWith("in ") && line.endsWith(":"), line);
          parts.add(new ArrayList<>());
        }
      }
      return new Explained(parts);
    }
  }

  private static Explained explain(Setting setting, String... words) {
    Ran ran = setting.user().cloister(setting.words("explain", words)).run().exits(0);
    assertEquals("", ran.err(), ran::toString);
    return Explained.parse(ran, setting.strategy());
  }

  /** Has Java write a launcher, as the script does, and executes that under strace. */
  private static Trace trace(Setting setting, Path here, String... words) throws IOException {
    CallingUser user = setting.user();
    Path file = user.write(here, "trace", "");
    String script =
        "answer=$(LC_ALL=C.UTF-8 \"$JAVA_HOME/bin/java\" -XX:TieredStopAtLevel=1"
            + " -Dcloister.script=true -cp '%s' dev.cloister.cli.Main \"$@\") || exit;"
            + " exec %s -f -qq -o '%s' \"${answer#exec:}\" \"$@\"";
    user.call(
            "sh",
            "-c",
            script.formatted(Installation.classPath(), Required.program("strace"), file),
            "sh")
        .and(setting.words("run", words))
        .in(Path.of("/usr"))
        .run()
        .exits(0);
    return Trace.parse(Files.readString(file));
  }

  /** The same from a launcher that fails: an error message has the number of explain's line. */
  @EveryNativeSetting
  void numbersAreThoseOfErrorMessages(Setting setting) {
    String[] words = {"--chdir", "/nope", "--", "true"};
    Ran explained = setting.user().cloister(setting.words("explain", words)).run().exits(0);
    Ran failed = setting.run(words).run().exits(125);
    Matcher step = Pattern.compile("step (\\d+) of (\\d+): (.*): ENOENT").matcher(failed.err());
    assertTrue(step.find(), failed::toString);
    explained.assertLine("%4d  %s".formatted(Integer.parseInt(step.group(1)), step.group(3)));
  }

  @EverySetting
  void runsNothing(Setting setting) throws IOException {
    CallingUser user = setting.user();
    Path here = place(setting);
    String[] words = {"--mount", here.toString(), "--", "touch", here.resolve("ran").toString()};
    // What works here has been found out by now.
    user.cloister(setting.words("explain", words)).run().exits(0);
    Path file = user.write(here, "trace", "");
    user.call(Required.program("strace"), "-f", "-qq", "-e", "trace=execve", "-o", file.toString())
        .and(Installation.SCRIPT.toString())
        .and(setting.words("explain", words))
        .run()
        .exits(0);
    List<String> executed = Trace.parse(Files.readString(file)).executed();
    assertEquals(Installation.SCRIPT.toString(), executed.getFirst());
    assertTrue(executed.getLast().endsWith("/bin/java"), executed::toString);
    assertTrue(executed.size() == 2, executed::toString);
    assertFalse(Files.exists(here.resolve("ran")));
  }

  @EverySetting
  void namesCallsAsC(Setting setting) {
    Ran ran =
        setting.user().cloister(setting.words("explain", "--mount", "/opt", "--", "true")).run();
    if (setting.isBwrap()) {
      assertTrue(ran.out().contains("\"--bind\", \"/opt\", \"/opt\""), ran::toString);
    } else {
      assertTrue(
          ran.out().contains("mount(\"/opt\", \"opt\", NULL, MS_BIND|MS_REC, NULL)"),
          ran::toString);
    }
    assertTrue(
        ran.lines()
            .getFirst()
            .equals(
                "strategy " + setting.strategy() + ": it was asked for by name, and works here"),
        ran::toString);
  }

  @EveryUser
  void saysWhyAStrategyIsTaken(CallingUser user) {
    Ran ran = user.cloister("explain", "--", "true").run().exits(0);
    assertEquals(
        "strategy pivot_root: it is the preferred one, and works here", ran.lines().getFirst());
  }
}
