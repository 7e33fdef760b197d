package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Required;
import dev.cloister.host.HostFiles;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.machine.Reporting;
import dev.cloister.program.SyscallProgram;
import dev.cloister.seccomp.BpfProgram;
import dev.cloister.seccomp.DefaultProfile;
import dev.cloister.spec.Destination;
import dev.cloister.spec.EnvironmentRules;
import dev.cloister.spec.Identity;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.Privileges;
import dev.cloister.spec.Privileges.Authority;
import dev.cloister.spec.Privileges.UserNamespaces;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.spec.SeccompFilter;
import dev.cloister.strategies.Run.Ended;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.IsolationStrategy;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What every strategy promises, held against real sandboxes. A subclass names the strategy.
 *
 * <p>A strategy may refuse a specification beforehand. Where a test allows that, it says so; what a
 * strategy takes on, it must do completely.
 */
abstract class StrategyContract {
  private static final Destination DATA = Destination.of("/data");

  @TempDir Path directory;
  private final IsolationStrategy strategy;
  private final Set<Workaround> workarounds;

  StrategyContract(IsolationStrategy strategy, Workaround... workarounds) {
    this.strategy = strategy;
    this.workarounds = Set.of(workarounds);
  }

  /** This host, and what plans shall do differently on it although they need not. */
  private HostReport host(User user) throws IOException {
    HostReport host = user.host();
    Set<Workaround> possible = new TreeSet<>(workarounds);
    if (!host.caller().isPrivileged()) {
      possible.removeAll(
          Set.of(
              Workaround.OWN_PROC,
              Workaround.LEAVE_CHROOT,
              Workaround.NO_USER_NAMESPACE,
              Workaround.LANDLOCK_DOMAIN));
    }
    return host.with(possible);
  }

  @BeforeEach
  void letEveryoneIn() throws IOException {
    mode(directory, "rwxr-xr-x");
  }

  static Path mode(Path file, String permissions) throws IOException {
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
  }

  /** A directory of the user's. */
  Path folder(User user, String name) throws IOException {
    return user.own(mode(Files.createDirectory(directory.resolve(name)), "rwxr-xr-x"));
  }

  static Path file(User user, Path path, String content) throws IOException {
    return user.own(mode(Files.writeString(path, content), "rw-r--r--"));
  }

  /** What lets commands run that the tests need, as far as the strategy can show it. */
  SandboxSpec.Builder hostPrograms(User user) throws Exception {
    return SandboxSpec.builder()
        .mounts(strategy.hasOwnView() ? user.programs() : user.programsInPlace());
  }

  static MountOperation bind(Path source, String destination, Access access) throws Exception {
    return new MountOperation.Bind(
        HostFiles.inspect(OsString.of(source)), Destination.of(destination), access);
  }

  private static MountOperation directory(String destination) {
    return new MountOperation.Directory(Destination.of(destination), 0755);
  }

  private static MountOperation tmpfs(String destination) {
    return new MountOperation.Tmpfs(Destination.of(destination));
  }

  private static MountOperation symlink(String target, String destination) {
    return new MountOperation.Symlink(OsString.of(target), Destination.of(destination));
  }

  /** Compiles a launcher for {@code user}; nothing, if the strategy refuses the specification. */
  Optional<Path> launcher(User user, SandboxSpec spec) throws Exception {
    HostReport host = host(user);
    if (strategy.assess(spec, host) instanceof Assessment.Unusable) {
      return Optional.empty();
    }
    SyscallProgram program = strategy.plan(spec, host);
    ProgramCompiler.Options options =
        ProgramCompiler.Options.plain(Architecture.host(), Reporting.TEXT, "test");
    Path file = Files.createTempFile(directory, "launcher", "");
    Files.write(file, ProgramCompiler.compile(program, options).bytes());
    return Optional.of(mode(file, "rwxr-xr-x"));
  }

  /** A sandbox to be started, with a command for its shell. */
  Run sandbox(User user, SandboxSpec spec, String script) throws Exception {
    requireWorking(user);
    Path launcher = launcher(user, spec).orElseThrow(() -> refused(user, spec));
    return run(user, launcher, "/bin/sh", "-c", script);
  }

  /** A test needs what the strategy says beforehand that it does not do. */
  static final class Refused extends AssertionError {
    private static final long serialVersionUID = 1L;

    Refused(Assessment assessment) {
      super("refused: " + assessment);
    }
  }

  private AssertionError refused(User user, SandboxSpec spec) {
    try {
      return new Refused(strategy.assess(spec, host(user)));
    } catch (IOException e) {
      return new AssertionError(e);
    }
  }

  Run run(User user, Path launcher, String... command) {
    List<String> words = new ArrayList<>(List.of(launcher.toString()));
    words.addAll(List.of(command));
    return new Run(words).through(kernel()).through(user.become());
  }

  /** What lets a command run on a kernel that lacks something: words to put before it. */
  List<String> kernel() {
    return List.of();
  }

  Ended inside(User user, SandboxSpec spec, String script) throws Exception {
    return sandbox(user, spec, script).end().good();
  }

  /** Skips where this host allows no sandbox by this strategy at all. */
  private void requireWorking(User user) throws Exception {
    SandboxSpec spec = hostPrograms(user).build();
    Optional<Path> launcher = launcher(user, spec);
    Required.that(launcher.isPresent(), strategy.name() + " is not usable here");
    Ended ended = run(user, launcher.orElseThrow(), "/bin/true").end();
    Required.that(ended.status() == 0, "working " + strategy.name() + ": " + ended.error());
  }

  @EachUser
  void theCommandIsTheCallerUnlessAskedOtherwise(User user) throws Exception {
    String ids = "id -u; id -g";
    long uid = user.caller().uid();
    long gid = user.caller().gid();
    SandboxSpec.Builder spec = hostPrograms(user);
    assertEquals(
        List.of(Long.toString(uid), Long.toString(gid)), inside(user, spec.build(), ids).lines());
    Identity other = Identity.CALLER.withUid(12_345).withGid(54_321);
    assertEquals(
        List.of("12345", "54321"), inside(user, spec.identity(other).build(), ids).lines());
    assertEquals(
        List.of("0", "0"), inside(user, spec.identity(Identity.ROOT).build(), ids).lines());
    assertEquals(
        List.of("7", Long.toString(gid)),
        inside(user, spec.identity(Identity.CALLER.withUid(7)).build(), ids).lines());
  }

  /** The command sees filters in their order, and all of them. */
  @EachUser
  void filtersApplyToTheCommand(User user) throws Exception {
    // Refuses setsid(2) with EBUSY and allows all else.
    byte[] code = {
      0x20, 0, 0, 0, 0, 0, 0, 0, 0x15, 0, 0, 1, 112, 0, 0, 0,
      0x06, 0, 0, 0, 16, 0, 5, 0, 0x06, 0, 0, 0, 0, 0, -1, 0x7f
    };
    code[12] = (byte) SystemCall.SETSID.number(Architecture.host());
    List<SeccompFilter> filters = List.of(DefaultProfile.INSTANCE, BpfProgram.of(code));
    SandboxSpec spec =
        hostPrograms(user).privileges(privileges -> privileges.withFilters(filters)).build();
    Ended ended = sandbox(user, spec, "unshare -U true; setsid -w true; echo end").end().good();
    assertEquals("end\n", ended.output());
    assertTrue(ended.error().contains("unshare failed: Operation not permitted"), ended::error);
    assertTrue(ended.error().contains("setsid failed: Device or resource busy"), ended::error);
    Ended control = sandbox(user, hostPrograms(user).build(), "unshare -U true; echo $?").end();
    assertEquals("0\n", control.output(), control::error);
  }

  /** Whoever that is; a strategy may refuse to make it for another than the caller. */
  @EachUser
  void whatIsMadeIsTheCommandsToWriteTo(User user) throws Exception {
    String script = "touch /t/x /d/x && ls -ldn /t /d /t/x /d/x | cut -d' ' -f3- | tr -s ' '";
    for (Identity identity : List.of(Identity.CALLER, Identity.CALLER.withUid(7).withGid(8))) {
      SandboxSpec spec =
          hostPrograms(user).mount(tmpfs("/t")).mount(directory("/d")).identity(identity).build();
      if (launcher(user, spec).isEmpty()) {
        if (identity.equals(Identity.CALLER)) {
          throw refused(user, spec);
        }
        continue;
      }
      long uid = identity.uid().orElse(user.caller().uid());
      long gid = identity.gid().orElse(user.caller().gid());
      List<String> lines = inside(user, spec, script).lines();
      assertEquals(4, lines.size());
      for (String line : lines) {
        assertTrue(line.strip().startsWith(uid + " " + gid + " "), line);
      }
    }
  }

  @EachUser
  void theCommandHasNoCapabilityAndGetsNoneBack(User user) throws Exception {
    for (Identity identity :
        List.of(Identity.CALLER, Identity.ROOT, Identity.CALLER.withUid(User.ID))) {
      SandboxSpec spec = hostPrograms(user).identity(identity).build();
      Ended status = inside(user, spec, "cat /proc/self/status");
      for (String set : List.of("CapInh:", "CapPrm:", "CapEff:", "CapAmb:")) {
        assertEquals("0".repeat(16), status.value(set), set + " as " + identity);
      }
      assertEquals("1", status.value("NoNewPrivs:"));
      Ended changed =
          sandbox(user, spec, "mount -t tmpfs none /tmp || chroot / true || umount /proc").end();
      assertNotEquals(0, changed.status(), changed.toString());
    }
  }

  private SandboxSpec.Builder capable(User user, LinuxConstant... capabilities) throws Exception {
    return hostPrograms(user).privileges(some -> some.withCapabilities(Set.of(capabilities)));
  }

  /** Without a user namespace of its own, they would be the caller's. */
  private boolean givesNoCapabilities(User user, SandboxSpec spec) throws Exception {
    boolean refuses = launcher(user, spec).isEmpty();
    boolean hasOwn = strategy.hasOwnView() && !host(user).needs(Workaround.NO_USER_NAMESPACE);
    assertEquals(!hasOwn, refuses);
    return refuses;
  }

  @EachUser
  void theCommandHasTheCapabilitiesThatAreAskedFor(User user) throws Exception {
    for (Identity identity :
        List.of(Identity.CALLER, Identity.ROOT, Identity.CALLER.withUid(User.ID))) {
      SandboxSpec spec =
          capable(user, LinuxConstant.CAP_CHOWN, LinuxConstant.CAP_SYSLOG)
              .identity(identity)
              .build();
      if (givesNoCapabilities(user, spec)) {
        return;
      }
      Ended status = inside(user, spec, "cat /proc/self/status");
      for (String set : List.of("CapInh:", "CapPrm:", "CapEff:", "CapAmb:")) {
        assertEquals("0000000400000001", status.value(set), set + " as " + identity);
      }
    }
  }

