package dev.cloister.strategies.bwrap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.OsString;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which links are followed, on a host of paper. */
class PlantedLinksTest {
  private final Map<OsString, OsString> links = new HashMap<>();

  private void link(String path, String target) {
    links.put(OsString.of(path), OsString.of(target));
  }

  private static MountOperation bind(String source, String destination) {
    return new MountOperation.Bind(
        new MountOperation.Source(OsString.of(source), true, true),
        Destination.of(destination),
        Access.READ_WRITE);
  }

  private static MountOperation made(String destination) {
    return new MountOperation.Directory(Destination.of(destination), 0755);
  }

  private static MountOperation symlink(String target, String destination) {
    return new MountOperation.Symlink(OsString.of(target), Destination.of(destination));
  }

  private Optional<String> find(MountOperation... mounts) {
    Caller caller = new Caller(1, 1, false, List.of(), true, 0, false, 0);
    HostReport host =
        new HostReport(
            caller, List.of(), Optional.empty(), path -> Optional.ofNullable(links.get(path)));
    return PlantedLinks.find(List.of(mounts), host);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/abs", "..", "../x", "a/../../b", "a/.."})
  void refusesWhatLeadsAway(String target) {
    link("/src/x", target);
    assertEquals(
        Optional.of("the way to /data/x/y leads through the symbolic link /src/x to " + target),
        find(bind("/src", "/data"), made("/data/x/y")));
    assertTrue(find(bind("/src", "/data"), made("/data/x")).isPresent());
    assertTrue(find(bind("/src", "/data"), bind("/other", "/data/x")).isPresent());
  }

  @Test
  void followsWhatStaysBelow() {
    link("/src/bin", "usr/bin");
    assertEquals(Optional.empty(), find(bind("/src", "/data"), made("/data/bin/tool")));
    link("/src/usr/bin/tool", "/evil");
    assertTrue(find(bind("/src", "/data"), made("/data/bin/tool")).isPresent());
  }

  @Test
  void looksOnlyOnTheWay() {
    link("/src/x", "/evil");
    assertEquals(Optional.empty(), find(bind("/src", "/data"), made("/data/y"), made("/x")));
    assertEquals(Optional.empty(), find(made("/data/x/y"), bind("/src", "/data")));
    assertEquals(Optional.empty(), find(bind("/src", "/data"), made("/data")));
  }

  @Test
  void followsIntoOtherBinds() {
    link("/one/x", "y/z");
    link("/two/z", "/evil");
    MountOperation one = bind("/one", "/data");
    assertEquals(Optional.empty(), find(one, made("/data/x/new")));
    assertTrue(find(one, bind("/two", "/data/y"), made("/data/x/new")).isPresent());
  }

  @Test
  void followsTheSandboxesOwnLinks() {
    MountOperation usr = bind("/usr", "/usr");
    assertEquals(Optional.empty(), find(usr, symlink("usr/bin", "/bin"), made("/bin/x")));
    link("/usr/bin/x", "/evil");
    assertTrue(find(usr, symlink("usr/bin", "/bin"), made("/bin/x")).isPresent());
    assertTrue(find(symlink("/run", "/var/run"), made("/var/run/x")).isPresent());
  }

  @Test
  void aLinkIsNotFollowedToMakeItAgain() {
    assertEquals(Optional.empty(), find(symlink("/run", "/var/run"), symlink("/run", "/var/run")));
    link("/src/x", "/evil");
    assertEquals(Optional.empty(), find(bind("/src", "/data"), symlink("a", "/data/x")));
    assertTrue(find(bind("/src", "/data"), symlink("a", "/data/x/y")).isPresent());
  }

  @Test
  void givesUpOnLoops() {
    link("/src/x", "x");
    assertTrue(find(bind("/src", "/data"), made("/data/x")).isPresent());
  }

  @Test
  void knowsTheLinksOfProc() {
    link("/proc/self", "42");
    link("/proc/42/root", "/");
    link("/src/x", "proc/self/root/evil");
    assertTrue(
        find(
                bind("/src", "/data"),
                new MountOperation.Proc(Destination.of("/data/proc")),
                made("/data/x"))
            .isPresent());
  }
}
