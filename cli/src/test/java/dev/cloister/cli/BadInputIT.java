package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is wrong is said in a line that names it, and nothing is run. */
final class BadInputIT {
  /** Becomes a directory that the user may write to; whatever is done wrongly would show in it. */
  private static final String HERE = "@here@";

  /**
   * Options that are wrong, and what the message must name.
   *
   * @param options may contain {@link #HERE}
   */
  record Mistake(List<String> options, List<String> named) {
    /** The command that must not run. */
    List<String> commandLine(String subcommand, Path here) {
      List<String> words = new ArrayList<>(List.of(subcommand));
      options.forEach(option -> words.add(option.replace(HERE, here.toString())));
      words.addAll(List.of("--", "touch", here.resolve("ran").toString()));
      return words;
    }

    @Override
    public String toString() {
      return String.join(" ", options).replace("\n", "\\n");
    }
  }

  /** All of it is named. */
  private static Mistake mistake(String... options) {
    return new Mistake(List.of(options), List.of(options));
  }

  private static Mistake naming(List<String> named, String... options) {
    return new Mistake(List.of(options), named);
  }

  static Stream<Mistake> mistakes() {
    return Stream.of(
            options(),
            numbers(),
            descriptors(),
            destinations(),
            sources(),
            names(),
            types(),
            modifiers(),
            namespaces())
        .flatMap(stream -> stream);
  }

  private static Stream<Mistake> options() {
    return Stream.of(
        mistake("--nope"),
        mistake("-x"),
        mistake("--uid=5"),
        mistake("--preset", "nope"),
        mistake("--preset", "HOST"),
        naming(List.of("--preset"), "--preset", ""),
        mistake("--strategy", "nope"),
        naming(List.of("--strategy"), "--strategy", ""),
        naming(List.of("--require", "nope", "old-root-unreachable"), "--require", "nope"),
        naming(List.of("--require", "a,b", "in-place"), "--require", "a,b"),
        mistake("--require", "IN-PLACE"),
        mistake("--cap-add", "CAP_FOO"),
        mistake("--cap-drop", "CAP_FOO"),
        mistake("--cap-add", "CAP_CAP_CHOWN"),
        mistake("--cap-add", "CAP_ALL"),
        mistake("--cap-add", "12"),
        mistake("--cap-add", "PR_CAP_AMBIENT"),
        // Its upper case is CAP_KILL.
        mistake("--cap-add", "cap_k\u0131ll"),
        naming(List.of("--cap-add", "''"), "--cap-add", ""),
        naming(List.of("--cap-add", "CAP_CHOWN,CAP_KILL"), "--cap-add", "CAP_CHOWN,CAP_KILL"),
        naming(List.of("--require", "''"), "--require", ""));
  }

  private static Stream<Mistake> numbers() {
    String[] wrong = {"abc", "-1", "4294967295", "99999999999999999999", "1.5", "0x10", " 1", "+5"};
    return Stream.concat(
        Stream.of(
            mistake("--gid", "abc"),
            mistake("--gid", "4294967295"),
            // A digit, but not one a person at a terminal means.
            mistake("--uid", "\u0663"),
            naming(List.of("--uid", "''"), "--uid", "")),
        Arrays.stream(wrong).map(number -> mistake("--uid", number)));
  }

  private static Stream<Mistake> descriptors() {
    String[] wrong = {"abc", "-1", "+1", "2147483648", "1.5", "0x1", " 1", "99999"};
    return Stream.concat(
        Stream.of(
            naming(List.of("--file", "''"), "--file", "", "/x"),
            naming(List.of("--file", "relative"), "--file", "0", "relative"),
            naming(List.of("--file", "/", "root"), "--file", "0", "/"),
            naming(List.of("--bind-data", "/", "root"), "--bind-data", "0", "/"),
            naming(List.of("--file 0", "/usr"), "--dir", "/usr", "--file", "0", "/usr"),
            naming(List.of("--bind-data 0", "/x"), "--dir", "/x", "--bind-data", "0", "/x"),
            naming(
                List.of("--bind-data 0", "--file 0"),
                "--file",
                "0",
                "/x",
                "--bind-data",
                "0",
                "/y"),
            naming(List.of("--ro-bind-fd", "x"), "--ro-bind-fd", "x", "/x")),
        Arrays.stream(wrong)
            .flatMap(
                number ->
                    Stream.of(
                        naming(List.of("--file", number), "--file", number, "/x"),
                        mistake("--sync-fd", number),
                        mistake("--block-fd", number))));
  }

