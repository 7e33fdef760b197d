package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Launchers that stand alone, each a file that one user emits and every user runs. */
final class EmitIT {
  private static final CallingUser OWN = CallingUser.own();

  /** In a directory that everyone can search, and with a name of its own. */
  private static Path emit(String... options) {
    try {
      Path directory = Files.createTempDirectory(Installation.BASE, "emitted");
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
      Path file = directory.resolve("launcher");
      Ran ran = emitCall(file, options).run().exits(0);
      assertEquals("", ran.out() + ran.err(), ran::toString);
      return file;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Call emitCall(Path file, String... options) {
    return OWN.cloister("emit", "-o", file.toString()).and(options);
  }

  private static Call run(CallingUser user, Path launcher, String... words) {
    return user.call(launcher.toString()).and(words).in(Path.of("/"));
  }

  @EveryUser
  void theSameFileServesEveryUser(CallingUser user) throws IOException {
    Path launcher = emit("--mount", "/opt");
    Ran ran = run(user, launcher, "sh", "-c", "id -u; id -g; ls /").run().exits(0);
    assertEquals(List.of("" + user.uid(), "" + user.uid()), ran.lines().subList(0, 2));
    ran.assertLine("opt");
    ran.assertLine("usr");
    ran.assertNoLine("home");
    ran.assertNoLine("root");
    for (String name : List.of("bin", "lib", "lib64", "sbin")) {
      Path entry = Path.of("/", name);
      if (Files.isSymbolicLink(entry)) {
        run(user, launcher, "readlink", entry.toString())
            .run()
            .prints(Files.readSymbolicLink(entry) + "\n");
      }
    }
  }

  @EveryUser
  void needsNoEnvironment(CallingUser user) {
    Path launcher = emit();
    user.call("env", "-i", launcher.toString(), "/bin/echo", "ok").run().prints("ok\n");
  }

  @EveryUser
  void aCommandInsideGetsMoreArguments(CallingUser user) {
    Path launcher = emit("--", "echo", "first", "--help");
    run(user, launcher).run().prints("first --help\n");
    run(user, launcher, "--explain", "second", "").run().prints("first --help --explain second \n");
  }

  @EveryUser
  void givesTheStatusOfTheCommand(CallingUser user) {
    Path launcher = emit();
    run(user, launcher, "sh", "-c", "exit 42").run().exits(42);
    run(user, launcher, "nope").run().refuses(127, "nope", "PATH");
    run(user, launcher, "/etc/passwd").run().refuses(126, "/etc/passwd", "EACCES");
    run(user, launcher, "--", "true").run().exits(0);
  }

  @EveryUser
  void withoutACommandOrWithAnUnknownOptionNothingRuns(CallingUser user) {
    Path launcher = emit();
    run(user, launcher).run().refuses(125, "no command");
    run(user, launcher, "--").run().refuses(125, "no command");
    run(user, launcher, "--nope", "echo", "ran").run().refuses(125, "--nope");
    run(user, launcher, "-c", "echo ran").run().refuses(125, "-c");
  }

  /** The commands of one's own user, as everywhere; nothing of the file's owner. */
  @EveryUser
  void isWithoutPrivilegeInside(CallingUser user) {
    Ran ran = run(user, emit(), "grep", "-E", "^(Cap|NoNew|Seccomp:)", "/proc/self/status").run();
    ran.exits(0).assertLine("CapEff:\t0000000000000000");
    ran.assertLine("CapPrm:\t0000000000000000");
    ran.assertLine("NoNewPrivs:\t1");
    ran.assertLine("Seccomp:\t0");
    run(user, emit("--seccomp-profile", "default"), "grep", "Seccomp:", "/proc/self/status")
        .run()
        .prints("Seccomp:\t2\n");
  }

  @EveryUser
  void becomesAnotherUser(CallingUser user) {
    Path launcher = emit("--uid", "7", "--gid", "8");
    run(user, launcher, "sh", "-c", "id -u; id -g").run().prints("7\n8\n");
    run(user, launcher, "cat", "/proc/self/uid_map")
        .run()
        .prints("%10d %10d %10d%n".formatted(7, user.isRoot() ? 7 : 0, 1));
    run(user, emit("--map-root-user"), "id", "-u").run().prints("0\n");
  }

  @EveryUser
  void hasAnInitInItsOwnPidNamespace(CallingUser user) {
    Path launcher = emit("--unshare-all", "--hostname", "cell", "--new-session");
    run(user, launcher, "sh", "-c", "echo $$; hostname; cat /proc/1/comm")
        .run()
        .prints("2\ncell\ncloister-init\n");
  }

  /** The number is baked in; what it is the number of is there when the launcher is run. */
  @EveryUser
  void reportsToWhoRunsIt(CallingUser user) {
    Path launcher = emit("--unshare-pid", "--json-status-fd", "9");
    Ran ran =
        user.call(Required.program("bash"), "-c", "\"$@\" 9>&1 >/dev/null", "bash")
            .and(launcher.toString(), "sh", "-c", "exit 3")
            .run()
            .exits(3);
    assertEquals(
        "{ \"child-pid\": N, \"mnt-namespace\": N, \"pid-namespace\": N }\n"
            + "{ \"exit-code\": N }\n",
        ran.out().replaceAll("[0-9]+", "N"));
    Ran none = run(user, launcher, "true").run().refuses(125, "fcntl(9, ");
    assertTrue(none.err().contains("--json-status-fd 9: not an open descriptor"), none::toString);
  }

  @EveryUser
  void permissionsAndOverlaysAreBakedIn(CallingUser user) throws IOException {
    Path here = user.work();
    Path lower = here.resolve("lower");
    Path launcher =
        emit("--preset", "host", "--overlay-src", lower.toString(), "--tmp-overlay", "/o")
            .toAbsolutePath();
    run(user, launcher, "echo", "ran").run().refuses(125, lower.toString(), "ENOENT");
    user.write(lower, "file", "content");
    run(user, launcher, "sh", "-c", "cat /o/file; echo x >/o/file; cat /o/file")
        .run()
        .prints("contentx\n");
    assertEquals("content", Files.readString(lower.resolve("file")));
    launcher =
        emit("--preset", "host", "--perms", "0700", "--dir", "/p/q", "--chmod", "0711", "/p")
            .toAbsolutePath();
    run(user, launcher, "stat", "-c", "%a", "/p", "/p/q").run().prints("711\n700\n");
  }

  @EveryUser
  void sourcesAreLookedAtWhenItRuns(CallingUser user) throws IOException {
    Path here = user.work();
    Path late = here.resolve("late");
    Path launcher = emit("--preset", "host", "--ro-bind", late.toString(), "/a/b");
    Path lenient = emit("--preset", "host", "--bind-try", late.toString(), "/a/b");
    run(user, launcher, "touch", here.resolve("ran").toString())
        .run()
        .refuses(125, "open_tree", late.toString(), "ENOENT");
    assertFalse(Files.exists(here.resolve("ran")));
    run(user, lenient, "ls", "/a").run().exits(2);
    user.give(Files.writeString(late, "file"));
    run(user, launcher, "cat", "/a/b").run().prints("file");
    run(user, launcher, "sh", "-c", "echo x > /a/b").run().exits(2);
    run(user, lenient, "sh", "-c", "printf more >> /a/b; cat /a/b").run().prints("filemore");
    Files.delete(late);
    user.give(Files.createDirectory(late));
    run(user, lenient, "sh", "-c", "touch /a/b/made; ls /a/b").run().prints("made\n");
  }

  @EveryUser
  void environmentRulesAreAppliedWhenItRuns(CallingUser user) {
    Path launcher = emit("--clearenv", "--keep-env", "KEPT", "--setenv", "SET", "s p", "--", "env");
    run(user, launcher, "-0")
        .env("KEPT", "yes")
        .env("OTHER", "no")
        .run()
        .prints("KEPT=yes\0SET=s p\0");
    run(user, launcher).env("OTHER", "no").run().refuses(125, "--keep-env KEPT", "not set");
  }

  @EveryUser
  void startsWhereItsCallerIs(CallingUser user) throws IOException {
    Path here = user.work();
    run(user, emit("--mount", here.toString()), "pwd").in(here).run().prints(here + "\n");
    run(user, emit(), "pwd").in(Path.of("/usr/share")).run().prints("/usr/share\n");
    run(user, emit("--chdir", "/nope"), "pwd").run().refuses(125, "chdir(\"/nope\")", "ENOENT");
  }

  /** An error has the number that --explain gives the call. */
  @EveryUser
  void errorsNameTheStep(CallingUser user) {
    Path launcher = emit("--chdir", "/nope");
    Ran failed = run(user, launcher, "true").run().exits(125);
    Ran explained = run(user, launcher, "--explain").run().exits(0);
    String step = failed.err().replaceFirst("(?s).*: step (\\d+) of .*", "$1");
    assertTrue(
        explained.lines().stream()
            .anyMatch(line -> line.strip().equals(step + "  chdir(\"/nope\")")),
        () -> step + " in " + explained);
  }

  @EveryUser
  void saysWhatIsInside(CallingUser user) {
    Path launcher = emit("--ro-bind", "/srv", "/data", "--preset", "host");
    Ran help = run(user, launcher, "--help").run().exits(0);
    assertTrue(help.out().contains("Cloister " + version()), help::toString);
    assertTrue(help.out().contains("pivot_root or chroot"), help::toString);
    assertTrue(help.out().contains("--ro-bind /srv /data"), help::toString);
    assertTrue(help.out().matches("(?s).*digest: [0-9a-f]{16,}.*"), help::toString);
    Ran explained = run(user, launcher, "--explain").run().exits(0);
    assertTrue(explained.out().contains("  pivot_root(\".\", \".\")"), explained::toString);
    assertTrue(explained.out().contains("\"/srv\""), explained::toString);
  }

  private static String version() {
    return OWN.cloister("--version").run().exits(0).out().strip().split(" ", -1)[1];
  }

  @ParameterizedTest
  @ValueSource(strings = {"x86_64", "aarch64"})
  void isSmallStaticAndCleanToTools(String architecture) throws IOException {
    Path launcher = emit("--arch", architecture, "--mount", "/opt");
    assertTrue(Files.size(launcher) < 16_384, () -> launcher.toFile().length() + " bytes");
    assertEquals(
        "rwxr-xr-x", PosixFilePermissions.toString(Files.getPosixFilePermissions(launcher)));
    OWN.call("ldd", launcher.toString()).run().exits(1);
    Ran headers = OWN.call("readelf", "-W", "-a", launcher.toString()).run().exits(0);
    assertEquals("", headers.err(), headers::toString);
    assertFalse(headers.out().contains("RWE"), headers::toString);
    assertTrue(headers.out().matches("(?s).*GNU_STACK[^\\n]* RW .*"), headers::toString);
    assertTrue(headers.out().contains("Cloister"), headers::toString);
    String objdump = architecture.equals("x86_64") ? "objdump" : "aarch64-linux-gnu-objdump";
    Ran code = OWN.call(Required.program(objdump), "-d", launcher.toString()).run().exits(0);
    assertEquals("", code.err(), code::toString);
  }

  @Test
  void theSameOptionsMakeTheSameBytes() throws IOException {
    String[] options = {
      "--mount", "/opt", "--setenv", "B", "1", "--setenv", "A", "2", "--uid", "5"
    };
    Path first = emit(options);
    for (CallingUser user : CallingUser.all()) {
      Path here = user.work();
      Path again = here.resolve("again");
      user.cloister("emit", "-o", again.toString())
          .and(options)
          .env("FOO", "bar")
          .in(here)
          .run()
          .exits(0);
      assertEquals(-1, Files.mismatch(first, again));
    }
  }

  @Test
  void replacesAFileAsAWholeAndFollowsNoLink() throws IOException {
    Path here = OWN.work();
    Path target = Files.writeString(here.resolve("target"), "kept");
    Path link = Files.createSymbolicLink(here.resolve("link"), target);
    emitCall(link).run().exits(0);
    assertEquals("kept", Files.readString(target));
    assertFalse(Files.isSymbolicLink(link));
    emitCall(link, "--", "echo", "new").run().exits(0);
    OWN.call(link.toString()).run().prints("new\n");
    try (Stream<Path> files = Files.list(here)) {
      assertEquals(2, files.count());
    }
  }

  /** Root would take them from everybody: {@code /dev/null} is one. */
  @EveryUser
  void takesThePlaceOfNothingButFiles(CallingUser user) throws IOException {
    Path here = user.work();
    Path pipe = here.resolve("pipe");
    Path stdout = here.resolve("stdout");
    user.call("mkfifo", pipe.toString()).run().exits(0);
    user.call("ln", "-s", "/proc/self/fd/1", stdout.toString()).run().exits(0);
    for (Path output : List.of(pipe, stdout)) {
      user.cloister("emit", "-o", output.toString())
          .run()
          .refuses(125, "-o " + output, "not a regular file");
    }
    user.call("sh", "-c", "test -p pipe && test -L stdout").in(here).run().exits(0);
  }

  @EveryUser
  void anOutputThatCannotBeWrittenIsNamed(CallingUser user) throws IOException {
    Path here = user.work();
    Path nowhere = here.resolve("no/such/file");
    user.cloister("emit", "-o", nowhere.toString()).run().refuses(125, "-o " + nowhere);
    user.cloister("emit", "-o", here.toString()).run().refuses(125, "-o " + here, "directory");
    user.cloister("emit", "-o", "").run().refuses(125, "-o '': an empty path");
    user.shell(Installation.SCRIPT + " emit -o \"$(printf 'x\\377')\"")
        .in(here)
        .run()
        .refuses(125, "-o x\\xff: ", "not UTF-8");
    user.cloister("emit", "--mount", "/opt").run().refuses(125, "-o");
    user.cloister("emit", "-o").run().refuses(125, "-o", "FILE");
    String kernels = "/proc/self/nope";
    Ran ran = user.cloister("emit", "-o", kernels).run().refuses(125, "-o " + kernels, "made");
    assertFalse(ran.err().contains("does not exist"), ran::toString);
    if (!user.isRoot()) {
      user.cloister("emit", "-o", "/usr/nope").run().refuses(125, "-o /usr/nope", "permission");
    }
    try (Stream<Path> files = Files.list(here)) {
      assertEquals(0, files.count());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--seccomp 3",
        "--add-seccomp-fd 3",
        "--memory 64M",
        "--pids 5",
        "--cpu 1",
        "--strategy bwrap",
        "--strategy landlock",
        "--verbose",
        "--arch mips",
        "--mount relative",
        "--bind . /x",
        "--require unprivileged-user",
        "--require old-root-unmounted",
        "--keep-env X",
        "--uid five",
        "--nope"
      })
  void whatCannotBeBakedInIsRefused(String options) throws IOException {
    Path file = OWN.work().resolve("launcher");
    String[] words = options.split(" ", -1);
    Ran ran = emitCall(file, words).run().refuses(125, words[0]);
    assertTrue(words.length < 2 || ran.err().contains(words[1]), ran::toString);
    assertFalse(Files.exists(file, LinkOption.NOFOLLOW_LINKS));
  }

  /** A file that lends its caller its owner's rights would hand them on to any command. */
  @Test
  void willNotRunSetUserId() throws IOException {
    if (!OWN.isRoot()) {
      return;
    }
    for (String mode : List.of("u+s", "g+s")) {
      Path launcher = emit();
      OWN.call("chmod", mode, launcher.toString()).run().exits(0);
      for (CallingUser user : CallingUser.all()) {
        if (!user.isRoot()) {
          run(user, launcher, "echo", "ran").run().refuses(125, "set-user-ID");
        }
      }
    }
  }

  @EveryUser
  void anAuditorCanSeeWhatItDoes(CallingUser user) throws IOException {
    Path launcher = emit("--mount", "/opt", "--uid", "7", "--", "echo", "a b");
    Ran ran = user.cloister("explain", "--elf", launcher.toString()).run().exits(0);
    List<String> expected =
        new ArrayList<>(
            run(user, emit("--mount", "/opt", "--uid", "7"), "--explain").run().lines());
    expected.removeIf(line -> line.contains("execve("));
    for (String line : expected) {
      ran.assertLine(line);
    }
    assertTrue(ran.out().contains("--uid 7"), ran::toString);
    assertTrue(ran.out().contains("guaranteed: "), ran::toString);
    assertTrue(ran.out().contains("execve(\"echo\""), ran::toString);
  }

  @EveryUser
  void aLauncherThatWasChangedIsNotExplained(CallingUser user) throws IOException {
    byte[] genuine = Files.readAllBytes(emit("--mount", "/opt"));
    Path changed = user.write(user.work(), "changed", "");
    for (int at : new int[] {genuine.length / 2, genuine.length - 1, 0x120}) {
      byte[] bytes = genuine.clone();
      bytes[at] ^= 1;
      Files.write(changed, bytes);
      user.cloister("explain", "--elf", changed.toString()).run().refuses(125, "--elf " + changed);
    }
    Files.write(changed, java.util.Arrays.copyOf(genuine, genuine.length - 1));
    user.cloister("explain", "--elf", changed.toString()).run().refuses(125, changed.toString());
    for (String file : List.of("/bin/sh", "/etc/passwd", "/nope", "/proc", "/dev/null")) {
      user.cloister("explain", "--elf", file).run().refuses(125, "--elf " + file);
    }
    user.cloister("explain", "--elf").run().refuses(125, "--elf");
    user.cloister("explain", "--elf", "").run().refuses(125, "--elf '': an empty path");
    user.shell(Installation.SCRIPT + " explain --elf \"$(printf 'x\\377')\"")
        .run()
        .refuses(125, "--elf x\\xff: ", "not UTF-8");
  }

  /** Whoever asks what a file does that nobody trusts shall have an answer soon. */
  @Test
  void whatHasManyMountsIsExplained() {
    List<String> options = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      options.addAll(List.of("--ro-bind", "/usr", "/x" + i));
    }
    Path launcher = emit(options.toArray(new String[0]));
    Ran ran = OWN.cloister("explain", "--elf", launcher.toString()).run().exits(0);
    long copies =
        ran.lines().stream().filter(line -> line.contains("open_tree(AT_FDCWD, \"/usr\"")).count();
    assertEquals(600, copies);
  }

  /** A file may have any options in it, and an answer shall not take all memory. */
  @Test
  void whatWouldBeTooLargeIsRefused() {
    Path file = OWN.work().resolve("too-large");
    emitCall(file, Collections.nCopies(9001, "--unshare-pid").toArray(new String[0]))
        .run()
        .refuses(125, "more than 9000 options");
    List<String> options = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      options.addAll(List.of("--tmpfs", "/" + i + "/a".repeat(2000)));
    }
    emitCall(file, options.toArray(new String[0])).run().refuses(125, "too many too long paths");
  }

