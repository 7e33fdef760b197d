package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.cli.InitramfsIT.EveryGuestUser;
import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;

/**
 * Launchers that were emitted here and run on an aarch64 kernel, whose root is its initramfs and so
 * cannot be pivoted.
 */
final class Aarch64IT {
  /** Only against a guest that hangs. */
  private static final int PATIENCE_SECONDS = 600;

  /** What each launcher was emitted with. */
  private static final Map<String, List<String>> LAUNCHERS =
      Map.ofEntries(
          Map.entry("auto", List.of("--mount", "/opt")),
          Map.entry("pivoting", List.of("--strategy", "pivot_root")),
          Map.entry("pid", List.of("--unshare-pid")),
          Map.entry("environment", List.of("--clearenv", "--setenv", "KEPT", "a b")),
          Map.entry("inside", List.of("--", "probe", "ids")),
          Map.entry("ids", List.of("--uid", "7", "--gid", "8")),
          Map.entry("filtered", List.of("--seccomp-profile", "default")),
          Map.entry("status", List.of("--unshare-pid", "--json-status-fd", "1")),
          Map.entry("absent", List.of("--ro-bind", "/nowhere", "/a")),
          Map.entry("many", many()),
          Map.entry("mounts", mounts()),
          Map.entry("conflicting", List.of("--preset", "host", "--symlink", "mark", "/etc/link")));

  private record Key(String name, long uid) {}

  private static final Map<Key, Ran> ENDED = new HashMap<>();

  /** So many that the short forms of instructions no longer reach. */
  private static List<String> many() {
    List<String> options = new ArrayList<>(List.of("--preset", "host"));
    for (int i = 0; i < 400; i++) {
      options.addAll(List.of("--dir", "/many/" + i, "--ro-bind-try", "/nowhere" + i, "/n" + i));
    }
    return options;
  }

  /** A link that is there already, permissions, and what one mount alone may. */
  private static List<String> mounts() {
    String options =
        "--preset host --symlink marker /etc/link --perms 0700 --dir /p/q --chmod 0755 /p"
            + " --perms 1777 --size 65536 --tmpfs /t --perms 1777 --tmpfs /r --remount-ro /r";
    return List.of(options.split(" ", -1));
  }

  private static List<List<String>> calls() {
    return List.of(
        List.of("auto", "auto", "probe", "ids", "root", "/opt/marker", "+/opt/new", "42"),
        List.of("write", "auto", "probe", "+/usr/new", "+/tmp/new"),
        List.of("privileges", "auto", "probe", "/proc/self/status"),
        List.of("killed", "auto", "probe", "kill"),
        List.of("none", "auto"),
        List.of("unknown", "auto", "--nope"),
        List.of("help", "auto", "--help"),
        List.of("explain", "auto", "--explain"),
        List.of("missing", "auto", "nope"),
        List.of("unexecutable", "auto", "/etc/marker"),
        List.of("pivoting", "pivoting", "probe", "ids"),
        List.of("pid", "pid", "probe", "pid", "/proc/1/comm", "9"),
        List.of("environment", "environment", "probe", "environment"),
        List.of("inside", "inside", "5"),
        List.of("ids", "ids", "probe", "ids"),
        List.of("filtered", "filtered", "probe", "/proc/self/status"),
        List.of("status", "status", "probe", "9"),
        List.of("no-status", "status", "nope"),
        List.of("absent", "absent", "probe", "ids"),
        List.of("many", "many", "probe", "ids", "root"),
        List.of("mounts", "mounts", "probe", "/etc/link", "+/t/new", "+/r/new"),
        List.of("conflicting", "conflicting", "probe", "ids"));
  }

  @BeforeAll
  static void boot() throws Exception {
    Path work = Files.createTempDirectory(Installation.BASE, "aarch64");
    Path console = work.resolve("console");
    List<String> machine =
        List.of(
            Required.program("qemu-system-aarch64"),
            "-M",
            "virt",
            "-cpu",
            "cortex-a57",
            "-m",
            "512",
            "-nodefaults",
            "-display",
            "none",
            "-serial",
            "file:" + console,
            "-kernel",
            kernel().toString(),
            "-initrd",
            initramfs(work).toString(),
            "-append",
            "console=ttyAMA0 quiet panic=-1",
            "-no-reboot");
    finish(work, machine);
    read(Files.readString(console, StandardCharsets.ISO_8859_1));
    assertEquals(
        2 * calls().size(),
        ENDED.size(),
        () -> "not every call was made; the console: " + text(console));
  }