  /** What is read-only stays so, and what is covered stays covered. */
  @EachUser
  void capabilitiesDoNotReachTheMounts(User user) throws Exception {
    Path hidden = folder(user, "hidden");
    file(user, hidden.resolve("secret"), "");
    SandboxSpec spec =
        capable(user, LinuxConstant.CAP_SYS_ADMIN)
            .mount(bind(hidden, "/data", Access.READ_ONLY))
            .mount(bind(hidden, "/hidden", Access.READ_ONLY))
            .mount(tmpfs("/hidden"))
            .identity(Identity.ROOT)
            .build();
    if (givesNoCapabilities(user, spec)) {
      return;
    }
    String change =
        "mount -o remount,bind,rw none /data || umount /hidden || umount -l / || ls /hidden/*";
    for (String script :
        List.of(change, "unshare --mount sh -c '" + change + "'", "ls /hidden/secret")) {
      Ended ended = sandbox(user, spec, script).end();
      assertNotEquals(0, ended.status(), ended.toString());
    }
    inside(user, spec, "unshare --mount mount -t tmpfs none /hidden");
  }

  @EachUser
  void userNamespacesCanBeDisabled(User user) throws Exception {
    SandboxSpec.Builder spec =
        hostPrograms(user).privileges(some -> some.withUserNamespaces(UserNamespaces.DISABLED));
    String unshare = "unshare --user true";
    if (host(user).needs(Workaround.NO_USER_NAMESPACE)) {
      // They can be made here after all, and not by the sandbox be forbidden: it says so.
      Ended ended = sandbox(user, spec.build(), "true").end();
      assertEquals(125, ended.status(), ended.toString());
      assertTrue(ended.error().contains("--disable-userns"), ended.toString());
      return;
    }
    Ended ended = sandbox(user, spec.build(), unshare).end();
    assertNotEquals(0, ended.status(), ended.toString());
    inside(user, hostPrograms(user).build(), unshare);
  }

  @EachUser
  void onlyTheStandardDescriptorsAreInherited(User user) throws Exception {
    Ended ended =
        sandbox(user, hostPrograms(user).build(), "ls /proc/self/fd")
            .after("exec 3</ 4</ 5</dev/null 6>/dev/null 7</ 8</ 9</")
            .end()
            .good();
    // The last one is the directory that ls reads.
    assertEquals(List.of("0", "1", "2", "3"), ended.lines());
  }

  @EachUser
  void claimsWhatIsAskedForAndWhatEveryStrategyGives(User user) throws Exception {
    HostReport host = host(user);
    SandboxSpec.Builder spec = hostPrograms(user);
    Set<Guarantee> plain = strategy.guarantees(spec.build(), host);
    assertTrue(
        plain.containsAll(
            Set.of(
                Guarantee.NO_CAPABILITIES,
                Guarantee.NO_NEW_PRIVILEGES,
                Guarantee.NO_INHERITED_DESCRIPTORS,
                Guarantee.READ_ONLY_RECURSIVE)),
        plain::toString);
    assertEquals(
        !host.needs(Workaround.NO_USER_NAMESPACE) || host.needs(Workaround.LANDLOCK_DOMAIN),
        plain.contains(Guarantee.OLD_ROOT_UNREACHABLE));
    assertFalse(plain.contains(Guarantee.NETWORK_ISOLATION));
    assertFalse(plain.contains(Guarantee.IPC_ISOLATION));
    Set<Guarantee> asked =
        strategy.guarantees(spec.unshare(Namespace.NET).unshare(Namespace.IPC).build(), host);
    assertTrue(asked.contains(Guarantee.NETWORK_ISOLATION));
    assertTrue(asked.contains(Guarantee.IPC_ISOLATION));
    assertEquals(
        user.caller().uid() != 0,
        strategy
            .guarantees(spec.identity(Identity.ROOT).build(), host)
            .contains(Guarantee.UNPRIVILEGED_USER));
  }

  static String mounts() throws IOException {
    return Files.readString(Path.of("/proc/self/mountinfo"));
  }

  @EachUser
  void theHostsMountsStayAsTheyAre(User user) throws Exception {
    requireWorking(user);
    String before = mounts();
    SandboxSpec spec =
        hostPrograms(user)
            .mount(tmpfs("/mine"))
            .mount(bind(directory, "/data", Access.READ_WRITE))
            .build();
    Path started = file(user, folder(user, "flag").resolve("started"), "");
    Process process =
        sandbox(user, spec, "echo yes >/data/flag/started; sleep 60")
            .start(directory.resolve("out"), directory.resolve("err"));
    try {
      while (Files.size(started) == 0 && process.isAlive()) {
        Thread.onSpinWait();
      }
      assertTrue(process.isAlive(), () -> "it ended with " + process.exitValue());
      assertEquals(before, mounts());
    } finally {
      process.destroy();
      process.waitFor();
    }
    assertEquals(before, mounts());
  }

  /** As systemd has them: what is mounted in one namespace appears in all others. */
  @EachUser
  void sharedMountsAreNotMountedOn(User user) throws Exception {
    Required.that(User.isRoot(), "to be root, to share mounts");
    String unshare = Required.program("unshare");
    Path before = file(User.CURRENT, directory.resolve("before"), "");
    Path after = file(User.CURRENT, directory.resolve("after"), "");
    String compare =
        "cat /proc/self/mountinfo >'%s'; \"$@\" || exit; cat /proc/self/mountinfo >'%s'"
            .formatted(before, after);
    sandbox(user, hostPrograms(user).mount(tmpfs("/mine")).build(), "true")
        .through(List.of("/bin/sh", "-c", compare, "sh"))
        .through(List.of(unshare, "--mount", "--propagation", "shared"))
        .end()
        .good();
    assertTrue(Files.readString(before).contains(" shared:"));
    assertEquals(Files.readString(before), Files.readString(after));
  }

  @EachUser
  void nothingLeadsToTheOldRoot(User user) throws Exception {
    SandboxSpec spec = hostPrograms(user).mount(directory("/only-inside")).build();
    Set<String> names = new TreeSet<>();
    for (MountOperation mount : spec.mounts()) {
      names.add(mount.destination().components().getFirst().toString());
    }
    String up = "cd /; cd ../../..; ls -A; echo; cd /..; ls -A";
    String seen = String.join("\n", names) + "\n";
    Ended ended = sandbox(user, spec, up).end().good();
    assertEquals(
        new TreeSet<>(seen.lines().toList()),
        new TreeSet<>(ended.lines().subList(0, names.size())));
    assertEquals(2 * names.size() + 1, ended.lines().size(), ended.output());
  }

  @EachUser
  void otherProcessesRootsAreClosed(User user) throws Exception {
    long host = ProcessHandle.current().pid();
    String script =
        "ls /proc/%d/root/ || ls /proc/1/root/ || ls /proc/%d/cwd/ || cat /proc/%d/environ"
            .formatted(host, host, host);
    Ended ended = sandbox(user, hostPrograms(user).build(), script).end();
    assertNotEquals(0, ended.status(), ended.output());
    assertEquals("", ended.output());
  }

  /**
   * What is bound at a link covers what the link says. A directory that was the sandbox's own until
   * then is no longer, and a link in what is there now leads to the sandbox's root, not the host's.
   */
  @EachUser
  void aLinkCannotMakeTheHostsDirectoryPassForAnOwnOne(User user) throws Exception {
    Path outside = folder(user, "outside");
    Path planted = folder(user, "planted");
    Files.createSymbolicLink(planted.resolve("link"), Path.of("/own"));
    Path covering = folder(user, "covering");
    Files.createSymbolicLink(covering.resolve("below"), outside);
    SandboxSpec spec =
        hostPrograms(user)
            .mount(bind(planted, "/planted", Access.READ_ONLY))
            .mount(directory("/own/below"))
            .mount(bind(covering, "/planted/link", Access.READ_WRITE))
            .mount(directory("/own/below/made"))
            .build();
    if (launcher(user, spec).isPresent()) {
      Ended ended = sandbox(user, spec, "ls /own").end();
      assertEquals(List.of(), entries(outside), ended::toString);
    }
  }