  private static Stream<Mistake> destinations() {
    return Stream.of(
        mistake("--tmpfs", "relative"),
        mistake("--tmpfs", "/.."),
        naming(List.of("--dev /:"), "--dev", "/"),
        naming(List.of("--proc /.:"), "--proc", "/."),
        naming(List.of("--bind /etc/passwd /:"), "--bind", "/etc/passwd", "/"),
        naming(List.of("--bind-try /etc/passwd /:"), "--bind-try", "/etc/passwd", "/"),
        naming(List.of("--dir", "255 bytes"), "--dir", "/a/" + "n".repeat(256)),
        mistake("--tmpfs", "../a"),
        naming(List.of("--tmpfs", "''"), "--tmpfs", ""),
        mistake("--dir", "/a/../b"),
        mistake("--proc", "."),
        mistake("--dev", "relative"),
        mistake("--mount", "relative"),
        mistake("--mount", "/usr/../usr"),
        naming(List.of("--mount", "''"), "--mount", ""),
        naming(List.of("--bind", "relative"), "--bind", "/usr", "relative"),
        naming(List.of("--bind", "''"), "--bind", "/usr", ""),
        naming(List.of("--ro-bind", "/a/.."), "--ro-bind", "/usr", "/a/.."),
        naming(List.of("--dev-bind", "x/y"), "--dev-bind", "/usr", "x/y"),
        naming(List.of("--bind-try", "/.."), "--bind-try", "/no", "/.."),
        naming(List.of("--symlink", "relative"), "--symlink", "/usr", "relative"),
        naming(List.of("--symlink", "/a/../b"), "--symlink", "/usr", "/a/../b"));
  }

  private static Stream<Mistake> sources() {
    return Stream.of(
        naming(List.of("/does/not/exist", "use --bind-try"), "--mount", "/does/not/exist"),
        naming(
            List.of("--bind /does/not/exist", "use --bind-try"), "--bind", "/does/not/exist", "/x"),
        naming(
            List.of("--ro-bind", HERE + "/no", "use --ro-bind-try"),
            "--ro-bind",
            HERE + "/no",
            "/x"),
        naming(List.of("--dev-bind no", "use --dev-bind-try"), "--dev-bind", "no", "/x"),
        mistake("--mount", "/etc/passwd/below-a-file"),
        naming(List.of("--bind-try"), "--bind-try", "/etc/passwd/below-a-file", "/x"),
        naming(List.of("--bind", "''"), "--bind", "", "/x"),
        naming(List.of("--mount", "/a\\nb"), "--mount", "/a\nb"),
        naming(List.of("--mount", "/a\\x1b[1mb"), "--mount", "/a\u001b[1mb"));
  }

  private static Stream<Mistake> names() {
    return Stream.of(
        naming(List.of("--chdir", "''"), "--chdir", ""),
        naming(List.of("--setenv", "''"), "--setenv", "", "value"),
        naming(List.of("--setenv", "A=B"), "--setenv", "A=B", "value"),
        naming(List.of("--unsetenv", "''"), "--unsetenv", ""),
        mistake("--unsetenv", "A=B"),
        naming(List.of("--keep-env", "''"), "--clearenv", "--keep-env", ""),
        naming(List.of("--keep-env", "NOT_SET"), "--clearenv", "--keep-env", "NOT_SET"),
        naming(List.of("--keep-env", "HOME", "--clearenv"), "--keep-env", "HOME"),
        naming(List.of("--symlink", "''"), "--symlink", "", "/x"),
        naming(List.of("--hostname", "''"), "--hostname", ""),
        naming(List.of("--argv0", "b", "a"), "--argv0", "a", "--argv0", "b"),
        naming(
            List.of("--as-pid-1", "--lock-file"),
            "--unshare-pid",
            "--as-pid-1",
            "--lock-file",
            "/x"),
        mistake("--lock-file", "relative"),
        mistake("--timeout", "0"),
        mistake("--timeout", "-1"),
        mistake("--timeout", "1y"),
        mistake("--timeout", "1e3"),
        mistake("--timeout", "9".repeat(21)),
        mistake("--kill-after", "soon"),
        naming(List.of("--kill-after"), "--kill-after", "1s"),
        naming(List.of("--as-pid-1"), "--as-pid-1"),
        mistake("--hostname", "x".repeat(65)));
  }