  private static String text(Path file) {
    try {
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return e.toString();
    }
  }

  private static Path kernel() throws IOException {
    Path place = Path.of("../target/guest-arm64/boot");
    Required.that(Files.isDirectory(place), "a kernel for aarch64, see .ci/run");
    try (Stream<Path> files = Files.list(place)) {
      Optional<Path> kernel =
          files
              .filter(file -> String.valueOf(file.getFileName()).startsWith("vmlinuz-"))
              .sorted()
              .findFirst();
      Required.that(kernel.isPresent(), "a kernel for aarch64, see .ci/run");
      return kernel.orElseThrow();
    }
  }

  /** A host in small: what launchers mount, the launchers, and one program. */
  private static Path initramfs(Path work) throws IOException, InterruptedException {
    Path tree = Files.createDirectory(work.resolve("tree"));
    for (String directory : List.of("proc", "sys", "dev", "usr/bin", "etc", "opt", "tmp", "run")) {
      Files.createDirectories(tree.resolve(directory));
    }
    Files.writeString(tree.resolve("opt/marker"), "marked\n");
    Files.writeString(tree.resolve("etc/marker"), "not a program\n");
    Files.createSymbolicLink(tree.resolve("etc/link"), Path.of("marker"));
    Files.createDirectory(tree.resolve("secret"));
    Path init = tree.resolve("init");
    String source = Installation.resource("aarch64-init.c").toString();
    String compiler = Required.program("aarch64-linux-gnu-gcc");
    finish(work, List.of(compiler, "-static", "-O1", "-o", init.toString(), source));
    Files.copy(init, tree.resolve("usr/bin/probe"));
    for (Map.Entry<String, List<String>> launcher : LAUNCHERS.entrySet()) {
      emit(tree.resolve(launcher.getKey()), launcher.getValue());
    }
    List<String> lines = new ArrayList<>();
    for (long uid : List.of(0L, CallingUser.UNPRIVILEGED)) {
      for (List<String> call : calls()) {
        List<String> words = new ArrayList<>(List.of(call.get(0), "" + uid, "/" + call.get(1)));
        words.addAll(call.subList(2, call.size()));
        lines.add(String.join("\t", words));
      }
    }
    Files.write(tree.resolve("calls"), lines);
    return pack(work, tree);
  }