  private static List<Path> entries(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.toList();
    }
  }

  @EachUser
  void ownMountsCannotBeEnteredAnew(User user) throws Exception {
    String script = Required.program("nsenter") + " --mount=/proc/self/ns/mnt true";
    assertNotEquals(0, sandbox(user, hostPrograms(user).build(), script).end().status());
  }

  static final List<String> PRIVATE_MOUNTS = List.of("/usr/bin/unshare", "--mount");

  @EachUser
  void readOnlyHoldsOnEverySubMount(User user) throws Exception {
    Required.that(User.isRoot(), "to be root, for a sub-mount");
    Required.program("unshare");
    Path source = folder(user, "source");
    Path inner = folder(user, "source/inner");
    String mount = "mount -t tmpfs -o mode=1777 none '" + inner + "'";
    String write = "touch /data/file && touch /data/inner/file && ls /data/inner";
    SandboxSpec writable =
        hostPrograms(user).mount(bind(source, "/data", Access.READ_WRITE)).build();
    Ended written =
        sandbox(user, writable, write).after(mount).through(PRIVATE_MOUNTS).end().good();
    assertEquals(List.of("file"), written.lines());
    SandboxSpec readOnly =
        hostPrograms(user).mount(bind(source, "/data", Access.READ_ONLY)).build();
    for (String attempt :
        List.of(
            "touch /data/file",
            "touch /data/inner/file",
            "mount -o remount,rw,bind /data/inner; touch /data/inner/file")) {
      Ended refused = sandbox(user, readOnly, attempt).after(mount).through(PRIVATE_MOUNTS).end();
      assertNotEquals(0, refused.status(), attempt);
      assertTrue(refused.error().contains("Read-only file system"), refused.error());
    }
  }

  /** Names that the mount table escapes, mounts over mounts, and flags that were there before. */
  @EachUser
  void readOnlyHoldsOnOddSubMounts(User user) throws Exception {
    Required.that(User.isRoot(), "to be root, for sub-mounts");
    Path source = folder(user, "source");
    String script =
        """
        set -e
        cd '%s'
        odd=$(printf 'o d\\\\d\\t\\nq')
        for d in "$odd" stacked covered/below plain; do mkdir -p "$d"; done
        mount -t tmpfs -o mode=1777 none "$odd"
        mkdir "$odd/deep 1"
        mount -t tmpfs -o mode=1777,noatime none "$odd/deep 1"
        mount -t tmpfs -o mode=1777 none stacked
        mount -t tmpfs -o mode=1777,noexec,nodiratime none stacked
        mount -t tmpfs -o mode=1777 none covered/below
        mount -t tmpfs -o mode=1777 none covered
        mkdir covered/here
        mount -t tmpfs -o mode=1777 none covered/here
        mount -t tmpfs -o mode=1777,ro none plain
        """
            .formatted(source);
    String write =
        """
        cd /data
        for d in . * */*; do test ! -d "$d" || ! touch "$d/written" 2>/dev/null || echo "$d"; done
        """;
    SandboxSpec readOnly =
        hostPrograms(user).mount(bind(source, "/data", Access.READ_ONLY)).build();
    Ended written =
        sandbox(user, readOnly, write + "cat /proc/self/mountinfo; ls -d /data/*/*/")
            .after(script)
            .through(PRIVATE_MOUNTS)
            .end()
            .good();
    List<String> lines = written.lines();
    assertTrue(lines.getFirst().contains(" - "), "written: " + lines.getFirst());
    assertTrue(option(lines, "/data/stacked", "noexec"), written.output());
    assertTrue(option(lines, "/data/stacked", "nodiratime"), written.output());
    assertTrue(lines.contains("/data/covered/here/"), written.output());
    SandboxSpec writable =
        hostPrograms(user).mount(bind(source, "/data", Access.READ_WRITE)).build();
    Ended others =
        sandbox(user, writable, write + "cat /proc/self/mountinfo")
            .after(script)
            .through(PRIVATE_MOUNTS)
            .end()
            .good();
    assertFalse(others.lines().contains("plain"), "a mount that was read-only stays so");
    assertTrue(others.lines().contains("stacked"), others.output());
    for (String line : others.lines()) {
      boolean isInside = line.contains(" - ") && line.split(" ", -1)[4].startsWith("/data");
      // What is covered cannot be reached, and is not changed by every strategy.
      if (isInside && !line.contains(" /data/covered/below ")) {
        assertTrue(line.contains("nosuid") || line.contains(" /data/stacked "), line);
      }
    }
  }

  /** Whether the last mount at {@code point} has {@code option}. */
  private static boolean option(List<String> mounts, String point, String option) {
    return List.of(
            mounts.stream()
                .filter(line -> line.contains(" " + point + " "))
                .reduce((_, last) -> last)
                .orElseThrow()
                .split(" ", -1)[5]
                .split(",", -1))
        .contains(option);
  }

  /** What the user may not reach is not in the way of the rest. */
  @EachUser
  void subMountsInUnsearchableDirectoriesAreNoHindrance(User user) throws Exception {
    Required.that(User.isRoot(), "to be root, for a sub-mount");
    Path source = folder(user, "source");
    folder(User.CURRENT, "source/closed");
    folder(User.CURRENT, "source/closed/inner");
    String script =
        "mount -t tmpfs -o mode=1777 none '%1$s/closed/inner'; chmod 0700 '%1$s/closed'"
            .formatted(source);
    SandboxSpec readOnly =
        hostPrograms(user).mount(bind(source, "/data", Access.READ_ONLY)).build();
    Ended refused =
        sandbox(user, readOnly, "touch /data/closed/inner/file")
            .after(script)
            .through(PRIVATE_MOUNTS)
            .end();
    assertEquals(1, refused.status(), refused.toString());
    assertTrue(
        refused.error().contains(user == User.NOBODY ? "Permission denied" : "Read-only"),
        refused.error());
  }

  /** Through a descriptor that the launcher forgot, the command would start outside. */
  @EachUser
  void noDescriptorIsLeftToStartIn(User user) throws Exception {
    Path source = folder(user, "source");
    for (int number = 3; number <= 70; number++) {
      Files.createSymbolicLink(source.resolve("to" + number), Path.of("/proc/self/fd/" + number));
    }
    for (int number : new int[] {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 64, 65}) {
      SandboxSpec spec =
          hostPrograms(user)
              .mount(bind(source, "/data", Access.READ_ONLY))
              .mount(bind(source, "/data/again", Access.READ_WRITE))
              .workingDirectory(OsString.of("/data/to" + number))
              .build();
      Files.createDirectories(source.resolve("again"));
      Ended ended = sandbox(user, spec, "pwd -P; ls").end();
      assertEquals(125, ended.status(), ended.toString());
    }
    removeLinks(source);
  }

  /** JUnit warns of each that leads out of what it removes. */
  static void removeLinks(Path folder) throws IOException {
    List<Path> links;
    try (Stream<Path> files = Files.list(folder)) {
      links = files.filter(Files::isSymbolicLink).toList();
    }
    for (Path link : links) {
      Files.delete(link);
    }
  }

  /** Nor one that took the number of a standard descriptor which the caller had closed. */
  @EachUser
  void closedStandardDescriptorsAreNoWayOut(User user) throws Exception {
    Path source = folder(user, "source");
    for (int number = 0; number <= 2; number++) {
      Files.createSymbolicLink(source.resolve("to" + number), Path.of("/proc/self/fd/" + number));
    }
    MountOperation data = bind(source, "/data", Access.READ_WRITE);
    for (String closed : List.of("exec 0<&-", "exec 1>&-", "exec 2>&-", "exec 0<&- 1>&- 2>&-")) {
      for (int number = 0; number <= 2; number++) {
        SandboxSpec spec =
            hostPrograms(user)
                .mount(data)
                .workingDirectory(OsString.of("/data/to" + number))
                .build();
        Ended ended = sandbox(user, spec, "ls .. >/data/out").after(closed).end();
        assertEquals(125, ended.status(), closed + " " + number + ": " + ended);
      }
      SandboxSpec plain = hostPrograms(user).mount(data).build();
      Ended works = sandbox(user, plain, "ls /proc/self/fd >/data/out").after(closed).end().good();
      assertEquals("", works.output() + works.error());
      String open = Files.readString(source.resolve("out"));
      assertTrue(open.lines().count() <= 4, open);
      assertTrue(open.lines().allMatch(line -> line.matches("[0-3]")), open);
    }
    removeLinks(source);
  }

  @EachUser
  void setUserIdBitsAndDevicesCountForNothing(User user) throws Exception {
    Path source = folder(user, "source");
    Ended options =
        inside(
            user,
            hostPrograms(user).mount(bind(source, "/data", Access.READ_WRITE)).build(),
            "cat /proc/self/mountinfo");
    String line =
        options.lines().stream().filter(l -> l.contains(" /data ")).findFirst().orElseThrow();
    assertTrue(line.split(" ", -1)[5].contains("nosuid"), line);
    assertTrue(line.split(" ", -1)[5].contains("nodev"), line);
  }

  @EachUser
  void startsWhereTheCallerIsOrAtHomeOrAtTheRoot(User user) throws Exception {
    SandboxSpec spec = hostPrograms(user).mount(directory("/home/me")).build();
    Path elsewhere = folder(user, "elsewhere");
    assertEquals("/usr\n", sandbox(user, spec, "pwd -P").in(Path.of("/usr")).end().output());
    assertEquals(
        "/home/me\n",
        sandbox(user, spec, "pwd -P").in(elsewhere).with("HOME", "/home/me").end().output());
    assertEquals(
        "/\n", sandbox(user, spec, "pwd -P").in(elsewhere).with("HOME", "/none").end().output());
    assertEquals("/\n", sandbox(user, spec, "pwd -P").in(elsewhere).end().output());
  }

  @EachUser
  void startsWhereItIsTold(User user) throws Exception {
    SandboxSpec.Builder spec = hostPrograms(user);
    SandboxSpec there = spec.workingDirectory(OsString.of("/usr")).build();
    assertEquals("/usr\n", sandbox(user, there, "pwd -P").in(Path.of("/etc")).end().output());
    for (String missing : List.of("/none", "/etc/passwd")) {
      SandboxSpec wrong = spec.workingDirectory(OsString.of(missing)).build();
      Ended ended = sandbox(user, wrong, "echo happened").end();
      assertEquals(125, ended.status(), ended.toString());
      assertEquals("", ended.output());
      assertTrue(ended.error().contains(missing), ended.error());
    }
  }

  @EachUser
  void childrenAreNotIgnored(User user) throws Exception {
    requireWorking(user);
    Path launcher = launcher(user, hostPrograms(user).build()).orElseThrow();
    // Without a shell inside, which would stop ignoring it by itself.
    Ended status =
        run(user, launcher, "/bin/cat", "/proc/self/status").after("trap '' CHLD HUP").end().good();
    long ignored = Long.parseUnsignedLong(status.value("SigIgn:"), 16);
    assertEquals(0, ignored >> 16 & 1, "SIGCHLD");
    assertEquals(1, ignored & 1, "SIGHUP, as nohup wants it");
  }

  @EachUser
  void theUmaskIsTheCallersAndChangesNothingInTheSandbox(User user) throws Exception {
    SandboxSpec spec =
        hostPrograms(user)
            .mount(new MountOperation.Directory(Destination.of("/made/deep/er"), 0710))
            .mount(new MountOperation.Directory(Destination.of("/sticky"), 01777))
            .mount(tmpfs("/on/tmpfs"))
            .mount(bind(folder(user, "source"), "/to/source", Access.READ_WRITE))
            .build();
    Ended ended =
        sandbox(
                user,
                spec,
                "umask; stat -c '%a %n' / /made /made/deep /made/deep/er /sticky /on /on/tmpfs /to")
            .after("umask 0137")
            .end()
            .good();
    assertEquals(
        List.of(
            "0137",
            "755 /",
            "750 /made",
            "750 /made/deep",
            "710 /made/deep/er",
            "1777 /sticky",
            "755 /on",
            "755 /on/tmpfs",
            "755 /to"),
        ended.lines());
  }

  private static String namespace(String word) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/self/ns", word)).toString();
  }

  @EachUser
  void theCommandHasTheNamespacesThatWereAskedFor(User user) throws Exception {
    List<String> words = List.of("net", "ipc", "uts", "cgroup", "pid");
    String script = "for n in net ipc uts cgroup pid mnt user; do readlink /proc/self/ns/$n; done";
    List<List<Namespace>> wishes = new ArrayList<>();
    wishes.add(List.of());
    for (Namespace namespace : Namespace.values()) {
      wishes.add(List.of(namespace));
    }
    wishes.add(List.of(Namespace.values()));
    for (List<Namespace> wish : wishes) {
      SandboxSpec.Builder spec = hostPrograms(user);
      wish.forEach(spec::unshare);
      List<String> links = inside(user, spec.build(), script).lines();
      for (int i = 0; i < words.size(); i++) {
        String word = words.get(i);
        boolean wanted = wish.stream().anyMatch(namespace -> namespace.word().equals(word));
        assertEquals(!wanted, links.get(i).equals(namespace(word)), word + " with " + wish);
      }
      assertNotEquals(namespace("mnt"), links.get(5));
      assertEquals(
          host(user).needs(Workaround.NO_USER_NAMESPACE), namespace("user").equals(links.get(6)));
    }
  }

  @EachUser
  void theHostNameIsOnlyTheSandboxes(User user) throws Exception {
    Path name = Path.of("/proc/sys/kernel/hostname");
    String before = Files.readString(name);
    SandboxSpec spec = hostPrograms(user).hostname(OsString.of("a-sandbox")).build();
    assertEquals("a-sandbox\n", inside(user, spec, "uname -n").output());
    assertEquals(before, Files.readString(name));
  }

  @EachUser
  void aNewNetworkHasItsLoopback(User user) throws Exception {
    SandboxSpec spec = hostPrograms(user).unshare(Namespace.NET).build();
    Ended ended = inside(user, spec, "cat /proc/net/fib_trie; tail -n +3 /proc/net/dev");
    assertTrue(ended.output().contains("127.0.0.1"), ended.output());
    assertEquals(
        List.of("lo"),
        ended.lines().stream()
            .filter(line -> line.matches(" *\\w+: .*"))
            .map(line -> line.substring(0, line.indexOf(':')).strip())
            .filter(device -> !device.matches("(sit|tunl|ip6tnl|gre|erspan|ip_vti|ip6_vti)\\w*"))
            .toList());
  }

  @EachUser
  void makesWhatIsMissingAndLeavesWhatIsThere(User user) throws Exception {
    Path bound = folder(user, "bound");
    Files.createDirectory(bound.resolve("there"));
    user.own(mode(bound.resolve("there"), "rwx------"));
    SandboxSpec spec =
        hostPrograms(user)
            .mount(bind(bound, "/data", Access.READ_WRITE))
            .mount(directory("/data/there"))
            .mount(new MountOperation.Directory(Destination.of("/data/new/deep"), 0750))
            .mount(tmpfs("/data/new/deep/tmpfs"))
            .mount(directory("/data/new/deep/tmpfs/inside"))
            .mount(symlink("/nowhere", "/data/link"))
            .mount(symlink("nowhere", "/dangling"))
            .mount(symlink("nowhere", "/dangling"))
            .build();
    Ended ended =
        inside(
            user,
            spec,
            "cd /data && stat -c '%a %n' there new new/deep new/deep/tmpfs/inside"
                + " && readlink link /dangling");
    assertEquals(
        List.of(
            "700 there",
            "750 new",
            "750 new/deep",
            "755 new/deep/tmpfs/inside",
            "/nowhere",
            "nowhere"),
        ended.lines());
    // What is below the tmpfs was never the host's.
    assertEmpty(bound.resolve("new/deep/tmpfs"), spec);
  }

  /** What a command sees of a sandbox that the strategy need not take on. */
  private Optional<Ended> ifPossible(User user, SandboxSpec spec, String script) throws Exception {
    requireWorking(user);
    Optional<Path> launcher = launcher(user, spec);
    return launcher.isPresent()
        ? Optional.of(run(user, launcher.get(), "/bin/sh", "-c", script).end())
        : Optional.empty();
  }

  @EachUser
  void permissionsAreThoseThatWereAskedFor(User user) throws Exception {
    Path bound = folder(user, "bound");
    SandboxSpec spec =
        hostPrograms(user)
            .mount(bind(bound, "/data", Access.READ_WRITE))
            .mount(new MountOperation.Directory(Destination.of("/mine/deep/d"), 0700))
            .mount(new MountOperation.Directory(Destination.of("/data/group/d"), 01750))
            .mount(new MountOperation.Tmpfs(Destination.of("/data/t"), 01777, OptionalLong.empty()))
            .mount(new MountOperation.Tmpfs(Destination.of("/x/t"), 0711, OptionalLong.of(1 << 20)))
            .mount(new MountOperation.Directory(Destination.of("/x/changed"), 0755))
            .mount(new MountOperation.Permissions(Destination.of("/x/changed"), 0701))
            .mount(new MountOperation.Directory(Destination.of("/data/changed"), 0700))
            .mount(symlink("changed", "/data/link"))
            .mount(new MountOperation.Permissions(Destination.of("/data/link"), 03755))
            .build();
    Optional<Ended> ended =
        ifPossible(
            user,
            spec,
            "stat -c '%a %n' /mine /mine/deep /mine/deep/d /data/group /data/group/d /data/t /x"
                + " /x/t /x/changed /data/changed; stat -f -c '%b*%S' /x/t");
    if (ended.isPresent() && canFollowLinks()) {
      List<String> lines = ended.get().good().lines();
      assertEquals(
          List.of(
              "700 /mine",
              "700 /mine/deep",
              "700 /mine/deep/d",
              "750 /data/group",
              "1750 /data/group/d",
              "1777 /data/t",
              "755 /x",
              "711 /x/t",
              "701 /x/changed",
              "3755 /data/changed"),
          lines.subList(0, lines.size() - 1));
      assertEquals("256*4096", lines.getLast());
    }
  }

  /** What is at the end of a link out of the sandbox stays as it is. */
  @EachUser
  void permissionsOfTheHostsFilesStayAsTheyAre(User user) throws Exception {
    requireWorking(user);
    Path victim = folder(user, "victim");
    Path planted = plant(user, victim);
    for (String link : List.of("absolute", "up", "magic", "oldroot", "sideways")) {
      SandboxSpec spec =
          hostPrograms(user)
              .mount(bind(planted, "/data", Access.READ_WRITE))
              .mount(new MountOperation.Permissions(Destination.of("/data/" + link), 0777))
              .build();
      Optional<Ended> ended = ifPossible(user, spec, "echo happened");
      ended.ifPresent(one -> assertEquals(125, one.status(), link + ": " + one));
      assertEquals(
          PosixFilePermissions.fromString("rwxr-xr-x"), Files.getPosixFilePermissions(victim));
    }
  }

  @EachUser
  void permissionsOfNothingAreAMistake(User user) throws Exception {
    Path bound = folder(user, "bound");
    MountOperation data = bind(bound, "/data", Access.READ_WRITE);
    for (MountOperation wrong :
        List.of(
            new MountOperation.Permissions(Destination.of("/data/none"), 0777),
            new MountOperation.RemountReadOnly(Destination.of("/data/none")))) {
      if (canRemountBinds()) {
        SandboxSpec spec = hostPrograms(user).mount(data).mount(wrong).build();
        Optional<Ended> ended = ifPossible(user, spec, "echo happened");
        ended.ifPresent(one -> assertEquals(125, one.status(), wrong + ": " + one));
        assertEmpty(bound, wrong);
      }
    }
  }

  /** Whether {@code mount_setattr} is there for what was bound. */
  private boolean canRemountBinds() {
    return !workarounds.contains(Workaround.REMOUNT_EACH);
  }

  @EachUser
  void oneMountCanBeMadeReadOnly(User user) throws Exception {
    Path bound = folder(user, "bound");
    user.own(Files.createDirectory(bound.resolve("below")));
    SandboxSpec.Builder spec =
        hostPrograms(user)
            .mount(tmpfs("/t"))
            .mount(directory("/t/d"))
            .mount(tmpfs("/t/below"))
            .mount(new MountOperation.RemountReadOnly(Destination.of("/t")));
    Optional<Ended> ended = ifPossible(user, spec.build(), "touch /t/below/x && ! touch /t/d/x");
    ended.ifPresent(Ended::good);
    if (canRemountBinds()) {
      spec.mount(bind(bound, "/data", Access.READ_WRITE))
          .mount(tmpfs("/data/below"))
          .mount(new MountOperation.RemountReadOnly(Destination.of("/data")));
      ended = ifPossible(user, spec.build(), "touch /data/below/x && ! touch /data/x");
      ended.ifPresent(Ended::good);
      assertFalse(Files.exists(bound.resolve("x")));
      spec.mount(new MountOperation.RemountReadOnly(Destination.of("/data/below/none")));
      ended = ifPossible(user, spec.build(), "echo happened");
      ended.ifPresent(one -> assertEquals(125, one.status(), one.toString()));
      SandboxSpec noMount =
          hostPrograms(user)
              .mount(bind(bound, "/data", Access.READ_WRITE))
              .mount(new MountOperation.RemountReadOnly(Destination.of("/data/below")))
              .build();
      ended = ifPossible(user, noMount, "echo happened");
      ended.ifPresent(one -> assertEquals(125, one.status(), one.toString()));
    }
  }

  /** Also as the root, which what is made in it later cannot be. */
  @EachUser
  void theRootCanBeMadeReadOnly(User user) throws Exception {
    SandboxSpec spec =
        hostPrograms(user)
            .mount(tmpfs("/t"))
            .mount(new MountOperation.Proc(Destination.of("/proc")))
            .mount(new MountOperation.RemountReadOnly(Destination.of("/")))
            .build();
    ifPossible(user, spec, "touch /t/x && ! touch /x && ! mkdir /d").ifPresent(Ended::good);
  }

  @EachUser
  void linksThatAreThereMustBeTheSame(User user) throws Exception {
    Path bound = folder(user, "bound");
    Files.createSymbolicLink(bound.resolve("link"), Path.of("/some/where"));
    file(user, bound.resolve("file"), "");
    SandboxSpec.Builder spec = hostPrograms(user).mount(bind(bound, "/data", Access.READ_WRITE));
    SandboxSpec same = spec.mount(symlink("/some/where", "/data/link")).build();
    ifPossible(user, same, "test \"$(readlink /data/link)\" = /some/where").ifPresent(Ended::good);
    for (String other : List.of("/some", "/some/where/", "/some/wherf", "x")) {
      SandboxSpec differs =
          hostPrograms(user)
              .mount(bind(bound, "/data", Access.READ_WRITE))
              .mount(symlink(other, "/data/link"))
              .build();
      refusesLink(user, differs, "existing destination is /some/where");
    }
    SandboxSpec file =
        hostPrograms(user)
            .mount(bind(bound, "/data", Access.READ_WRITE))
            .mount(symlink("x", "/data/file"))
            .build();
    refusesLink(user, file, "destination exists and is not a symlink");
    assertEquals(Path.of("/some/where"), Files.readSymbolicLink(bound.resolve("link")));
  }

  private void refusesLink(User user, SandboxSpec spec, String why) throws Exception {
    Optional<Ended> ended = ifPossible(user, spec, "echo happened");
    if (ended.isPresent()) {
      assertEquals(125, ended.get().status(), ended.toString());
      // An older bubblewrap says only that it is there.
      if (!strategy.name().equals("bwrap")) {
        assertTrue(ended.get().error().contains("Can't make symlink at /data/"), why);
        assertTrue(ended.get().error().contains(why), ended.toString());
      }
    }
  }

  @EachUser
  void messageQueuesAreTheSandboxesOwn(User user) throws Exception {
    SandboxSpec spec =
        hostPrograms(user)
            .unshare(Namespace.IPC)
            .mount(new MountOperation.MessageQueues(Destination.of("/queues/here")))
            .build();
    ifPossible(user, spec, "touch /queues/here/q && cat /queues/here/q | grep -q QSIZE")
        .ifPresent(Ended::good);
    SandboxSpec withCapability =
        hostPrograms(user)
            .unshare(Namespace.IPC)
            .privileges(some -> some.withCapabilities(Set.of(LinuxConstant.CAP_NET_ADMIN)))
            .mount(new MountOperation.MessageQueues(Destination.of("/queues")))
            .build();
    ifPossible(user, withCapability, "touch /queues/another; ls /queues")
        .ifPresent(ended -> assertEquals("another\n", ended.good().output()));
  }

  private MountOperation overlay(String destination, MountOperation.Changes changes, Path... layers)
      throws Exception {
    List<MountOperation.Source> sources = new ArrayList<>();
    for (Path layer : layers) {
      sources.add(HostFiles.inspect(OsString.of(layer)));
    }
    return new MountOperation.Overlay(sources, changes, Destination.of(destination));
  }

  /** Two directories with files of the same and of other names. */
  private List<Path> layers(User user) throws Exception {
    Path lower = folder(user, "lower \":,\\");
    Path higher = folder(user, "higher");
    file(user, lower.resolve("lower"), "1");
    file(user, lower.resolve("both"), "2");
    file(user, higher.resolve("both"), "3");
    return List.of(lower, higher);
  }

  @EachUser
  void overlaysShowTheLastLayerThatHasAName(User user) throws Exception {
    List<Path> layers = layers(user);
    Path bound = folder(user, "bound");
    for (String destination : List.of("/o", "/data/o")) {
      SandboxSpec.Builder spec =
          hostPrograms(user)
              .mount(bind(bound, "/data", Access.READ_WRITE))
              .mount(
                  overlay(
                      destination,
                      MountOperation.Changes.FORBIDDEN,
                      layers.getFirst(),
                      layers.getLast()))
              .workingDirectory(OsString.of(destination));
      ifPossible(user, spec.build(), "cat lower both; ! touch x; ! touch both")
          .ifPresent(ended -> assertEquals("13", ended.good().output()));
    }
  }

  @EachUser
  void changesToOverlaysAreForgotten(User user) throws Exception {
    List<Path> layers = layers(user);
    String root = layers.getFirst().toString();
    SandboxSpec spec =
        hostPrograms(user)
            .mount(overlay("/a/b", MountOperation.Changes.FORGOTTEN, layers.getFirst()))
            .mount(overlay("/c", MountOperation.Changes.FORGOTTEN, layers.getFirst()))
            .mount(new MountOperation.Proc(Destination.of("/proc")))
            .build();
    String script =
        "cd /a/b; printf 4 >both; rm lower; touch new; cat both /c/both; ls;"
            // Neither the layers nor the changes have a name of their own.
            + " grep overlay /proc/self/mountinfo | grep -c upperdir=self/; grep -c '"
            + directory
            + "' /proc/self/mountinfo";
    Optional<Ended> ended = ifPossible(user, spec, script);
    if (ended.isPresent()) {
      assertEquals("42both\nnew\n2\n0\n", ended.get().output(), ended.toString());
    }
    assertEquals("2", Files.readString(Path.of(root).resolve("both")));
    assertTrue(Files.exists(Path.of(root).resolve("lower")));
  }

  @EachUser
  void changesToOverlaysAreKept(User user) throws Exception {
    List<Path> layers = layers(user);
    Path upper = folder(user, "upper,\"x\"");
    Path work = folder(user, "work:\\");
    MountOperation.Changes changes =
        MountOperation.Changes.keptIn(
            HostFiles.inspect(OsString.of(upper)), HostFiles.inspect(OsString.of(work)));
    SandboxSpec.Builder spec =
        hostPrograms(user).mount(overlay("/o", changes, layers.getFirst(), layers.getLast()));
    Optional<Ended> ended =
        ifPossible(user, spec.build(), "cd /o && printf 4 >both && cat both lower");
    if (ended.isPresent()) {
      assertEquals("41", ended.get().good().output());
      assertEquals("4", Files.readString(upper.resolve("both")));
      assertEquals("3", Files.readString(layers.getLast().resolve("both")));
      assertEquals("4", inside(user, spec.build(), "cat /o/both").output());
    }
  }

  /** Also as the root, with nothing else in it. */
  @EachUser
  void anOverlayCanBeTheRoot(User user) throws Exception {
    List<Path> layers = layers(user);
    for (MountOperation.Changes changes :
        List.of(MountOperation.Changes.FORGOTTEN, MountOperation.Changes.FORBIDDEN)) {
      for (Path layer : layers) {
        for (MountOperation program : user.programs()) {
          Path place = layer.resolve(program.destination().relative().toString());
          Files.createDirectories(place.getParent());
          if (program instanceof MountOperation.Symlink link) {
            if (!Files.isSymbolicLink(place)) {
              Files.createSymbolicLink(place, Path.of(link.target().toString()));
            }
          } else {
            Files.createDirectories(place);
          }
        }
      }
      SandboxSpec spec =
          SandboxSpec.builder()
              .mount(overlay("/", changes, layers.getFirst(), layers.getLast()))
              .mounts(user.programs())
              .build();
      Optional<Ended> ended =
          ifPossible(user, spec, "cd /..; cat both; touch x && echo; ls -d /root /home");
      ended.ifPresent(
          one -> assertEquals(changes.allowed() ? "3\n" : "3", one.output(), one.toString()));
    }
  }

  @EachUser
  void aRootThatWasCoveredIsGone(User user) throws Exception {
    SandboxSpec spec =
        SandboxSpec.builder()
            .mount(bind(Path.of("/"), "/", Access.READ_WRITE))
            .mount(tmpfs("/"))
            .mounts(user.programs())
            .mount(directory("/only-inside"))
            .build();
    if (launcher(user, spec).isPresent()) {
      Ended ended =
          inside(user, spec, "cd /; cd ../..; test ! -e root && ls -d only-inside; pwd -P");
      assertEquals(List.of("only-inside", "/"), ended.lines());
    }
  }

  @EachUser
  void laterMountsCoverEarlierOnes(User user) throws Exception {
    Path one = folder(user, "one");
    Path two = folder(user, "two");
    file(user, one.resolve("name"), "one\n");
    file(user, two.resolve("name"), "two\n");
    Files.createDirectory(one.resolve("sub"));
    MountOperation first = bind(one, "/data", Access.READ_ONLY);
    MountOperation second = bind(two, "/data", Access.READ_ONLY);
    String name = "cat /data/name";
    SandboxSpec.Builder builder = hostPrograms(user).mount(first).mount(second);
    assertEquals("two\n", inside(user, builder.build(), name).output());
    SandboxSpec reversed = hostPrograms(user).mount(second).mount(first).build();
    assertEquals("one\n", inside(user, reversed, name).output());
    SandboxSpec below =
        hostPrograms(user).mount(first).mount(bind(two, "/data/sub", Access.READ_ONLY)).build();
    assertEquals("one\ntwo\n", inside(user, below, "cat /data/name /data/sub/name").output());
    SandboxSpec hidden = builder.mount(tmpfs("/data")).mount(directory("/data/d")).build();
    assertEquals("d\n", inside(user, hidden, "ls /data").output());
  }

  @EachUser
  void theRootCanBeBoundOver(User user) throws Exception {
    SandboxSpec spec =
        SandboxSpec.builder()
            .mount(tmpfs("/hidden"))
            .mount(bind(Path.of("/"), "/", Access.READ_ONLY))
            .mount(bind(folder(user, "source"), "/mnt", Access.READ_WRITE))
            .build();
    Ended ended = inside(user, spec, "cd /..; pwd -P; ls -d /usr /hidden; touch /mnt/x");
    assertEquals(List.of("/", "/usr"), ended.lines());
    assertTrue(Files.exists(directory.resolve("source/x")));
  }

  /** A directory whose links lead to {@code victim}, out of the sandbox. */
  private Path plant(User user, Path victim) throws IOException {
    Path planted = folder(user, "planted");
    String up = "../".repeat(20);
    Files.createSymbolicLink(planted.resolve("absolute"), victim);
    Files.createSymbolicLink(planted.resolve("up"), Path.of(up + victim.toString().substring(1)));
    Files.createSymbolicLink(planted.resolve("magic"), Path.of("/proc/self/root" + victim));
    // Where bubblewrap has the host's root while it makes the mounts.
    Files.createSymbolicLink(planted.resolve("oldroot"), Path.of("/oldroot" + victim));
    Files.createSymbolicLink(planted.resolve("dangling"), victim.resolve("new"));
    Files.createSymbolicLink(planted.resolve("sideways"), Path.of("absolute"));
    return planted;
  }

  private List<MountOperation> attacks(User user, String destination) throws Exception {
    Path source = directory.resolve("victim-source");
    Path file = directory.resolve("victim-file");
    if (!Files.exists(source)) {
      folder(user, "victim-source");
      file(user, file, "");
    }
    return List.of(
        directory(destination),
        tmpfs(destination),
        symlink("target", destination),
        bind(source, destination, Access.READ_WRITE),
        bind(file, destination, Access.READ_WRITE),
        overlay(destination, MountOperation.Changes.FORGOTTEN, source),
        new MountOperation.MessageQueues(Destination.of(destination)),
        new MountOperation.Devices(Destination.of(destination)));
  }

  /** CVE-2026-87766. A strategy may refuse such a destination, or fail; it must not go there. */
  @EachUser
  void plantedLinksLeadNowhere(User user) throws Exception {
    requireWorking(user);
    Path victim = folder(user, "victim");
    Path planted = plant(user, victim);
    for (String link : List.of("absolute", "up", "magic", "oldroot", "dangling", "sideways")) {
      for (String below : List.of("", "/pwned", "/pwned/deeper")) {
        for (MountOperation attack : attacks(user, "/data/" + link + below)) {
          SandboxSpec spec =
              hostPrograms(user)
                  .mount(bind(planted, "/data", Access.READ_WRITE))
                  .mount(attack)
                  .build();
          Optional<Path> launcher = launcher(user, spec);
          if (launcher.isPresent()) {
            Ended ended = run(user, launcher.get(), "/bin/true").end();
            assertTrue(Set.of(0, 125).contains(ended.status()), attack + ": " + ended);
            Files.delete(launcher.get());
          }
          assertEmpty(victim, attack);
        }
      }
    }
  }

  private static void assertEmpty(Path directory, Object cause) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      assertEquals(List.of(), entries.toList(), () -> "made by " + cause);
    }
  }

  /** Each link alone leads nowhere but to the next; the last one is in another bind. */
  @EachUser
  void chainsOfPlantedLinksLeadNowhere(User user) throws Exception {
    requireWorking(user);
    Path victim = folder(user, "victim");
    Path first = folder(user, "first");
    Path second = folder(user, "second");
    user.own(Files.createDirectory(first.resolve("y")));
    Files.createSymbolicLink(first.resolve("x"), Path.of("y/z"));
    for (String root : List.of("", "/oldroot", "/proc/self/root")) {
      Files.deleteIfExists(second.resolve("z"));
      Files.createSymbolicLink(second.resolve("z"), Path.of(root + victim));
      List<MountOperation> inBind =
          List.of(
              bind(first, "/data", Access.READ_WRITE),
              bind(second, "/data/y", Access.READ_WRITE),
              directory("/data/x/pwned"));
      List<MountOperation> inLink =
          List.of(
              bind(second, "/data", Access.READ_WRITE),
              symlink("data", "/link"),
              directory("/link/z/pwned"));
      for (List<MountOperation> mounts : List.of(inBind, inLink)) {
        SandboxSpec spec = hostPrograms(user).mounts(mounts).build();
        Optional<Path> launcher = launcher(user, spec);
        if (launcher.isPresent()) {
          run(user, launcher.get(), "/bin/true").end();
        }
        assertEmpty(victim, mounts);
      }
    }
  }

  /** procfs has links of its own that lead anywhere. */
  @EachUser
  void linksIntoProcLeadNowhere(User user) throws Exception {
    requireWorking(user);
    Path victim = folder(user, "victim");
    Path planted = folder(user, "planted");
    for (String link : List.of("proc/self/root", "proc/self/cwd", "proc/thread-self/root")) {
      for (String root : List.of("", "/oldroot")) {
        Files.deleteIfExists(planted.resolve("x"));
        Files.createSymbolicLink(planted.resolve("x"), Path.of(link + root + victim));
        for (MountOperation proc :
            List.of(
                new MountOperation.Proc(Destination.of("/data/proc")),
                bind(Path.of("/proc"), "/data/proc", Access.DEVICES))) {
          SandboxSpec spec =
              hostPrograms(user)
                  .mount(bind(planted, "/data", Access.READ_WRITE))
                  .mount(proc)
                  .mount(directory("/data/x/pwned"))
                  .build();
          Optional<Path> launcher = launcher(user, spec);
          if (launcher.isPresent()) {
            run(user, launcher.get(), "/bin/true").end();
          }
          assertEmpty(victim, proc);
        }
      }
    }
  }

  /** The links that every distribution has: {@code /bin -> usr/bin}, {@code /var/run -> /run}. */
  @EachUser
  void ordinaryLinksLeadWhereTheyShould(User user) throws Exception {
    Path source = folder(user, "source");
    file(user, source.resolve("content"), "content\n");
    Path bound = folder(user, "bound");
    Files.createDirectories(bound.resolve("usr/bin/here"));
    Files.createSymbolicLink(bound.resolve("bin"), Path.of("usr/bin"));
    if (!canFollowLinks()) {
      return;
    }
    SandboxSpec relative =
        hostPrograms(user)
            .mount(bind(bound, "/data", Access.READ_ONLY))
            .mount(bind(source, "/data/bin/here", Access.READ_ONLY))
            .build();
    assertEquals("content\n", inside(user, relative, "cat /data/usr/bin/here/content").output());
    Files.createSymbolicLink(bound.resolve("run"), Path.of("/run/here"));
    SandboxSpec absolute =
        hostPrograms(user)
            .mount(directory("/run/here/it-is"))
            .mount(bind(bound, "/var", Access.READ_ONLY))
            .mount(bind(source, "/var/run/it-is", Access.READ_ONLY))
            .build();
    if (!canFollowAbsoluteLinks()) {
      return;
    }
    assertEquals("content\n", inside(user, absolute, "cat /run/here/it-is/content").output());
    SandboxSpec known =
        hostPrograms(user)
            .mount(directory("/run"))
            .mount(symlink("/run", "/var/run"))
            .mount(bind(source, "/var/run/here", Access.READ_ONLY))
            .build();
    assertEquals("content\n", inside(user, known, "cat /run/here/content").output());
  }

  /** A strategy may refuse to make a tmpfs for another user. */
  @EachUser
  void anotherUserCanPassEveryDirectoryThatWasMade(User user) throws Exception {
    Path source = folder(user, "source");
    SandboxSpec.Builder spec =
        hostPrograms(user)
            .identity(Identity.CALLER.withUid(User.ID).withGid(User.ID))
            .mount(bind(source, "/a/b/c", Access.READ_ONLY))
            .mount(symlink("/usr", "/d/e/f"))
            .mount(bind(source, "/g/h", Access.READ_ONLY));
    String script = "cd /a/b/c; cd /d/e/f; cd /g/h; stat -c %a /a /a/b /d /d/e /g";
    List<String> modes = List.of("755", "755", "755", "755", "755");
    assertEquals(modes, inside(user, spec.build(), script).lines());
    SandboxSpec covered =
        spec.mount(tmpfs("/a")).mount(bind(source, "/a/b/c", Access.READ_ONLY)).build();
    if (launcher(user, covered).isPresent()) {
      assertEquals(modes, inside(user, covered, script).lines());
    }
  }

  /** Whether mounts can be made behind a link at all. */
  boolean canFollowLinks() {
    return true;
  }

  /** Whether mounts can be made behind an absolute link. */
  boolean canFollowAbsoluteLinks() {
    return true;
  }

  /** A directory that can be passed and not read; O_RDONLY would fail (CVE-2026-87766's fix). */
  @EachUser
  void passesDirectoriesItCannotRead(User user) throws Exception {
    Path source = folder(user, "source");
    file(user, source.resolve("content"), "content\n");
    Path parent = Files.createDirectory(directory.resolve("parent"));
    mode(Files.createDirectories(parent.resolve("middle/here")), "rwxr-xr-x");
    mode(parent.resolve("middle"), "rwx--x--x");
    mode(parent, "rwx--x--x");
    SandboxSpec spec =
        hostPrograms(user)
            .mount(bind(parent, "/data", Access.READ_ONLY))
            .mount(bind(source, "/data/middle/here", Access.READ_ONLY))
            .build();
    assertEquals("content\n", inside(user, spec, "cat /data/middle/here/content").output());
  }

  @EachUser
  void bindsWhatIsNoDirectory(User user) throws Exception {
    Path file = file(user, directory.resolve("file"), "content\n");
    Path fifo = directory.resolve("fifo");
    new Run(List.of(Required.program("mkfifo"), fifo.toString())).end().good();
    Path socket = directory.resolve("socket");
    try (ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.bind(UnixDomainSocketAddress.of(socket));
      SandboxSpec spec =
          hostPrograms(user)
              .mount(bind(file, "/files/file", Access.READ_ONLY))
              .mount(bind(fifo, "/files/fifo", Access.READ_WRITE))
              .mount(bind(socket, "/files/socket", Access.READ_WRITE))
              .mount(bind(Path.of("/dev/zero"), "/files/zero", Access.DEVICES))
              .mount(bind(Path.of("/dev/zero"), "/files/closed", Access.READ_WRITE))
              .build();
      Ended ended =
          inside(
              user,
              spec,
              "cd /files && cat file && test -p fifo && test -S socket && test -c zero"
                  + " && head -c 3 zero | wc -c && ! head -c 1 closed 2>/dev/null"
                  + " && ! echo x 2>/dev/null >file");
      assertEquals(List.of("content", "3"), ended.lines());
    }
  }

  @EachUser
  void bindsFilesBelowAndOverBinds(User user) throws Exception {
    Path bound = folder(user, "bound");
    file(user, bound.resolve("old"), "old\n");
    Path file = file(user, directory.resolve("file"), "new\n");
    SandboxSpec spec =
        hostPrograms(user)
            .mount(bind(bound, "/data", Access.READ_WRITE))
            .mount(bind(file, "/data/old", Access.READ_ONLY))
            .mount(bind(file, "/data/made/file", Access.READ_ONLY))
            .build();
    assertEquals("new\nnew\n", inside(user, spec, "cat /data/old /data/made/file").output());
    // As with bubblewrap, the mount points stay in what is bound writable.
    assertEquals("old\n", Files.readString(bound.resolve("old")));
    assertEquals("", Files.readString(bound.resolve("made/file")));
  }

  /** It ends at the host's root, and must not end at the sandbox's. */
  @EachUser
  void sourcesThroughTooManyParentsAreTheHosts(User user) throws Exception {
    Path source = folder(user, "source");
    file(user, source.resolve("content"), "content\n");
    Path link = directory.resolve("link");
    Files.createSymbolicLink(link, Path.of("../".repeat(40) + source.toString().substring(1)));
    SandboxSpec spec =
        hostPrograms(user)
            .mount(directory(source.toString()))
            .mount(bind(link, "/data", Access.READ_ONLY))
            .build();
    assertEquals("content\n", inside(user, spec, "cat /data/content").output());
  }

  @EachUser
  void aStepThatFailsLeavesNothingBehind(User user) throws Exception {
    requireWorking(user);
    Path source = folder(user, "source");
    Path vanishing = folder(user, "vanishing");
    SandboxSpec spec =
        hostPrograms(user)
            .mount(bind(source, "/data", Access.READ_WRITE))
            .mount(bind(vanishing, "/vanished", Access.READ_WRITE))
            .mount(directory("/data/after"))
            .build();
    Path launcher = launcher(user, spec).orElseThrow(() -> refused(user, spec));
    Files.delete(vanishing);
    String before = mounts();
    Ended ended = run(user, launcher, "/bin/sh", "-c", "echo happened").end();
    assertEquals(125, ended.status(), ended.toString());
    assertEquals("", ended.output());
    assertTrue(ended.error().contains(vanishing.toString()), ended.error());
    assertTrue(isFailure(ended.error()), ended.error());
    assertEquals(before, mounts());
    assertEmpty(source, spec);
    assertFalse(Files.exists(vanishing));
  }

  /** Whether a message of a step that failed is as it should be. */
  boolean isFailure(String message) {
    String call = ": \\w+\\(.*\\): E[A-Z]+ \\([A-Z].*\\)\n(hint: .*\n)?";
    return message.matches("cloister: " + strategy.name() + ": step \\d+ of \\d+" + call);
  }

  @EachUser
  void theStatusIsTheCommands(User user) throws Exception {
    SandboxSpec spec = hostPrograms(user).build();
    for (int status : new int[] {0, 1, 42, 125, 255}) {
      assertEquals(status, sandbox(user, spec, "exit " + status).end().status());
    }
    Path launcher = launcher(user, spec).orElseThrow();
    assertEquals(127, run(user, launcher, "no-such-command").end().status());
    assertEquals(127, run(user, launcher, "/no/such/command").end().status());
    assertEquals(126, run(user, launcher, "/etc/passwd").end().status());
    assertEquals(125, run(user, launcher).end().status());
  }

  @EachUser
  void theEnvironmentIsWhatTheRulesSay(User user) throws Exception {
    EnvironmentRules rules =
        EnvironmentRules.INHERIT
            .clear()
            .keep(OsString.of("KEPT"))
            .set(OsString.of("PWD"), OsString.of("/set"))
            .set(OsString.of("PATH"), OsString.of("/usr/bin"));
    SandboxSpec spec = hostPrograms(user).environment(rules).build();
    requireWorking(user);
    Path launcher = launcher(user, spec).orElseThrow();
    Ended ended =
        run(user, launcher, "env").with("KEPT", "1").with("GONE", "2").with("PWD", "/x").end();
    assertEquals(
        new TreeSet<>(List.of("KEPT=1", "PWD=/set", "PATH=/usr/bin")),
        new TreeSet<>(ended.good().lines()));
    SandboxSpec empty = hostPrograms(user).environment(EnvironmentRules.INHERIT.clear()).build();
    Ended nothing = run(user, launcher(user, empty).orElseThrow(), "/usr/bin/env").end();
    assertEquals("", nothing.good().output());
  }

  @EachUser
  void theDirectoryIsNamedWhereThatIsAskedFor(User user) throws Exception {
    requireWorking(user);
    EnvironmentRules rules = EnvironmentRules.INHERIT.setToDirectory(OsString.of("PWD"));
    SandboxSpec.Builder spec = hostPrograms(user).environment(rules);
    Path launcher = launcher(user, spec.build()).orElseThrow();
    Run caller = run(user, launcher, "/usr/bin/env").in(Path.of("/usr/bin")).with("PWD", "/x");
    assertEquals(List.of("PATH=/usr/bin:/bin", "PWD=/usr/bin"), sorted(caller.end().good()));
    // That one's directory is none of the sandbox's, and neither is there a home.
    Run root = run(user, launcher, "/usr/bin/env").in(folder(user, "outside"));
    if (strategy.hasOwnView()) {
      assertEquals(List.of("PATH=/usr/bin:/bin", "PWD=/"), sorted(root.end().good()));
    }
    spec.workingDirectory(OsString.of("/usr/lib"));
    Path elsewhere = launcher(user, spec.build()).orElseThrow();
    assertEquals(
        List.of("PATH=/usr/bin:/bin", "PWD=/usr/lib"),
        sorted(run(user, elsewhere, "/usr/bin/env").end().good()));
  }

  private static List<String> sorted(Ended ended) {
    return ended.lines().stream().sorted().toList();
  }

  /** A strategy that cannot leave it to the command refuses to. */
  @EachUser
  void theCallersAuthorityIsKeptOrRefused(User user) throws Exception {
    requireWorking(user);
    String rights =
        "grep -E '^(Uid|Gid|Groups|Cap)' /proc/self/status; readlink /proc/self/ns/user";
    SandboxSpec spec =
        hostPrograms(user)
            .privileges(
                Privileges.NONE.withAuthority(
                    Authority.ALL_OF_CALLERS, Privileges.allCapabilities()))
            .build();
    Optional<Path> launcher = launcher(user, spec);
    boolean can =
        user.caller().isPrivileged() && !Set.of("bwrap", "landlock").contains(strategy.name());
    assertEquals(can, launcher.isPresent());
    if (can) {
      String outside = new Run(List.of("/bin/sh", "-c", rights)).end().good().output();
      Ended inside = run(user, launcher.orElseThrow(), "/bin/sh", "-c", rights).end().good();
      assertEquals(outside, inside.output());
    }
  }

  @EachUser
  void argumentsArePassedOn(User user) throws Exception {
    requireWorking(user);
    Path launcher = launcher(user, hostPrograms(user).build()).orElseThrow();
    Ended ended =
        run(user, launcher, "/usr/bin/printf", "<%s>", "", "--bind", "a b", "é\n", "--").end();
    assertEquals("<><--bind><a b><é\n><-->", ended.output());
  }

  @EachUser
  void minimalDevicesWork(User user) throws Exception {
    SandboxSpec spec =
        hostPrograms(user).mount(new MountOperation.Devices(Destination.of("/d"))).build();
    String script =
        "cd /d && ls && head -c 2 zero | wc -c && echo x >null && test -w full"
            + " && head -c 4 urandom | wc -c && readlink fd ptmx && stat -c %a shm";
    Ended ended = inside(user, spec, script);
    List<String> names =
        List.of(
            "core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin",
            "stdout", "tty", "urandom", "zero");
    List<String> seen = new ArrayList<>(ended.lines());
    // bubblewrap adds the console where there is one.
    seen.remove("console");
    List<String> expected = new ArrayList<>(names);
    expected.addAll(List.of("2", "4", "/proc/self/fd", "pts/ptmx", "1777"));
    assertEquals(expected, seen);
  }

  /** As a file system sees it: not a mapped id, but another user. */
  @Test
  void rootReallyBecomesTheOtherUser() throws Exception {
    Required.that(User.isRoot(), "to be root");
    Path source = folder(User.CURRENT, "source");
    mode(source, "rwxrwxrwx");
    Path secret = file(User.CURRENT, source.resolve("secret"), "secret\n");
    mode(secret, "rw-------");
    SandboxSpec spec =
        hostPrograms(User.CURRENT)
            .identity(Identity.CALLER.withUid(User.ID).withGid(User.ID))
            .mount(bind(source, DATA.toString(), Access.READ_WRITE))
            .build();
    Ended ended = sandbox(User.CURRENT, spec, "touch /data/made; cat /data/secret; id -G").end();
    assertEquals(List.of(Long.toString(User.ID)), ended.lines(), ended.error());
    Path made = source.resolve("made");
    assertEquals((int) User.ID, Files.getAttribute(made, "unix:uid", LinkOption.NOFOLLOW_LINKS));
    assertEquals((int) User.ID, Files.getAttribute(made, "unix:gid", LinkOption.NOFOLLOW_LINKS));
  }

  @Test
  void rootCannotChangeTheKernel() throws Exception {
    Required.that(User.isRoot(), "to be root");
    SandboxSpec spec = hostPrograms(User.CURRENT).build();
    for (String file : List.of("/proc/sys/kernel/core_pattern", "/sys/power/state")) {
      // Without the sandbox root may, which is all that this looks for; nothing is written.
      assertTrue(Files.isWritable(Path.of(file)), file);
      Ended ended = sandbox(User.CURRENT, spec, ": >>" + file).end();
      assertNotEquals(0, ended.status(), file);
    }
  }

  /** The launcher is started with what a shell opens by these redirections. */
  private static Run opening(Run run, String redirections) {
    return run.through(
        List.of("/bin/bash", "-c", "exec " + redirections + "; exec \"$@\"", "bash"));
  }

  private static MountOperation dataFile(int descriptor, String destination, int mode) {
    return new MountOperation.DataFile(descriptor, Destination.of(destination), mode);
  }

  private static MountOperation dataBind(
      int descriptor, String destination, int mode, Access access) {
    return new MountOperation.DataBind(descriptor, Destination.of(destination), mode, access);
  }

  /** Says which descriptors are open, without one of its own. */
  private static final String OPEN =
      "i=0; while [ $i -lt 120 ]; do [ ! -e /proc/self/fd/$i ] || printf '%s ' $i; i=$((i+1));"
          + " done; echo;";

  @EachUser
  void dataBecomesFiles(User user) throws Exception {
    SandboxSpec spec =
        hostPrograms(user)
            .mount(tmpfs("/t"))
            .mount(dataFile(0, "/t/deep/file", 0640))
            .mount(dataBind(7, "/t/bound", 0604, Access.READ_WRITE))
            .mount(dataBind(12, "/t/fixed", 0444, Access.READ_ONLY))
            .descriptors(
                some -> some.using("--file", 0).using("--bind-data", 7).using("--ro-bind-data", 12))
            .build();
    String script =
        "stat -c '%a %u %n' /t/deep /t/deep/file /t/bound /t/fixed; cat /t/bound /t/fixed;"
            + " echo more >>/t/bound && tail -n 1 /t/bound; wc -c </t/deep/file;"
            + " { echo no >>/t/fixed; } 2>/dev/null || echo fixed;"
            + OPEN;
    Ended ended =
        opening(sandbox(user, spec, script), "< <(seq 100000) 7<<<seven 12<<<twelve").end().good();
    long uid = user.caller().uid();
    assertEquals(
        List.of(
            "750 " + uid + " /t/deep",
            "640 " + uid + " /t/deep/file",
            "604 " + uid + " /t/bound",
            "444 " + uid + " /t/fixed",
            "seven",
            "twelve",
            "more",
            "588895",
            "fixed",
            "1 2"),
        ended.lines().stream().map(String::strip).toList());
  }

  /** Nothing but the file is mounted: where it lies, nobody gets. */
  @EachUser
  void dataIsReachedInNoOtherWay(User user) throws Exception {
    SandboxSpec spec =
        hostPrograms(user)
            .mount(tmpfs("/t"))
            .mount(dataBind(7, "/t/bound", 0644, Access.READ_WRITE))
            .descriptors(some -> some.using("--bind-data", 7))
            .build();
    Ended mounts =
        opening(sandbox(user, spec, "cat /proc/self/mountinfo"), "7<<<secret").end().good();
    List<String> before =
        inside(user, hostPrograms(user).mount(tmpfs("/t")).build(), "cat /proc/self/mountinfo")
            .lines();
    List<String> data =
        mounts.lines().stream().filter(line -> line.split(" ", -1)[4].equals("/t/bound")).toList();
    assertEquals(1, data.size(), mounts::output);
    assertNotEquals("/", data.getFirst().split(" ", -1)[3], mounts::output);
    assertEquals(before.size() + 1, mounts.lines().size(), mounts::output);
  }

  /** A link that is planted where data shall go leads nowhere outside. */
  @EachUser
  void dataIsNotWrittenOutside(User user) throws Exception {
    Path bound = folder(user, "bound");
    Path victim = file(user, directory.resolve("victim"), "mine");
    Files.createSymbolicLink(bound.resolve("absolute"), victim);
    Files.createSymbolicLink(
        bound.resolve("relative"), Path.of("../../../../../../../../.." + victim));
    for (String link : List.of("absolute", "relative")) {
      SandboxSpec spec =
          hostPrograms(user)
              .mount(bind(bound, "/data", Access.READ_WRITE))
              .mount(dataFile(7, "/data/" + link, 0666))
              .descriptors(some -> some.using("--file", 7))
              .build();
      if (launcher(user, spec).isPresent()) {
        Ended ended = opening(sandbox(user, spec, "true"), "7<<<evil").end();
        assertEquals(125, ended.status(), ended.toString());
      }
      assertEquals("mine", Files.readString(victim));
    }
  }

  @EachUser
  void dataOverwritesWhatIsThere(User user) throws Exception {
    Path bound = folder(user, "bound");
    file(user, bound.resolve("file"), "a longer text than that");
    SandboxSpec spec =
        hostPrograms(user)
            .mount(bind(bound, "/data", Access.READ_WRITE))
            .mount(dataFile(7, "/data/file", 0666))
            .mount(dataFile(8, "/data/new/file", 0666))
            .descriptors(some -> some.using("--file", 7).using("--file", 8))
            .build();
    Ended ended = opening(sandbox(user, spec, "cat /data/file"), "7<<<new 8<<<other").end().good();
    assertEquals("new\n", ended.output());
    assertEquals("new\n", Files.readString(bound.resolve("file")));
    assertEquals("other\n", Files.readString(bound.resolve("new/file")));
  }

  @EachUser
  void whatIsNotOpenIsAnError(User user) throws Exception {
    for (int number : new int[] {0, 7}) {
      SandboxSpec spec =
          hostPrograms(user).descriptors(some -> some.holding("--sync-fd", number)).build();
      Ended ended = opening(sandbox(user, spec, "echo ran"), "0<&- 8</").end();
      assertEquals(125, ended.status(), ended.toString());
      assertEquals("", ended.output());
      assertTrue(
          ended.error().contains("--sync-fd " + number + ": not an open descriptor"),
          ended.error());
    }
  }

  /** Specifications that differ in the processes that wait. */
  private List<SandboxSpec.Builder> processes(User user) throws Exception {
    List<SandboxSpec.Builder> all = new ArrayList<>(List.of(hostPrograms(user)));
    all.add(hostPrograms(user).processes(some -> some.inNewSession()));
    if (strategy.hasOwnView()) {
      all.add(hostPrograms(user).unshare(Namespace.PID));
    }
    return all;
  }

  @EachUser
  void whatIsHeldIsOpenUntilTheSandboxIsGone(User user) throws Exception {
    for (SandboxSpec.Builder builder : processes(user)) {
      SandboxSpec spec = builder.descriptors(some -> some.holding("--sync-fd", 9)).build();
      Path closed = directory.resolve("closed");
      Ended ended =
          opening(
                  sandbox(user, spec, OPEN + "sleep 0.3; date +%s%N"),
                  "9> >(cat; date +%s%N >" + closed + ")")
              .end()
              .good();
      assertEquals("0 1 2 ", ended.lines().getFirst());
      HostProcess.await(
          "the end of what was held", () -> Files.exists(closed) && Files.size(closed) > 0);
      long end = Long.parseLong(Files.readString(closed).strip());
      assertTrue(end > Long.parseLong(ended.lines().get(1)), ended::toString);
      Files.delete(closed);
    }
  }

  @EachUser
  void theCommandIsAwaited(User user) throws Exception {
    for (String last : List.of("echo go", "true")) {
      for (SandboxSpec.Builder builder : processes(user)) {
        SandboxSpec spec = builder.descriptors(some -> some.awaiting("--block-fd", 9)).build();
        Ended ended =
            opening(
                    sandbox(user, spec, "date +%s%N;" + OPEN),
                    "9< <(sleep 0.3; date +%s%N >&2; " + last + ")")
                .end()
                .good();
        assertTrue(
            Long.parseLong(ended.error().strip()) < Long.parseLong(ended.lines().getFirst()),
            ended::toString);
        assertEquals("0 1 2 ", ended.lines().get(1));
      }
    }
  }

  private static final String TRY_TO_LOCK =
      "python3 -c 'import fcntl; fcntl.lockf(open(\"%s\", \"r+\"), fcntl.LOCK_EX |"
          + " fcntl.LOCK_NB)' 2>/dev/null && echo free || echo locked";

  @EachUser
  void locksAreHeldWhileTheCommandRuns(User user) throws Exception {
    Path bound = folder(user, "bound");
    Path lock = file(user, bound.resolve("lock"), "");
    file(user, bound.resolve("other"), "");
    for (SandboxSpec.Builder builder : processes(user)) {
      SandboxSpec spec =
          builder
              .mount(bind(bound, "/data", Access.READ_WRITE))
              .processes(some -> some.locking(Destination.of("/data/lock")))
              .build();
      String script =
          TRY_TO_LOCK.formatted("/data/lock") + ";" + TRY_TO_LOCK.formatted("/data/other") + ";";
      Ended ended = inside(user, spec, script + OPEN);
      assertEquals(List.of("locked", "free", "0 1 2 "), ended.lines());
      Run outside = new Run(List.of("/bin/sh", "-c", TRY_TO_LOCK.formatted(lock)));
      assertEquals("free\n", outside.end().output());
    }
  }

  @EachUser
  void aLockThatAnotherHasIsAnError(User user) throws Exception {
    Path bound = folder(user, "bound");
    Path lock = file(user, bound.resolve("lock"), "");
    for (SandboxSpec.Builder builder : processes(user)) {
      SandboxSpec spec =
          builder
              .mount(bind(bound, "/data", Access.READ_WRITE))
              .processes(some -> some.locking(Destination.of("/data/lock")))
              .build();
      String locked =
          "import fcntl, subprocess, sys; lock = open('"
              + lock
              + "', 'r+'); fcntl.lockf(lock, fcntl.LOCK_EX);"
              + " sys.exit(subprocess.call(sys.argv[1:]))";
      Ended ended =
          sandbox(user, spec, "echo ran")
              .through(List.of(Required.program("python3"), "-c", locked))
              .end();
      assertEquals(125, ended.status(), ended.toString());
      assertEquals("", ended.output());
      assertTrue(ended.error().contains("another process has /data/lock locked"), ended::error);
    }
  }

  /** And none of the launcher's, whatever their numbers. */
  @EachUser
  void theCommandInheritsTheCallersDescriptors(User user) throws Exception {
    Path bound = folder(user, "bound");
    file(user, bound.resolve("lock"), "");
    List<SandboxSpec.Builder> all = processes(user);
    if (strategy.hasOwnView()) {
      for (SandboxSpec.Builder builder : processes(user)) {
        all.add(
            builder
                .mount(bind(bound, "/data", Access.READ_WRITE))
                .processes(some -> some.locking(Destination.of("/data/lock"))));
      }
    }
    for (SandboxSpec.Builder builder : all) {
      SandboxSpec spec =
          builder
              .descriptors(
                  some ->
                      some.inheriting()
                          .awaiting("--block-fd", 4)
                          .holding("--sync-fd", 4)
                          .holding("--sync-fd", 11)
                          .holding("--sync-fd", 2))
              .build();
      Ended ended =
          opening(
                  sandbox(user, spec, OPEN + "cat <&5; readlink /proc/self/fd/100"),
                  "3</dev/zero 4<<<go 5<<<five 11</dev/null 63</dev/zero 100</usr")
              .end()
              .good();
      assertEquals(List.of("0 1 3 5 63 100 ", "five", "/usr"), ended.lines(), ended::toString);
    }
  }

  /** Who reads the other end of a pipe need not wait for more than the command. */
  @EachUser
  void whoWaitsKeepsNothingThatTheCommandInherits(User user) throws Exception {
    if (host(user).needs(Workaround.OWN_PROC)) {
      // It cannot tell what is open before there is a /proc.
      return;
    }
    Path bound = folder(user, "bound");
    for (SandboxSpec.Builder builder : processes(user)) {
      SandboxSpec spec = builder.descriptors(some -> some.inheriting()).build();
      String script =
          "exec 9>&-; i=0; while [ $i -lt 50 ] && read line <&8; do [ \"$line\" != end ] ||"
              + " { echo end; exit; }; i=$((i+1)); done";
      Ended ended =
          opening(
                  sandbox(user, spec, script),
                  "9> >(cat; echo end >" + bound + "/fifo) 8<>" + bound + "/fifo")
              .after("rm -f " + bound + "/fifo; mkfifo " + bound + "/fifo")
              .end();
      assertEquals("end\n", ended.output(), ended::toString);
    }
  }

  /** Process 1 of a pid namespace would not hear them. */
  @EachUser
  void signalsEndTheWaitForTheCaller(User user) throws Exception {
    List<SandboxSpec> all = new ArrayList<>();
    for (SandboxSpec.Builder builder : processes(user)) {
      all.add(builder.descriptors(some -> some.awaiting("--block-fd", 9)).build());
    }
    if (strategy.hasOwnView() && !strategy.name().equals("bwrap")) {
      for (SandboxSpec.Builder builder : processes(user)) {
        all.add(
            builder
                .mount(tmpfs("/t"))
                .mount(dataFile(9, "/t/file", 0600))
                .descriptors(some -> some.using("--file", 9))
                .build());
      }
    }
    String script = "exec 9<>\"$0\"; \"$@\" & p=$!; sleep 0.5; kill -s HUP $p; wait $p; echo $?";
    for (SandboxSpec spec : all) {
      Path fifo = directory.resolve("fifo");
      Ended ended =
          sandbox(user, spec, "echo ran")
              .through(List.of("/bin/bash", "-c", script, fifo.toString()))
              .after("[ -p " + fifo + " ] || mkfifo " + fifo)
              .end();
      assertEquals("129\n", ended.output(), ended::toString);
    }
  }
}