  /** What is said of a next option that does not come, or takes no such thing. */
  private static Stream<Mistake> modifiers() {
    Stream<Mistake> modes =
        Stream.of("8", "0o7", "-1", "+7", " 7", "10000", "7777777777777", "rwx", "07 ")
            .flatMap(
                mode ->
                    Stream.of(
                        naming(List.of("--perms", mode), "--perms", mode, "--dir", "/x"),
                        naming(List.of("--chmod", mode), "--chmod", mode, "/")));
    Stream<Mistake> sizes =
        Stream.of(
                "0",
                "00",
                "0x0",
                "0x",
                "123bogus",
                "-12345678",
                " -12345678",
                " 1",
                "+1",
                "1M",
                "08",
                "0xg",
                "18446744073709551616",
                "9223372036854775809",
                "9223372036854775808")
            .map(size -> naming(List.of("--size", size), "--size", size, "--tmpfs", "/x"));
    return Stream.of(
            modes,
            sizes,
            Stream.of(
                naming(List.of("--perms", "''"), "--perms", "", "--dir", "/x"),
                naming(List.of("--size", "''"), "--size", "", "--tmpfs", "/x"),
                mistake("--perms", "0640"),
                naming(List.of("--perms 0640"), "--perms", "0640", "--uid", "5"),
                naming(List.of("--perms", "0640"), "--perms", "0600", "--perms", "0640"),
                naming(List.of("--perms 0640"), "--perms", "0640", "--bind", "/usr", "/usr"),
                naming(List.of("--perms 0640"), "--perms", "0640", "--dev", "/dev"),
                naming(List.of("--size 4096"), "--size", "4096", "--dir", "/x"),
                naming(List.of("--size 4096"), "--size", "0x1000"),
                naming(List.of("--size 4096"), "--perms", "0700", "--size", "010000", "--dir", "/"),
                naming(List.of("--size", "2"), "--size", "1", "--size", "2", "--tmpfs", "/x"),
                naming(List.of("--chmod", "/none"), "--chmod", "0700", "/none"),
                naming(List.of("--chmod", "none"), "--chmod", "0700", "none"),
                mistake("--remount-ro", "/none"),
                mistake("--remount-ro", "none"),
                naming(List.of("--remount-ro", "/x"), "--dir", "/x", "--remount-ro", "/x"),
                mistake("--mqueue", "none"),
                naming(
                    List.of("--overlay requires at least one --overlay-src"),
                    "--overlay",
                    HERE,
                    HERE,
                    "/x"),
                naming(
                    List.of("--tmp-overlay requires at least one --overlay-src", "/x"),
                    "--tmp-overlay",
                    "/x"),
                naming(
                    List.of("--ro-overlay requires at least two --overlay-src", "/x"),
                    "--ro-overlay",
                    "/x"),
                naming(
                    List.of("--ro-overlay requires at least two --overlay-src", "/x"),
                    "--overlay-src",
                    HERE,
                    "--ro-overlay",
                    "/x"),
                naming(
                    List.of(
                        "--overlay-src must be followed by another --overlay-src or one of"
                            + " --overlay, --tmp-overlay, or --ro-overlay",
                        HERE),
                    "--overlay-src",
                    HERE),
                naming(
                    List.of("--overlay-src must be followed by", HERE),
                    "--overlay-src",
                    HERE,
                    "--chdir",
                    "/",
                    "--tmp-overlay",
                    "/x"),
                naming(
                    List.of("--overlay-src must be followed by", HERE),
                    "--overlay-src",
                    HERE,
                    "--perms",
                    "0700",
                    "--tmp-overlay",
                    "/x"),
                naming(
                    List.of("--overlay-src", "/none"),
                    "--overlay-src",
                    "/none",
                    "--tmp-overlay",
                    "/x"),
                naming(
                    List.of("--overlay-src", "/etc/passwd"),
                    "--overlay-src",
                    "/etc/passwd",
                    "--tmp-overlay",
                    "/x"),
                naming(List.of("--overlay-src", "''"), "--overlay-src", "", "--tmp-overlay", "/x"),
                naming(
                    List.of("--overlay", "/none"),
                    "--overlay-src",
                    HERE,
                    "--overlay",
                    "/none",
                    HERE,
                    "/x"),
                naming(
                    List.of("--overlay", "/none"),
                    "--overlay-src",
                    HERE,
                    "--overlay",
                    HERE,
                    "/none",
                    "/x"),
                naming(List.of("--tmp-overlay", "x"), "--overlay-src", HERE, "--tmp-overlay", "x")))
        .flatMap(stream -> stream);
  }

