package dev.cloister.host;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import dev.cloister.host.CgroupPlace.Found;
import dev.cloister.host.CgroupPlace.Refused;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hosts of paper: files like those of /proc and /sys/fs/cgroup. */
class CgroupSearchTest {
  private static final String MOUNT = "/sys/fs/cgroup";
  private static final String SCOPE = "/user.slice/app.slice/run-1.scope";
  private static final Set<CgroupController> ALL = EnumSet.allOf(CgroupController.class);
  private static final Set<CgroupController> MEMORY = Set.of(CgroupController.MEMORY);

  private static final String ENCODING = System.getProperty("sun.jnu.encoding");

  @TempDir Path root;

  @BeforeEach
  void everydayHost() throws IOException {
    write("/proc/self/cgroup", "0::" + SCOPE + "\n");
    mountedAs("/", MOUNT, "rw,nosuid");
    cgroup("", "cpu memory pids io", "memory pids");
    Files.delete(at(MOUNT + "/cgroup.type"));
    cgroup("/user.slice", "memory pids", "memory pids");
    cgroup("/user.slice/app.slice", "cpu memory pids", "cpu memory pids");
    cgroup(SCOPE, "cpu memory pids", "");
  }

  private Path at(String path) {
    return root.resolve(path.substring(1));
  }

  private void write(String path, String text) throws IOException {
    Files.createDirectories(at(path).getParent());
    Files.writeString(at(path), text);
  }

  private void cgroup(String path, String controllers, String enabled) throws IOException {
    write(MOUNT + path + "/cgroup.controllers", controllers + "\n");
    write(MOUNT + path + "/cgroup.subtree_control", enabled + "\n");
    write(MOUNT + path + "/cgroup.procs", "");
    write(MOUNT + path + "/cgroup.type", "domain\n");
  }

  private void mountedAs(String shown, String point, String options) throws IOException {
    write(
        "/proc/self/mountinfo",
        "20 1 8:1 / / rw - ext4 /dev/sda rw\n30 20 0:26 %s %s %s shared:9 - cgroup2 cgroup2 rw\n"
            .formatted(shown, point, options));
  }

  private CgroupPlace place(Set<CgroupController> controllers) {
    return new CgroupSearch(root).place(controllers);
  }

  private void found(String directory, Set<CgroupController> wanted, CgroupController... missing) {
    assertEquals(
        new Found(OsString.of(directory), List.of(OsString.of(MOUNT)), Set.of(missing)),
        place(wanted));
  }

  private void refused(Set<CgroupController> wanted, String... words) {
    String said = assertInstanceOf(Refused.class, place(wanted)).toString();
    for (String word : words) {
      assertTrue(said.contains(word), () -> word + " is not in " + said);
    }
    assertEquals(1, said.lines().count());
  }

  @Test
  void isBesideTheOwnOne() {
    found(MOUNT + "/user.slice/app.slice", ALL);
  }

  /** Names are bytes: this process must know them as such, however Java reads them. */
  @Test
  void isFoundWhateverItsNameIs() throws IOException {
    Required.that(ENCODING.equals("UTF-8"), "a JVM whose file names are in UTF-8");
    String mount = "/sys/fs/cgröup x";
    byte[] table = "30 20 0:26 / /sys/fs/cgröup\\040x rw - cgroup2 cgroup2 rw\n".getBytes(UTF_8);
    Files.move(at(MOUNT), at(mount));
    Files.write(at("/proc/self/mountinfo"), table);
    Files.move(at(mount + "/user.slice"), at(mount + "/é "));
    write("/proc/self/cgroup", "0::/é /app.slice/run-1.scope\n");
    OsString directory = OsString.of(mount + "/é /app.slice");
    assertEquals(new Found(directory, List.of(OsString.of(mount)), Set.of()), place(ALL));
    Files.move(at(mount + "/é /app.slice/run-1.scope"), at(mount + "/é /é"));
    write("/proc/self/cgroup", "0::/é /é\n");
    write(mount + "/é /cgroup.type", "threaded\n");
    refused(MEMORY, mount + "/é ", "threaded");
  }

  @Test
  void aNameThatJavaCannotExpressIsRefused() throws IOException {
    Files.write(at("/proc/self/cgroup"), "0::/\u00e9\n".getBytes(ISO_8859_1));
    refused(MEMORY, "/\\xe9", "locale");
  }

  @Test
  void isInTheRoot() throws IOException {
    write("/proc/self/cgroup", "12:rdma:/\n0::/\n");
    found(MOUNT, ALL, CgroupController.CPU);
    found(MOUNT, MEMORY);
  }

