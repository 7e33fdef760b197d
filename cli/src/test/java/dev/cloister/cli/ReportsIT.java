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
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** What is reported as JSON: who the sandbox's process is, and how its command ended. */
final class ReportsIT {
  private static final Pattern MEMBER = Pattern.compile("\"([a-z-]+)\": ([0-9]+)");
  private static final String[] BOTH = {"--info-fd", "42", "--json-status-fd", "43"};

  /** What is new with each of these. */
  private static final List<List<String>> NAMESPACES =
      List.of(
          List.of(),
          List.of("--unshare-pid"),
          List.of("--unshare-pid", "--as-pid-1", "--unshare-net"),
          List.of("--unshare-all"),
          // Made last, for what is added to act on.
          List.of("--unshare-all", "--cap-add", "CAP_NET_ADMIN"));

  /** Where the reports of a call go. */
  private record Reported(Path info, Path status, Ran ran) {
    static Reported of(Setting setting, List<String> options, String... command) {
      Path here = setting.user().work();
      Reported files = new Reported(here.resolve("info"), here.resolve("status"), NOTHING);
      return new Reported(files.info, files.status, call(setting, here, options, command).run());
    }

    private static final Ran NOTHING = new Ran(List.of(), 0, "", "");

    String text(Path file) throws IOException {
      return Files.readString(file);
    }

    boolean hasExitCode() throws IOException {
      return text(status).contains("exit-code");
    }
  }

  private static Call call(Setting setting, Path here, List<String> options, String... command) {
    setting.mustWork();
    List<String> words = new ArrayList<>(List.of(BOTH));
    words.addAll(List.of("--preset", "host"));
    words.addAll(options);
    return setting
        .user()
        .call(Required.program("bash"), "-c", "exec 42>info 43>status; exec \"$@\"", "bash")
        .and(Installation.SCRIPT.toString())
        .and(setting.words("run", words.toArray(String[]::new)))
        .command(command)
        .in(here);
  }

  private static List<String> members(String json) {
    return MEMBER.matcher(json).results().map(MatchResult::group).toList();
  }

  @EveryNativeSetting
  void whatCannotBeWrittenToIsNamedWithItsOption(Setting setting) {
    setting.mustWork();
    for (String option : List.of("--info-fd", "--json-status-fd")) {
      Ran ran =
          setting
              .user()
              .call(Required.program("bash"), "-c", "exec 9</dev/null; exec \"$@\"", "bash")
              .and(Installation.SCRIPT.toString())
              .and(setting.words("run", "--preset", "host", option, "9"))
              .command("true")
              .run()
              .refuses(125, "EBADF");
      assertTrue(
          ran.err().endsWith("\nhint: " + option + " 9 is not open for writing\n"), ran::toString);
    }
  }

  /** As the command sees them: the kernel numbers what is new in the order of its making. */
  @EveryNativeSetting
  void newNamespacesAreNamed(Setting setting) throws IOException {
    for (List<String> options : NAMESPACES) {
      String look =
          "cd /proc/self/ns; for n in cgroup ipc mnt net pid uts; do stat -Lc \"$n %i\" $n; done";
      Reported reported = Reported.of(setting, options, "sh", "-c", look);
      reported.ran().exits(0);
      List<String> seen = new ArrayList<>();
      for (String line : reported.ran().lines()) {
        String[] words = line.split(" ", -1);
        boolean isNew =
            words[0].equals("mnt")
                || options.contains("--unshare-" + words[0])
                || options.contains("--unshare-all");
        if (isNew) {
          seen.add("\"%s-namespace\": %s".formatted(words[0], words[1]));
        }
      }
      List<String> info = members(reported.text(reported.info()));
      assertTrue(info.getFirst().startsWith("\"child-pid\": "), info::toString);
      assertEquals(seen, info.subList(1, info.size()), options::toString);
      List<String> lines = reported.text(reported.status()).lines().toList();
      assertEquals(info, members(lines.getFirst()));
      assertEquals("{ \"exit-code\": 0 }", lines.getLast());
      assertEquals(2, lines.size());
    }
  }

  /** Where the command's output would be; it has none then, as with bubblewrap. */
  @EverySetting
  void standardOutputIsAsGoodAsAny(Setting setting) {
    List<String> options = new ArrayList<>(List.of("--info-fd"));
    if (!setting.isBwrap()) {
      options.add("--json-status-fd");
    }
    for (String option : options) {
      for (int i = 0; i < 2; i++) {
        Ran ran = setting.run("--preset", "host", option, "1").script("echo ran || exit 0").run();
        ran.exits(0);
        assertTrue(ran.out().matches("\\{\\s+\"child-pid\": [0-9](.|\n)*"), ran::toString);
        assertFalse(ran.hasLine("ran"), ran::toString);
      }
    }
  }