  /** Namespaces that are given, and reports. */
  private static Stream<Mistake> namespaces() {
    List<Mistake> all = new ArrayList<>();
    for (String option :
        List.of(
            "--info-fd",
            "--json-status-fd",
            "--userns",
            "--userns2",
            "--pidns",
            "--userns-block-fd")) {
      all.add(mistake(option, "x"));
      all.add(mistake(option, "-1"));
      all.add(mistake(option, "99999999999"));
      all.add(naming(List.of(option, "''"), option, ""));
    }
    all.add(mistake("--info-fd", "253"));
    all.add(mistake("--json-status-fd", "253"));
    all.add(mistake("--userns", "253"));
    all.add(mistake("--pidns", "253"));
    all.add(mistake("--userns", "2", "--unshare-user"));
    all.add(mistake("--userns", "2", "--unshare-user-try"));
    all.add(mistake("--userns", "2", "--disable-userns"));
    all.add(mistake("--userns2", "2", "--unshare-user"));
    String block = "--userns-block-fd";
    all.add(naming(List.of(block, "2", "--unshare-user"), block, "2", "--info-fd", "2"));
    all.add(naming(List.of(block, "2", "--info-fd"), block, "2", "--unshare-user"));
    all.add(
        naming(
            List.of(block, "2", "--disable-userns"),
            block,
            "2",
            "--info-fd",
            "2",
            "--unshare-user",
            "--disable-userns"));
    all.add(
        naming(
            List.of(block, "2", "--pidns"),
            block,
            "2",
            "--info-fd",
            "2",
            "--unshare-user",
            "--pidns",
            "2"));
    return all.stream();
  }

  /** A source on a destination of another type, where that is known beforehand. */
  private static Stream<Mistake> types() {
    return Stream.of(
        naming(List.of("/etc/passwd", "/usr"), "--preset", "host", "--bind", "/etc/passwd", "/usr"),
        naming(List.of(HERE, "/etc/passwd"), "--preset", "host", "--bind", HERE, "/etc/passwd"),
        naming(List.of("/etc/passwd", "/tmp"), "--tmpfs", "/tmp", "--bind", "/etc/passwd", "/tmp"),
        naming(List.of("/etc/passwd"), "--bind", "/etc/passwd", "/"),
        naming(List.of("/x", "elsewhere"), "--dir", "/x", "--symlink", "elsewhere", "/x"),
        naming(List.of("root"), "--proc", "/"),
        naming(List.of("root"), "--dev", "/"));
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void namesTheMistakeAndRunsNothing(Mistake mistake) throws IOException {
    List<CallingUser> users = CallingUser.all();
    refused(users.getFirst(), "run", mistake);
    refused(users.getLast(), "explain", mistake);
  }

  private static void refused(CallingUser user, String subcommand, Mistake mistake)
      throws IOException {
    Path here = user.work();
    String[] named =
        mistake.named().stream()
            .map(name -> name.replace(HERE, here.toString()))
            .toArray(String[]::new);
    user.cloister(mistake.commandLine(subcommand, here).toArray(String[]::new))
        .in(here)
        .run()
        .refuses(125, named)
        .refuses(125, "cloister: " + subcommand + ": ");
    assertEmpty(here);
  }

  private static void assertEmpty(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      assertEquals(List.of(), files.toList());
    }
  }

