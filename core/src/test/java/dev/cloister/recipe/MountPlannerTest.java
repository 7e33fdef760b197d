package dev.cloister.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Golden;
import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.Listing;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.MountOperation.Source;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What fills the new root. The runs of the strategies show that it works; this, what is done. */
class MountPlannerTest {
  private static final HostReport HOST =
      new HostReport(
          new Caller(0, 0, false, List.of(), true, -1, false, 0),
          List.of("sys", "sysrq-trigger"),
          Optional.empty(),
          _ -> Optional.empty());

  private static final Set<Workaround> OLD_KERNEL =
      Set.of(Workaround.REMOUNT_EACH, Workaround.BIND_BY_PATH, Workaround.WALK_PATHS);

  private static Bind bind(String source, boolean isDirectory, String destination, Access access) {
    return new Bind(
        new Source(OsString.of(source), isDirectory, true), Destination.of(destination), access);
  }

  private static Bind directory(String source, String destination) {
    return bind(source, true, destination, Access.READ_ONLY);
  }

  private static Bind file(String source, String destination) {
    return bind(source, false, destination, Access.READ_WRITE);
  }

  private static Bind linked(String source, String destination) {
    return new Bind(
        new Source(OsString.of(source), true, false),
        Destination.of(destination),
        Access.READ_ONLY);
  }

  private static MountOperation tmpfs(String destination) {
    return new MountOperation.Tmpfs(Destination.of(destination));
  }

  private static MountOperation made(String destination, int mode) {
    return new MountOperation.Directory(Destination.of(destination), mode);
  }

  private static MountOperation link(String target, String destination) {
    return new MountOperation.Symlink(OsString.of(target), Destination.of(destination));
  }

  private static MountOperation proc(String destination) {
    return new MountOperation.Proc(Destination.of(destination));
  }

  private static MountOperation devices(String destination) {
    return new MountOperation.Devices(Destination.of(destination));
  }

  private static SandboxSpec spec(List<MountOperation> operations) {
    return SandboxSpec.builder().mounts(operations).build();
  }

  private static MountPlanner.Result plan(MountOperation... operations) throws PlanException {
    return MountPlanner.plan(spec(List.of(operations)), HOST);
  }

  private static void check(String name, MountOperation... operations) throws Exception {
    check(name, HOST, operations);
  }

  private static void check(String name, HostReport host, MountOperation... operations)
      throws Exception {
    MountPlanner.Result result = MountPlanner.plan(spec(List.of(operations)), host);
    List<String> lines = new ArrayList<>(List.of("before the new root covers the host's:"));
    OsString command = OsString.of("command");
    lines.addAll(Listing.of(new SyscallProgram("early", result.early()), command));
    lines.add("then:");
    lines.addAll(Listing.of(new SyscallProgram("mounts", result.steps()), command));
    lines.add("covering mounts: " + result.coveringMounts());
    Golden.check("mounts-" + name, lines);
  }

  private static String refused(MountOperation... operations) {
    return assertThrows(PlanException.class, () -> plan(operations)).getMessage();
  }

  @Test
  void nothingIsDoneForNothing() throws Exception {
    MountPlanner.Result result = plan();
    assertEquals(List.of(), result.early());
    assertEquals(List.of(), result.steps());
    assertEquals(1, result.coveringMounts());
  }

  private static MountOperation data(String destination, int mode) {
    return new MountOperation.DataFile(5, Destination.of(destination), mode);
  }

  private static MountOperation dataBind(String destination, Access access) {
    return new MountOperation.DataBind(6, Destination.of(destination), 0600, access);
  }

  private static MountOperation[] dataOperations() {
    return new MountOperation[] {
      data("/a/file", 0640),
      dataBind("/b/bound", Access.READ_WRITE),
      directory("/data", "/data"),
      data("/data/deep/file", 0666),
      dataBind("/data/bound", Access.READ_ONLY)
    };
  }

  @Test
  void putsDataIntoFiles() throws Exception {
    check("data", dataOperations());
    check("data-old-kernel", HOST.with(OLD_KERNEL), dataOperations());
  }

  @Test
  void refusesDataWhereADirectoryIs() {
    assertEquals(
        "--file 5 /a: that is a directory in the sandbox", refused(tmpfs("/a"), data("/a", 0666)));
    assertEquals(
        "what --bind-data 6 gives is not a directory, but /a in the sandbox is one",
        refused(tmpfs("/a"), dataBind("/a", Access.READ_WRITE)));
    assertEquals(
        "what --ro-bind-data 6 gives is not a directory: it cannot be the root",
        refused(dataBind("/", Access.READ_ONLY)));
  }

  @Test
  void provesWhatADescriptorLeadsTo() throws Exception {
    Source source = new Source(OsString.of("/data"), true, true).through(9);
    Bind bind = new Bind(source, Destination.of("/data"), Access.READ_ONLY);
    check("descriptor", bind);
    check("descriptor-old-kernel", HOST.with(OLD_KERNEL), bind);
  }

  @Test
  void bindsByPathWhereTheWayIsKnown() throws Exception {
    check(
        "known",
        directory("/usr", "/usr"),
        bind("/data", true, "/a/b/data", Access.READ_WRITE),
        bind("/dev", true, "/a/b/dev", Access.DEVICES),
        file("/etc/hosts", "/etc/hosts"),
        file("/etc/passwd", "/etc/passwd"),
        file("/same", "/etc/passwd"));
  }