  /** Programs read this with whatever they have. */
  @EveryNativeSetting
  void theFormIsThatOfBubblewrap(Setting setting) throws IOException {
    Reported reported = Reported.of(setting, List.of("--unshare-uts"), "true");
    String numbered = reported.text(reported.info()).replaceAll("[0-9]+", "N");
    assertEquals(
        "{\n    \"child-pid\": N,\n    \"mnt-namespace\": N,\n    \"uts-namespace\": N\n}\n",
        numbered);
    assertEquals(
        "{ \"child-pid\": N, \"mnt-namespace\": N, \"uts-namespace\": N }\n{ \"exit-code\": N }\n",
        reported.text(reported.status()).replaceAll("[0-9]+", "N"));
  }

  @EveryNativeSetting
  void theEndIsThatOfTheCommand(Setting setting) throws IOException {
    for (List<String> options : NAMESPACES) {
      Reported left = Reported.of(setting, options, "sh", "-c", "exit 42");
      left.ran().exits(42);
      assertTrue(left.text(left.status()).endsWith("\n{ \"exit-code\": 42 }\n"));
      Reported killed = Reported.of(setting, options, "sh", "-c", "(sleep 0.1; kill -9 $$) & wait");
      if (!options.contains("--as-pid-1")) {
        killed.ran().exits(128 + 9);
        assertTrue(killed.text(killed.status()).endsWith("\n{ \"exit-code\": 137 }\n"));
      }
    }
  }

  /** There was no command whose end that could be. */
  @EveryNativeSetting
  void whatWasNotExecutedHasNoEnd(Setting setting) throws IOException {
    for (List<String> options : NAMESPACES) {
      Reported directory = Reported.of(setting, options, "/");
      directory.ran().exits(126);
      assertFalse(directory.hasExitCode());
      Reported missing = Reported.of(setting, options, "no-such-command");
      missing.ran().exits(127);
      assertFalse(missing.hasExitCode());
      List<String> wrong = new ArrayList<>(options);
      wrong.addAll(List.of("--chdir", "/no/such/directory"));
      Reported failed = Reported.of(setting, wrong, "true");
      failed.ran().exits(125);
      assertFalse(failed.hasExitCode());
    }
  }

  /** A filter that lets only the command's end through has no say in what is reported. */
  @EveryNativeSetting
  void theProfileKeepsNothingFromTheReport(Setting setting) throws IOException {
    Reported reported =
        Reported.of(setting, List.of("--seccomp-profile", "default"), "sh", "-c", "exit 3");
    reported.ran().exits(3);
    assertTrue(reported.text(reported.status()).endsWith("\n{ \"exit-code\": 3 }\n"));
  }

  /** Which descriptors a shell has of those that a launcher may have had. */
  private static final String OTHERS =
      "n=3; while [ $n -lt 80 ]; do [ -e /proc/$$/fd/$n ] && echo $n; n=$((n+1)); done; exit 0";

  /** The command would read and write what is somebody else's. */
  @EveryNativeSetting
  void theCommandHasNeither(Setting setting) {
    for (List<String> options : NAMESPACES) {
      Reported.of(setting, options, "sh", "-c", OTHERS).ran().prints("");
    }
  }

  /** Nobody needs to wait for that. */
  @EveryNativeSetting
  void theInfoAloneIsInPlace(Setting setting) throws IOException {
    setting.mustWork();
    Path here = setting.user().work();
    Ran ran =
        setting
            .user()
            .call(Required.program("bash"), "-c", "echo $$; exec 7>info; exec \"$@\"", "bash")
            .and(Installation.SCRIPT.toString())
            .and(setting.words("run", "--require", "in-place", "--info-fd", "7"))
            .script("echo $$")
            .in(here)
            .run()
            .exits(0);
    assertEquals(ran.lines().get(0), ran.lines().get(1));
    String first = members(Files.readString(here.resolve("info"))).getFirst();
    assertEquals("\"child-pid\": " + ran.lines().getFirst(), first);
  }

  /** Who reads to the end gets it before the command has ended, which waits for that here. */
  @EveryNativeSetting
  void theInfoEndsBeforeTheCommand(Setting setting) {
    String reader = "(\"$@\" 9>&1 >/dev/null 2>&1 &) | grep -c child-pid; touch done";
    for (List<String> options : NAMESPACES) {
      setting.mustWork();
      Path here = setting.user().work();
      List<String> words = new ArrayList<>(List.of("--info-fd", "9", "--preset", "host"));
      words.addAll(options);
      words.addAll(List.of("--bind", here.toString(), "/here", "--chdir", "/here"));
      setting
          .user()
          .call(Required.program("bash"), "-c", reader, "bash")
          .and(Installation.SCRIPT.toString())
          .and(setting.words("run", words.toArray(String[]::new)))
          .script("while ! [ -e done ]; do sleep 0.05; done")
          .in(here)
          .run()
          .prints("1\n");
    }
  }