  /** The positive control: that command line works without the mistake. */
  @EveryUser
  void theSameCommandLineWithoutAMistakeRuns(CallingUser user) {
    Path here = user.work();
    Mistake none = mistake("--mount", here.toString());
    user.cloister(none.commandLine("run", here).toArray(String[]::new)).run().exits(0);
    assertTrue(Files.exists(here.resolve("ran")));
  }

  @EveryUser
  void namesAnOptionWithoutItsValue(CallingUser user) {
    for (String[] words :
        new String[][] {
          {"--uid"}, {"--bind", "/usr"}, {"--setenv", "A"}, {"--strategy"}, {"--require"}
        }) {
      List<String> line = new ArrayList<>(List.of("run"));
      line.addAll(List.of(words));
      user.cloister(line.toArray(String[]::new)).run().refuses(125, words[0], "needs");
    }
  }

  @EveryUser
  void saysThatACommandIsMissing(CallingUser user) {
    user.cloister("run").run().refuses(125, "no command");
    user.cloister("run", "--uid", "5", "--").run().refuses(125, "no command");
    user.cloister("explain", "--").run().refuses(125, "no command");
    user.cloister("env", "--").run().refuses(125, "no command");
    user.cloister().run().refuses(125, "no command");
    user.cloister("nope").run().refuses(125, "nope");
    user.cloister("--nope").run().refuses(125, "--nope");
    user.cloister("env", "--nope", "true").run().refuses(125, "--nope");
  }

  /** A name that is no text, which Java alone could not even print. */
  @EveryUser
  void anUnknownCommandDrawsNothingOnTheTerminal(CallingUser user) {
    user.cloister("\u001b[2J\nok").run().refuses(125, "unknown command \\x1b[2J\\nok");
  }

  @EveryUser
  void namesBytesThatAreNoText(CallingUser user) {
    user.shell(Installation.SCRIPT + " run \"$(printf -- '--\\377')\" -- true")
        .run()
        .refuses(125, "--\\xff");
  }

  // What only the kernel knows, while the sandbox is made.

  @EverySetting
  void aMissingWorkingDirectory(Setting setting) throws IOException {
    refusedWhileSettingUp(setting, "/nope", "--chdir", "/nope");
    refusedWhileSettingUp(setting, "/etc/passwd", "--chdir", "/etc/passwd");
  }

  @EverySetting
  void aMountPointThatCannotBeMade(Setting setting) throws IOException {
    refusedWhileSettingUp(
        setting, "/etc/nosuch", "--preset", "host", "--bind", "/usr", "/etc/nosuch");
    // bubblewrap is asked for the parent by itself, and names that.
    String named = setting.strategy().equals("bwrap") ? "/etc/passwd: " : "/etc/passwd/x";
    refusedWhileSettingUp(setting, named, "--preset", "host", "--dir", "/etc/passwd/x");
  }

  @EverySetting
  void somethingOfAnotherTypeInTheWay(Setting setting) throws IOException {
    for (String option : new String[] {"--tmpfs", "--dir", "--proc", "--dev"}) {
      refusedWhileSettingUp(setting, "/etc/passwd", "--preset", "host", option, "/etc/passwd");
    }
    refusedWhileSettingUp(
        setting, "/etc/passwd", "--preset", "host", "--symlink", "x", "/etc/passwd");
  }

  /** A type that changes between the look at it and the mount: here through a symbolic link. */
  @EverySetting
  void anotherTypeBehindALinkInTheWay(Setting setting) throws IOException {
    Path host = setting.user().work();
    Files.createDirectory(host.resolve("directory"));
    Files.createSymbolicLink(host.resolve("link"), Path.of("directory"));
    refusedWhileSettingUp(
        setting,
        "/work/link",
        "--bind",
        host.toString(),
        "/work",
        "--bind",
        "/etc/passwd",
        "/work/link");
  }

  private static void refusedWhileSettingUp(Setting setting, String named, String... options)
      throws IOException {
    Path here = setting.user().work();
    Ran ran =
        setting
            .run(options)
            .and("--bind", here.toString(), "/here", "--", "touch", "/here/ran")
            .run()
            .exits(125);
    assertEquals("", ran.out(), ran::toString);
    assertTrue(ran.err().contains(named), ran::toString);
    assertTrue(ran.err().lines().count() <= 2, ran::toString);
    assertEmpty(here);
  }

