package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/** The hosts Cloister is put on, and what it must find there. */
final class HostLab {
  /** Mounts that end with the process. */
  private static final List<String> OWN_MOUNTS = List.of("unshare", "--mount");

  private static final List<String> OLD_CALLS =
      List.of("mount_setattr", "openat2", "close_range", "open_tree", "move_mount", "pidfd_open");

  /** On every Linux, /dev/shm is a mount below /dev that everybody may write to. */
  private static final String LOOK_AROUND =
      "PATH=/usr/bin:/bin; touch /x/shm/written 2>&1 | grep -o Read-only;"
          + " [ -e /proc/self/fd/7 ] || echo closed";

  private HostLab() {}

  static Stream<HostRow> rows() {
    return Stream.of(
            ordinary(),
            namespaceLimits(),
            filters(),
            securityModules(),
            chroots(),
            procs(),
            temporaryDirectories(),
            memoryFiles(),
            nested(),
            bubblewraps(),
            oldKernels(),
            callers())
        .flatMap(rows -> rows);
  }

  private static Stream<HostRow> everyUser(SimulatedHost host, Function<HostRow, HostRow> expect) {
    return CallingUser.all().stream().map(user -> expect.apply(HostRow.of(host, user)));
  }

  private static Stream<HostRow> everyUser(SimulatedHost host) {
    return everyUser(host, row -> row);
  }

  /** Root and others each have their own. */
  private static Stream<HostRow> eachUser(
      SimulatedHost host, Function<HostRow, HostRow> root, Function<HostRow, HostRow> others) {
    return everyUser(host, row -> (row.user().isRoot() ? root : others).apply(row));
  }

  private static Stream<HostRow> ordinary() {
    return Stream.concat(
        everyUser(SimulatedHost.named("plain")),
        everyUser(
            SimulatedHost.named("no_new_privs already set")
                .enteredBy("setpriv", "--no-new-privs", "--")));
  }

  private static Stream<HostRow> namespaceLimits() {
    SimulatedHost limited =
        SimulatedHost.named("max_user_namespaces 0, all capabilities")
            .enteredBy("unshare", "--user", "--map-root-user")
            .enteredBy(
                SimulatedHost.shell("echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\""));
    SimulatedHost powerless =
        new SimulatedHost(
                "max_user_namespaces 0, no capabilities",
                limited.prepare(),
                limited.groups(),
                limited.enter(),
                limited.start())
            .enteredBy("setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--");
    return Stream.concat(
        everyUser(
            limited,
            row ->
                row.lacks("user_namespace", "max_user_namespaces", "sysctl")
                    .also(HostLab::keepsPromises)),
        everyUser(
            powerless,
            row ->
                row.rejectsAll("user.max_user_namespaces is 0", "sysctl user.max_user_namespaces")
                    .also(HostLab::doesNotBlameCapabilities)));
  }

  private static void doesNotBlameCapabilities(SimulatedHost host, CallingUser user) {
    Ran ran = host.cloister(user, "run").command("true").run().exits(125);
    assertFalse(ran.err().contains("CAP_SETFCAP"), ran::toString);
  }

  private static Stream<HostRow> filters() {
    return Stream.concat(
        everyUser(
            SimulatedHost.named("seccomp filter as of container runtimes")
                .enteredBy(Confinement.likeContainerRuntimes().words()),
            row -> row.rejectsAll("seccomp", "seccomp")),
        everyUser(
            SimulatedHost.named("mount refused with EACCES by a filter")
                .enteredBy(new Confinement().refuse("mount", "EACCES").words()),
            row -> row.rejectsAll("seccomp", "seccomp")));
  }

  /** As with AppArmor's restriction, a user namespace can be made and is good for nothing. */
  private static Stream<HostRow> securityModules() {
    return CallingUser.all().stream()
        .map(
            user ->
                HostRow.of(
                        SimulatedHost.named("writing uid_map and mounting refused by Landlock")
                            .enteredBy(
                                Confinement.writableOnly(List.of(Path.of("/dev"), user.temporary()))
                                    .words()),
                        user)
                    .rejectsAll("Landlock", "restricted"));
  }