  /**
   * Somebody else may do something to the namespaces before the command is there: slirp4netns, for
   * one, needs those of a process that waits to be told to go on.
   */
  @EveryNativeSetting
  void theInfoComesBeforeTheBlock(Setting setting) {
    setting.mustWork();
    String between =
        """
        mkfifo ready; exec 7<>ready
        "$@" 9>info 8<&7 7>&- & until grep -q '}' info; do sleep 0.05; done
        pid=$(sed -n 's/.*child-pid": \\([0-9]*\\).*/\\1/p' info)
        stat -Lc %i /proc/$pid/ns/net; sed -n 's/.*net-namespace": \\([0-9]*\\).*/\\1/p' info
        echo >&7; wait $!
        """;
    for (String more : List.of("--unshare-uts", "--unshare-pid")) {
      Ran ran =
          setting
              .user()
              .call(Required.program("bash"), "-c", between, "bash")
              .and(Installation.SCRIPT.toString())
              .and(setting.words("run", "--unshare-net", more, "--info-fd", "9", "--block-fd", "8"))
              .script("echo ran; exit 5")
              .in(setting.user().work())
              .run()
              .exits(5);
      assertEquals(ran.lines().get(0), ran.lines().get(1));
      assertEquals("ran", ran.lines().getLast());
    }
  }

  /** bubblewrap says it itself, but does not know how the command ended. */
  @EverySetting
  void bubblewrapIsAskedForWhatItKnows(Setting setting) throws IOException {
    if (!setting.isBwrap()) {
      return;
    }
    setting.mustWork();
    Path here = setting.user().work();
    setting
        .user()
        .call(Required.program("bash"), "-c", "exec 7>info; exec \"$@\"", "bash")
        .and(Installation.SCRIPT.toString())
        .and(setting.words("run", "--unshare-ipc", "--preset", "host", "--info-fd", "7"))
        .script(OTHERS)
        .in(here)
        .run()
        .prints("");
    assertEquals(
        "{\n    \"child-pid\": N,\n    \"ipc-namespace\": N,\n    \"mnt-namespace\": N\n}\n",
        Files.readString(here.resolve("info")).replaceAll("[0-9]+", "N"));
    Ran ran = setting.run("--json-status-fd", "2").command("true").run().exits(125);
    assertTrue(ran.err().contains("--json-status-fd"), ran::toString);
  }

  private static String await(Path file, String end) throws Exception {
    for (int i = 0; i < 6000; i++) {
      if (Files.exists(file) && Files.readString(file).endsWith(end)) {
        return Files.readString(file);
      }
      Thread.sleep(10);
    }
    throw new AssertionError("nothing complete in " + file);
  }

  /**
   * A program such as slirp4netns goes into the namespaces of the process it is told of. Where that
   * is the init, the command, which has the same ids, must not get at it all the same.
   */
  @EveryNativeSetting
  void theProcessIsOpenToTheCallerAndNotToTheCommand(Setting setting) throws Exception {
    String attack =
        """
        for name in root cwd exe ns/mnt fd/0; do readlink /proc/1/$name; done
        for name in environ mem maps auxv; do head -c 1 /proc/1/$name | wc -c; done
        tr '\\0' '\\n' </proc/1/cmdline | head -n 1
        touch ready; while ! [ -e done ]; do sleep 0.05; done
        """;
    Path here = setting.user().work();
    List<String> options =
        List.of("--unshare-all", "--bind", here.toString(), "/here", "--chdir", "/here");
    Path out = Files.createTempFile(Installation.BASE, "out", "");
    Path err = Files.createTempFile(Installation.BASE, "err", "");
    Process process = call(setting, here, options, "sh", "-c", attack).start(out, err);
    String info = await(here.resolve("info"), "}\n");
    await(here.resolve("ready"), "");
    String pid = members(info).getFirst().replaceAll("[^0-9]", "");
    Ran seen =
        setting
            .user()
            .shell("cd /proc/" + pid + "/ns && stat -Lc %i net pid && readlink user")
            .run()
            .exits(0);
    for (String number : seen.lines().subList(0, 2)) {
      assertTrue(info.contains("-namespace\": " + number), () -> seen + info);
    }
    setting.user().call("touch", here.resolve("done").toString()).run().exits(0);
    assertEquals(0, process.waitFor());
    assertEquals("0\n0\n0\n0\ncloister-init\n", Files.readString(out));
  }
}