  @Test
  void isBesideOneInTheRoot() throws IOException {
    write("/proc/self/cgroup", "0::/user.slice\n");
    found(MOUNT, ALL, CgroupController.CPU);
  }

  @Test
  void enablesNothingForOthers() throws IOException {
    write("/proc/self/cgroup", "0::/user.slice/app.slice\n");
    refused(
        ALL,
        "the cpu controller is not enabled in " + MOUNT + "/user.slice/cgroup.subtree_control",
        "echo +cpu >" + MOUNT + "/user.slice/cgroup.subtree_control");
    found(MOUNT + "/user.slice", MEMORY);
  }

  @Test
  void followsWhatTheMountShows() throws IOException {
    cgroup("/app.slice", "memory", "memory");
    cgroup("/app.slice/run-1.scope", "memory", "");
    cgroup("", "memory", "memory");
    mountedAs("/user.slice", MOUNT, "rw");
    found(MOUNT + "/app.slice", MEMORY);
  }

  @Test
  void readsEscapedNamesOfMounts() throws IOException {
    mountedAs("/", "/my\\040groups", "rw");
    Files.createDirectories(at("/my groups"));
    Files.move(at(MOUNT), at("/my groups"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    assertEquals(
        OsString.of("/my groups/user.slice/app.slice"),
        assertInstanceOf(Found.class, place(ALL)).directory());
  }

  @Test
  void refusesWithoutDelegation() throws IOException {
    // Root may write to what nobody may, so there is nothing to write to for it.
    Path app = at(MOUNT + "/user.slice/app.slice");
    Files.delete(app.resolve("cgroup.procs"));
    refused(ALL, MOUNT + "/user.slice/app.slice/cgroup.procs may not be written", "systemd-run");
    Files.setPosixFilePermissions(app, PosixFilePermissions.fromString("r-xr-xr-x"));
    refused(ALL, "may not be written", "systemd-run");
    Files.setPosixFilePermissions(app, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @Test
  void refusesVersionOne() throws IOException {
    write("/proc/self/cgroup", "4:memory:/\n1:name=systemd:/\n");
    refused(MEMORY, "version 1 only", "systemd.unified_cgroup_hierarchy=1");
  }

  @Test
  void refusesAHybridHostAndNamesWhatIsElsewhere() throws IOException {
    cgroup("", "pids", "pids");
    write("/proc/self/cgroup", "4:memory:/\n3:cpu,cpuacct:/\n0::" + SCOPE + "\n");
    refused(
        MEMORY,
        "the memory controller is not in " + MOUNT + "/cgroup.controllers",
        "version 1 have the memory controller");
    refused(ALL, "the controllers memory cpu are not in");
    refused(Set.of(CgroupController.CPU), "version 1 have the cpu controller");
    found(MOUNT + "/user.slice/app.slice", Set.of(CgroupController.PIDS));
  }

  @Test
  void refusesAControllerThatIsNowhere() throws IOException {
    cgroup("", "hugetlb", "");
    refused(MEMORY, "the memory controller is not in " + MOUNT + "/cgroup.controllers");
  }

  @Test
  void refusesAReadOnlyHierarchy() throws IOException {
    mountedAs("/", MOUNT, "ro,nosuid");
    refused(ALL, "mounted read-only at " + MOUNT);
  }

  @Test
  void refusesTheRootOfANamespace() throws IOException {
    write("/proc/self/cgroup", "0::/\n");
    cgroup("", "cpu memory pids", "");
    refused(ALL, "the topmost that is shown", "+memory +pids +cpu");
  }

  @Test
  void refusesWhatIsOutsideOfTheNamespace() throws IOException {
    write("/proc/self/cgroup", "0::/../other\n");
    refused(ALL, "/../other", "outside of its cgroup namespace");
  }

  @Test
  void refusesThreadedCgroups() throws IOException {
    write(MOUNT + "/user.slice/app.slice/cgroup.type", "threaded\n");
    refused(ALL, "of the type threaded");
  }

  @Test
  void refusesWithoutAnyMount() throws IOException {
    write("/proc/self/mountinfo", "20 1 8:1 / / rw - ext4 /dev/sda rw\n");
    refused(ALL, "no cgroup v2 hierarchy");
    mountedAs("/somebody/else", MOUNT, "rw");
    refused(ALL, "no cgroup v2 hierarchy");
  }

  @Test
  void refusesWithoutCgroups() throws IOException {
    Files.delete(at("/proc/self/cgroup"));
    refused(ALL, "/proc/self/cgroup");
  }
}