  /** What is kept there is executed outside of sandboxes. */
  @EveryUser
  void theCommandCannotReachTheLaunchersThatAreKept(CallingUser user) throws IOException {
    Path kept = Path.of("/tmp/cloister-" + user.uid());
    boolean before = Files.exists(kept);
    String plant = "touch '%s/planted'; ls -A '%s'; rmdir '%s' && mkdir '%s'";
    Path whole = emit("--preset", "none", "--bind", "/", "/");
    Path part = emit("--preset", "host", "--bind", "/tmp", "/a/t");
    for (String place : List.of("", "/a/t")) {
      Path launcher = place.isEmpty() ? whole : part;
      String seen = place.isEmpty() ? kept.toString() : place + "/" + kept.getFileName();
      Ran ran = run(user, launcher, "sh", "-c", plant.replace("%s", seen)).run().exits(1);
      assertEquals("planted\n", ran.out(), ran::toString);
      assertFalse(Files.exists(kept.resolve("planted")), ran::toString);
      assertTrue(Files.isDirectory(kept, LinkOption.NOFOLLOW_LINKS));
    }
    int owner = (Integer) Files.getAttribute(kept, "unix:uid");
    assertEquals(user.uid(), Integer.toUnsignedLong(owner));
    if (!before) {
      Files.delete(kept);
    }
  }

  /** What hides them goes under the overlay, and not into what it keeps. */
  @EveryUser
  void anOverlayOverTheLaunchersKeepsNothingOfThem(CallingUser user) throws IOException {
    List<String> names = List.of("lower", "upper", "work");
    List<String> layers = new ArrayList<>();
    for (String name : names) {
      layers.add(user.give(Files.createDirectory(user.work().resolve(name))).toString());
    }
    Path launcher =
        emit(
            "--preset",
            "none",
            "--bind",
            "/",
            "/",
            "--overlay-src",
            layers.get(0),
            "--overlay",
            layers.get(1),
            layers.get(2),
            "/tmp");
    run(user, launcher, "ls", "-A", "/tmp").run().prints("");
    try (var kept = Files.list(Path.of(layers.get(1)))) {
      assertEquals(List.of(), kept.toList());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/tmp/cloister-5", "/tmp/cloister-5/cache", "//tmp/./cloister-77", "/a/../tmp"})
  void theLaunchersThatAreKeptAreNoSource(String source) throws IOException {
    Path file = OWN.work().resolve("launcher");
    emitCall(file, "--ro-bind", source, "/x").run().refuses(125, "--ro-bind " + source);
    assertFalse(Files.exists(file));
  }
}