  private static Stream<HostRow> chroots() {
    SimulatedHost mounted =
        SimulatedHost.named("in a chroot that is a mount point")
            .preparedBy(OWN_MOUNTS, "mount --rbind / /mnt && set -- chroot /mnt \"$@\"");
    SimulatedHost directory =
        SimulatedHost.named("in a chroot that is a plain directory")
            .preparedBy(OWN_MOUNTS, fillPlainDirectory(CallingUser.own().work()));
    // Only the strategies of Cloister's own know the way out.
    return Stream.of(mounted, directory)
        .flatMap(
            host ->
                eachUser(
                    host,
                    row -> row.rejects("bwrap", "chroot", "chroot").also(HostLab::keepsPromises),
                    row -> row.rejectsAll("chroot", "chroot")));
  }

  private static String fillPlainDirectory(Path root) {
    return """
        for entry in /*; do
          if [ -h "$entry" ]; then cp -P "$entry" ROOT/
          elif [ -d "$entry" ]; then mkdir -p "ROOT$entry" && mount --rbind "$entry" "ROOT$entry"
          fi
        done
        set -- chroot ROOT "$@"; true"""
        .replace("ROOT", root.toString());
  }

  private static Stream<HostRow> procs() {
    String java = System.getProperty("java.home");
    SimulatedHost covered =
        SimulatedHost.named("/proc covered in parts")
            .preparedBy(OWN_MOUNTS, "mount --bind /dev/null /proc/version");
    SimulatedHost missing =
        SimulatedHost.named("no /proc")
            .preparedBy(OWN_MOUNTS, "umount -l /proc")
            // A JVM finds its libraries by /proc/self/exe.
            .enteredBy("env", "LD_LIBRARY_PATH=" + java + "/lib:" + java + "/lib/server");
    return Stream.concat(
        eachUser(
            covered, row -> row, row -> row.lacks("fresh_proc", "/proc/version", "whole /proc")),
        eachUser(
            missing,
            row -> row.rejects("bwrap", "/proc", "/proc").also(HostLab::keepsPromises),
            row -> row.rejectsAll("/proc", "/proc")));
  }

  private static Stream<HostRow> temporaryDirectories() {
    // bubblewrap builds the new root on it.
    Function<HostRow, HostRow> noPlaceForBwrap = row -> row.rejects("bwrap", "/tmp", "/tmp");
    return Stream.of(
            everyUser(temporary("read-only /tmp", "ro").enteredBy("env", "TMPDIR=/tmp")),
            everyUser(temporary("read-only /tmp, no TMPDIR", "ro").enteredBy("env", "-uTMPDIR")),
            everyUser(temporary("noexec /tmp", "rw,noexec").enteredBy("env", "TMPDIR=/tmp")),
            everyUser(
                temporary("noexec /tmp, no TMPDIR", "rw,noexec").enteredBy("env", "-uTMPDIR")),
            everyUser(missingTemporary("no /tmp").enteredBy("env", "TMPDIR=/tmp"), noPlaceForBwrap),
            everyUser(
                missingTemporary("no /tmp, no TMPDIR").enteredBy("env", "-uTMPDIR"),
                noPlaceForBwrap))
        .flatMap(rows -> rows);
  }

  /** With what an earlier call left there. What the tests write lies below /tmp, too, and stays. */
  private static SimulatedHost temporary(String name, String options) {
    return SimulatedHost.named(name)
        .preparedBy(
            OWN_MOUNTS,
            """
            mount --bind BASE /mnt &&
            mount -t tmpfs -o mode=1777 tmpfs /tmp && mkdir -p BASE && mount --move /mnt BASE &&
            mkdir -m 700 /tmp/cloister-0 /tmp/cloister-65534 && chown 65534:65534 /tmp/cloister-65534 &&
            mount -o remount,bind,OPTIONS /tmp && SHARED"""
                .replace("BASE", Installation.BASE.toString())
                .replace("OPTIONS", options)
                .replace("SHARED", freshSharedMemory()));
  }