  // The command.

  @EverySetting
  void aCommandThatDoesNotExist(Setting setting) {
    setting.run("--", "nosuchcmd").run().refuses(127, "nosuchcmd", "not found");
    setting.run("--", "/no/such/cmd").run().refuses(127, "/no/such/cmd", "not found");
    setting.run("--", "").run().refuses(127, "cloister: '': command not found");
    setting
        .run("--setenv", "PATH", "/etc/passwd:/no/such/directory", "--", "true")
        .run()
        .refuses(127, "true", "/no/such/directory");
  }

  @EverySetting
  void aCommandThatCannotBeExecuted(Setting setting) {
    setting.run("--", "/etc/passwd").run().refuses(126, "/etc/passwd");
    setting.run("--", "/etc").run().refuses(126, "/etc");
    setting.run("--setenv", "PATH", "/etc", "--", "passwd").run().refuses(126, "/etc/passwd");
  }

  @EverySetting
  void aCommandWithoutItsInterpreter(Setting setting) {
    Path here = setting.user().work();
    Path script = executable(setting, here, "script", "#!/no/such/interpreter -x\n");
    Ran ran = setting.run("--mount", here.toString(), "--", script.toString()).run();
    ran.refuses(127, script.toString(), "/no/such/interpreter");
    assertTrue(ran.err().contains("hint: "), ran::toString);
  }

  /** As execvp(3) has it; a shell would do the same. */
  @EverySetting
  void aScriptWithoutInterpreterLineIsNoMistake(Setting setting) {
    Path here = setting.user().work();
    Path script = executable(setting, here, "script", "echo \"$0: $1\"\n");
    setting
        .run("--mount", here.toString(), "--", script.toString(), "argument")
        .run()
        .prints(script + ": argument\n");
  }

  private static Path executable(Setting setting, Path here, String name, String text) {
    Path file = setting.user().write(here, name, text);
    assertTrue(file.toFile().setExecutable(true, false));
    return file;
  }

  // The strategy.

  @EveryUser
  void aNamedStrategyThatCannotWork(CallingUser user) {
    Path here = user.work();
    String[] command = {"--", "touch", here.resolve("ran").toString()};
    user.cloister("run", "--strategy", "bwrap", "--mount", here.toString())
        .and(command)
        .env("PATH", pathWithoutBwrap(user))
        .run()
        .refuses(125, "--strategy bwrap", "PATH");
    assertFalse(Files.exists(here.resolve("ran")));
  }

  /** A directory that has what the script and the command need, and no bwrap. */
  private static String pathWithoutBwrap(CallingUser user) {
    Path bin = user.work();
    for (String tool : new String[] {"readlink", "touch", "sh"}) {
      try {
        Files.createSymbolicLink(bin.resolve(tool), Path.of(Required.program(tool)));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return bin.toString();
  }

  @Test
  void helpIsNoMistake() {
    CallingUser user = CallingUser.own();
    for (String subcommand : new String[] {"run", "env", "explain", "bench"}) {
      Ran help = user.cloister(subcommand, "--help").run().exits(0);
      assertTrue(help.out().startsWith("usage: cloister " + subcommand), help::toString);
      assertEquals("", help.err(), help::toString);
    }
    Ran help = user.cloister("--help").run().exits(0);
    for (String subcommand : new String[] {"run", "env", "explain", "probe", "bench"}) {
      assertTrue(help.out().contains("\n  " + subcommand + " "), help::toString);
    }
    Ran version = user.cloister("--version").run().exits(0);
    assertTrue(version.out().matches("cloister \\d+\\.\\d+\\.\\d+\\S*\n"), version::toString);
  }

  /** Each option of the help text exists, and each that exists is in it. */
  @Test
  void helpNamesEveryOption() {
    Ran help = CallingUser.own().cloister("run", "--help").run().exits(0);
    for (RunOption option : RunOption.values()) {
      assertTrue(help.out().contains("\n  " + option.word() + " "), option::word);
    }
  }
}