  private static Path pack(Path work, Path tree) throws IOException, InterruptedException {
    try (Stream<Path> files = Files.walk(tree)) {
      for (Path file : files.toList()) {
        boolean executable = Files.isDirectory(file) || Files.isExecutable(file);
        Files.setPosixFilePermissions(
            file, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
      }
    }
    Files.setPosixFilePermissions(
        tree.resolve("tmp"), PosixFilePermissions.fromString("rwxrwxrwx"));
    Path initramfs = work.resolve("initramfs");
    String shell = "cd \"$1\" && find . | %s -o -H newc -R 0:0 >\"$2\"";
    finish(
        work,
        List.of(
            "sh",
            "-c",
            shell.formatted(Required.program("cpio")),
            "sh",
            tree.toString(),
            initramfs.toString()));
    return initramfs;
  }

  private static void emit(Path file, List<String> options) {
    Ran ran =
        CallingUser.own()
            .cloister("emit", "--arch", "aarch64", "-o", file.toString())
            .and(options.toArray(String[]::new))
            .run()
            .exits(0);
    assertEquals("", ran.out() + ran.err(), ran::toString);
  }

  private static void finish(Path work, List<String> command)
      throws IOException, InterruptedException {
    Path log = work.resolve("log");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .redirectInput(Path.of("/dev/null").toFile())
            .start();
    try {
      assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), () -> text(log));
      assertEquals(0, process.exitValue(), () -> command + ": " + text(log));
    } finally {
      process.destroyForcibly();
    }
  }

  /** Reads what process 1 wrote between the kernel's own lines. */
  private static void read(String console) {
    StringBuilder out = new StringBuilder();
    StringBuilder err = new StringBuilder();
    for (String line : console.replace("\r", "").lines().toList()) {
      if (line.startsWith("@out ")) {
        out.append(line.substring(5)).append('\n');
      } else if (line.startsWith("@err ")) {
        err.append(line.substring(5)).append('\n');
      } else if (line.startsWith("@end ")) {
        List<String> words = List.of(line.split(" ", -1));
        Key key = new Key(words.get(1), Long.parseLong(words.get(2)));
        int status = Integer.parseInt(words.get(3));
        ENDED.put(key, new Ran(words, status, out.toString(), err.toString()));
        out.setLength(0);
        err.setLength(0);
      }
    }
  }

  private static Ran ran(String name, long uid) {
    return Optional.ofNullable(ENDED.get(new Key(name, uid))).orElseThrow();
  }

  @EveryGuestUser
  void goesOnByChrootAndGivesTheStatusOfTheCommand(long uid) {
    Ran ran = ran("auto", uid).exits(42);
    assertEquals("", ran.err(), ran::toString);
    assertEquals("ids %d %d".formatted(uid, uid), ran.lines().getFirst());
    for (String entry : List.of("dev", "etc", "opt", "proc", "tmp", "usr")) {
      ran.assertLine("entry " + entry);
    }
    ran.assertNoLine("entry secret");
    ran.assertNoLine("entry calls");
    ran.assertLine("marked");
    assertEquals(uid == 0 ? "written" : "not written", ran.lines().getLast(), ran::toString);
    ran("killed", uid).exits(137);
    ran("write", uid).prints("not written\nwritten\n");
  }

  @EveryGuestUser
  void isWithoutPrivilegeInside(long uid) {
    Ran ran = ran("privileges", uid).exits(0);
    ran.assertLine("CapEff:\t0000000000000000");
    ran.assertLine("NoNewPrivs:\t1");
    ran.assertLine("Seccomp:\t0");
    ran("filtered", uid).exits(0).assertLine("Seccomp:\t2");
  }

  @EveryGuestUser
  void saysWhyNothingRan(long uid) {
    ran("pivoting", uid).refuses(125, "pivot_root", "EINVAL");
    ran("absent", uid).refuses(125, "open_tree", "/nowhere", "ENOENT");
    ran("none", uid).refuses(125, "no command");
    ran("unknown", uid).refuses(125, "--nope");
    ran("missing", uid).refuses(127, "nope", "PATH");
    ran("unexecutable", uid).refuses(126, "/etc/marker", "EACCES");
  }

  @EveryGuestUser
  void explainsItself(long uid) {
    ran("help", uid).exits(0).assertLine("options: --arch aarch64 --mount /opt");
    Ran ran = ran("explain", uid).exits(0);
    assertTrue(ran.out().contains("pivot_root(\".\", \".\")"), ran::toString);
  }

  @EveryGuestUser
  void hasAnInitInItsOwnPidNamespace(long uid) {
    Ran ran = ran("pid", uid).exits(9);
    assertEquals("pid 2\ncloister-init\n", ran.out(), ran::toString);
  }

  @EveryGuestUser
  void setsIdsAndEnvironment(long uid) {
    ran("environment", uid).exits(0).assertLine("KEPT=a b");
    assertTrue(!ran("environment", uid).out().contains("SECRET"));
    ran("ids", uid).prints("ids 7 8\n");
    Ran inside = ran("inside", uid).exits(5);
    assertEquals("ids %d %d%n".formatted(uid, uid), inside.out(), inside::toString);
  }

  @EveryGuestUser
  void mountsAsItIsTold(long uid) {
    ran("mounts", uid).prints("not a program\nwritten\nnot written\n");
    ran("conflicting", uid)
        .refuses(125, "Can't make symlink at /etc/link: existing destination is marker");
  }

  @EveryGuestUser
  void reportsItselfAndTheEndOfTheCommand(long uid) {
    String self = "{ \"child-pid\": N, \"mnt-namespace\": N, \"pid-namespace\": N }\n";
    Ran ran = ran("status", uid).exits(9);
    assertEquals(self + "{ \"exit-code\": N }\n", ran.out().replaceAll("[0-9]+", "N"));
    assertTrue(ran.out().endsWith(" 9 }\n"), ran::toString);
    assertEquals(self, ran("no-status", uid).exits(127).out().replaceAll("[0-9]+", "N"));
  }

  @EveryGuestUser
  void aLongProgramReachesAllOfItself(long uid) {
    Ran ran = ran("many", uid).exits(0);
    ran.assertLine("ids %d %d".formatted(uid, uid));
    ran.assertLine("entry many");
  }
}