  @Test
  void findsTheWayBelowWhatIsTheHosts() throws Exception {
    check(
        "below-binds",
        directory("/usr", "/usr"),
        directory("/opt", "/usr/local/opt"),
        file("/etc/hosts", "/usr/hosts"),
        tmpfs("/usr/tmp"),
        made("/usr/made", 0700),
        link("target", "/usr/link"),
        directory("/again", "/usr"));
  }

  @Test
  void findsTheWayThroughItsOwnLinks() throws Exception {
    check(
        "through-links",
        link("usr/bin", "/bin"),
        link("usr/bin", "/bin"),
        directory("/tools", "/bin"),
        file("/tool", "/bin/tool"),
        made("/bin/made", 0755));
  }

  @Test
  void knowsATmpfsAndNotWhatIsMountedInIt() throws Exception {
    check(
        "tmpfs",
        directory("/usr", "/usr"),
        tmpfs("/usr"),
        directory("/bin", "/usr/bin"),
        made("/usr/bin/made", 0755),
        tmpfs("/usr/bin/deep"));
  }

  @Test
  void theRootCanBeReplaced() throws Exception {
    check(
        "root",
        made("/lost", 0755),
        directory("/", "/"),
        directory("/usr", "/usr"),
        tmpfs("/"),
        directory("/usr", "/usr"),
        directory("/other", "/"),
        file("/file", "/file"));
  }

  @Test
  void clonesEarlyWhatWouldMeanSomethingElseLater() throws Exception {
    check(
        "early",
        directory("/", "/host"),
        linked("/etc/alternatives/java", "/java"),
        linked("/a/../b", "/host/b"),
        directory("/usr", "/usr"),
        linked("/etc/alternatives/java", "/java"));
  }

  @Test
  void proceduresOfProcAndDev() throws Exception {
    check(
        "proc-dev",
        proc("/proc"),
        devices("/dev"),
        file("/dev/kvm", "/dev/kvm"),
        tmpfs("/dev/shm"),
        directory("/usr", "/usr"),
        proc("/usr/proc"),
        devices("/usr/dev"));
  }

  private static final MountOperation[] EVERYTHING = {
    directory("/usr", "/usr"),
    linked("/a/../b", "/b"),
    directory("/opt", "/usr/local/opt"),
    file("/etc/hosts", "/usr/hosts"),
    tmpfs("/usr/tmp"),
    made("/usr/made", 0700),
    link("target", "/usr/link"),
    proc("/proc"),
    devices("/dev"),
    directory("/", "/"),
    bind("/data", true, "/mnt", Access.READ_WRITE),
    bind("/dev/kvm", false, "/mnt/kvm", Access.DEVICES),
    proc("/mnt/proc")
  };

  @ParameterizedTest
  @ValueSource(strings = {"REMOUNT_EACH", "BIND_BY_PATH", "WALK_PATHS"})
  void doesWithoutNewCalls(String workaround) throws Exception {
    check(
        "without-" + workaround.toLowerCase(Locale.ROOT),
        HOST.with(Set.of(Workaround.valueOf(workaround))),
        EVERYTHING);
  }

  @Test
  void stagesFromWithinAChroot() throws Exception {
    check(
        "without-chroot",
        HOST.with(Set.of(Workaround.BIND_BY_PATH, Workaround.LEAVE_CHROOT)),
        directory("/usr", "/usr"),
        proc("/proc"),
        devices("/dev"));
  }

  @Test
  void theStagingPlaceIsNoSource() {
    HostReport host = HOST.with(Set.of(Workaround.BIND_BY_PATH));
    for (String source : List.of("/proc/fs", "/proc/fs/ext4")) {
      List<MountOperation> mounts = List.of(directory(source, "/x"));
      PlanException e =
          assertThrows(PlanException.class, () -> MountPlanner.plan(spec(mounts), host));
      assertTrue(String.valueOf(e.getMessage()).startsWith(source + " cannot be bound"));
    }
  }

  @Test
  void repeatingAMadeDirectoryChangesNothing() throws Exception {
    assertEquals(
        plan(made("/a/b", 0700)).steps(),
        plan(made("/a/b", 0700), made("/a/b", 0755), made("/a", 0700), made("/", 0700)).steps());
    assertEquals(
        plan(link("x", "/a/b")).steps(), plan(link("x", "/a/b"), link("x", "/a/b")).steps());
  }

  @Test
  void refusesWhatContradictsItself() {
    assertEquals(
        "/a in the sandbox exists already: it cannot become a symbolic link to x",
        refused(made("/a", 0755), link("x", "/a")));
    assertEquals(
        "/a in the sandbox exists already: it cannot become a symbolic link to y",
        refused(link("x", "/a"), link("y", "/a")));
    assertEquals(
        "/ in the sandbox exists already: it cannot become a symbolic link to x",
        refused(link("x", "/")));
    assertEquals(
        "/file is not a directory, but /a in the sandbox is one",
        refused(made("/a", 0755), file("/file", "/a")));
    assertEquals("/file is not a directory: it cannot be the root", refused(file("/file", "/")));
    for (MountOperation operation : List.of(proc("/"), devices("/"))) {
      assertEquals("neither a /proc nor a /dev can be the root itself", refused(operation));
    }
  }
}