  /** A sandbox's own view of a host that lets nobody write anything. */
  static SimulatedHost withoutWritableDirectory() {
    return SimulatedHost.named("no writable directory")
        .preparedBy(
            OWN_MOUNTS,
            """
            for place in /tmp /dev/shm /var/tmp; do
              mount --rbind $place $place && mount -o remount,bind,ro $place || exit
            done; true""");
  }

  /** What is written there must not stay on the machine. */
  private static String freshSharedMemory() {
    return "mount -t tmpfs -o mode=1777 tmpfs /dev/shm";
  }

  /** A root with everything but that, and what the tests write elsewhere. */
  private static SimulatedHost missingTemporary(String name) {
    String script =
        """
        SHARED && mount -t tmpfs -o mode=0755 tmpfs /mnt && cd /mnt &&
        for entry in /*; do
          case $entry in /mnt|/tmp) continue ;; esac
          if [ -h "$entry" ]; then cp -P "$entry" .
          elif [ -d "$entry" ]; then mkdir "./$entry" && mount --rbind "$entry" "./$entry"
          fi
        done
        mkdir mnt lab && mount --rbind BASE lab && pivot_root . mnt && umount -l /mnt &&
        export HOME="/lab${HOME#BASE}" && cd / && [ ! -e /tmp ]"""
            .replace("SHARED", freshSharedMemory())
            .replace("BASE", Installation.BASE.toString());
    return SimulatedHost.named(name)
        .preparedBy(OWN_MOUNTS, script)
        .startedBy(
            Path.of("/lab").resolve(Installation.BASE.relativize(Installation.SCRIPT)).toString());
  }

  private static Stream<HostRow> memoryFiles() {
    return Stream.concat(
        everyUser(memoryFiles("1")),
        everyUser(
            memoryFiles("2"),
            row ->
                row.rejects("bwrap", "memfd", "memfd_noexec")
                    .lacks("memory_file", "memfd", "memfd_noexec")));
  }

  private static SimulatedHost memoryFiles(String value) {
    return SimulatedHost.named("vm.memfd_noexec " + value)
        .preparedBy(
            List.of("unshare", "--pid", "--fork", "--mount-proc"),
            "echo " + value + " > /proc/sys/vm/memfd_noexec");
  }

  private static Stream<HostRow> nested() {
    List<Stream<HostRow>> rows = new ArrayList<>();
    for (String strategy : List.of("pivot_root", "chroot")) {
      rows.add(
          nested(
              "in Cloister, " + strategy + ", three levels, uid 1234",
              user ->
                  Stream.of(
                          level(user, strategy, "--uid", "1234", "--gid", "1234"),
                          level(user, strategy))
                      .flatMap(List::stream)
                      .toList(),
              row -> row.alsoPrints("id -u", "1234\n")));
      rows.add(
          nested(
              "in Cloister, " + strategy + ", as contained root",
              user -> level(user, strategy, "--map-root-user"),
              row -> row.rejectsAll("CAP_SETFCAP", "--uid")));
    }
    rows.add(
        everyUser(
            noMoreUserNamespaces("in bwrap --disable-userns"),
            row ->
                row.user().isRoot()
                    ? row.lacks("user_namespace", "limit", "limit")
                    : row.rejectsAll("limit", "limit")));
    rows.add(
        everyUser(
            noMoreUserNamespaces("in bwrap --disable-userns, no capabilities", "--cap-drop", "ALL"),
            row -> row.rejectsAll("limit", "limit")));
    return rows.stream().flatMap(each -> each);
  }

  private static Stream<HostRow> nested(
      String name, Function<CallingUser, List<String>> enter, Function<HostRow, HostRow> expect) {
    return CallingUser.all().stream()
        .map(
            user ->
                expect.apply(
                    HostRow.of(SimulatedHost.named(name).enteredBy(enter.apply(user)), user)));
  }

  /** A sandbox that shows what Cloister itself needs, and a home. */
  private static List<String> level(CallingUser user, String strategy, String... options) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of(Installation.SCRIPT.toString(), "run", "--strategy", strategy));
    words.addAll(List.of("--preset", "host"));
    for (Path path :
        List.of(Installation.HOME, Path.of(System.getProperty("java.home")), user.home())) {
      words.addAll(List.of("--ro-bind", path.toString(), path.toString()));
    }
    words.addAll(Arrays.asList(options));
    words.add("--");
    return words;
  }

  private static SimulatedHost noMoreUserNamespaces(String name, String... options) {
    return SimulatedHost.named(name)
        .enteredBy("bwrap", "--unshare-user", "--disable-userns", "--dev-bind", "/", "/")
        .enteredBy(options)
        .enteredBy("--");
  }

  private static Stream<HostRow> bubblewraps() {
    Path absent = tools();
    Path notExecutable = tools();
    write(notExecutable, "", "rw-r--r--");
    return Stream.of(
            everyUser(
                searching("bwrap absent", absent),
                row -> row.rejects("bwrap", "bwrap", "bubblewrap")),
            everyUser(
                searching("bwrap not executable", notExecutable),
                row -> row.rejects("bwrap", "executable", "bubblewrap")),
            everyUser(
                broken("bwrap broken: exits with 1", "exit 1"),
                row -> row.rejects("bwrap", "bwrap", "bubblewrap")),
            everyUser(
                broken("bwrap broken: crashes", "kill -SEGV $$"),
                row -> row.rejects("bwrap", "bwrap", "bubblewrap")),
            // As of version 0.4.
            everyUser(
                broken("bwrap without --perms and --chmod", without("--perms", "--chmod")),
                row -> row.rejects("bwrap", "--perms", "bubblewrap")),
            everyUser(
                broken("bwrap without --hostname", without("--hostname")),
                row -> row.also(HostLab::namesTheMissingOption)))
        .flatMap(rows -> rows);
  }

  /** What only some sandboxes need is said of these, before anything runs. */
  private static void namesTheMissingOption(SimulatedHost host, CallingUser user) {
    Ran ran =
        host.cloister(user, "run", "--strategy", "bwrap", "--hostname", "h")
            .command("/bin/echo", "ran")
            .run()
            .refuses(125, "--hostname");
    assertTrue(ran.err().contains("bubblewrap"), ran::toString);
  }

  /** Directories with what the script needs, and no bwrap. */
  static Path tools() {
    Path tools = CallingUser.own().work();
    try {
      for (String tool : List.of("readlink", "env", "dirname", "uname")) {
        Files.createSymbolicLink(tools.resolve(tool), Path.of(Required.program(tool)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return tools;
  }

  private static SimulatedHost searching(String name, Path path) {
    return SimulatedHost.named(name).enteredBy("env", "PATH=" + path);
  }

  private static SimulatedHost broken(String name, String script) {
    Path tools = tools();
    write(tools, "#!/bin/sh\n" + script + "\n", "rwxr-xr-x");
    return searching(name, tools);
  }

  private static void write(Path tools, String text, String permissions) {
    try {
      Path bwrap = Files.writeString(tools.resolve("bwrap"), text);
      Files.setPosixFilePermissions(bwrap, PosixFilePermissions.fromString(permissions));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The real one, as if it did not know some options. */
  private static String without(String... options) {
    return """
        PATH=/usr/bin:/bin
        for word; do
          case $word in
            --help) bwrap --help | grep -v EXCEPT; exit ;;
            --) break ;;
            OPTION) echo "bwrap: Unknown option $word" >&2; exit 1 ;;
          esac
        done
        exec bwrap "$@\""""
        .replace("EXCEPT", "-e " + String.join(" -e ", options))
        .replace("OPTION", String.join("|", options));
  }

  /** The older calls take over. */
  private static Stream<HostRow> oldKernels() {
    List<Stream<HostRow>> rows = new ArrayList<>();
    for (String call : OLD_CALLS) {
      rows.add(
          everyUser(
              SimulatedHost.named("kernel without " + call)
                  .enteredBy(Confinement.without(List.of(call)).words()),
              row ->
                  (call.equals("openat2") ? withoutLandlock(row) : row)
                      .also(HostLab::keepsPromises)));
    }
    rows.add(
        everyUser(
            SimulatedHost.named("kernel without any of these")
                .enteredBy(Confinement.without(OLD_CALLS).words()),
            row -> withoutLandlock(row).also(HostLab::keepsPromises)));
    return rows.stream().flatMap(each -> each);
  }

  /** Every kernel that has it has openat2, too: only a filter hides that from it. */
  private static HostRow withoutLandlock(HostRow row) {
    return row.rejects("landlock", "openat2", "seccomp");
  }

  /**
   * What the calls are for that were done without: the mounts below a bound directory are read-only
   * as well, and what the caller left open is closed.
   */
  private static void keepsPromises(SimulatedHost host, CallingUser user) {
    String[] run = {
      "run", "--preset", "host", "--ro-bind", "/dev", "/x", "--", "/bin/sh", "-c", LOOK_AROUND
    };
    List<String> words = new ArrayList<>(SimulatedHost.shell("exec 7</; exec \"$@\""));
    words.addAll(host.start());
    words.addAll(List.of(run));
    host.call(user, words.toArray(String[]::new)).run().prints("Read-only\nclosed\n");
  }

  private static Stream<HostRow> callers() {
    List<Stream<HostRow>> rows = new ArrayList<>();
    rows.add(
        everyUser(
            SimulatedHost.named("SIGCHLD ignored, signals blocked")
                .enteredBy("env", "--ignore-signal=CHLD", "--block-signal"),
            row ->
                row.alsoPrints(
                        // SIGCHLD is the lowest bit of the fifth digit from the right.
                        "grep -cE '^SigIgn:.*[02468ace].{4}$' /proc/self/status;"
                            + " sh -c 'exit 42'; echo $?",
                        "1\n42\n")
                    .also(HostLab::keepsBlockedSignals)));
    if (CallingUser.own().isRoot()) {
      SimulatedHost grouped =
          SimulatedHost.named("groups that cannot be dropped").withGroups("4,20");
      CallingUser unprivileged = new CallingUser(CallingUser.UNPRIVILEGED, false);
      rows.add(
          Stream.of(HostRow.of(grouped, unprivileged).also(HostLab::doesNotClaimToDropGroups)));
      long large = 3_000_000_000L;
      rows.add(
          Stream.of(
              HostRow.of(SimulatedHost.named("uid above 2^31"), new CallingUser(large, false))
                  .rejects("bwrap", Long.toString(large), "--uid")
                  .alsoPrints("id -u", large + "\n")));
    }
    return rows.stream().flatMap(each -> each);
  }

  private static void keepsBlockedSignals(SimulatedHost host, CallingUser user) {
    String[] look = {"/bin/grep", "SigBlk", "/proc/self/status"};
    Ran outside = host.call(user, look).run().exits(0);
    assertFalse(outside.out().endsWith("0000\n"), outside::toString);
    host.cloister(user, "run").command(look).run().prints(outside.out());
  }

  private static void doesNotClaimToDropGroups(SimulatedHost host, CallingUser user) {
    host.cloister(user, "run", "--require", "groups-dropped")
        .command("/bin/echo", "ran")
        .run()
        .exits(125);
  }
}
