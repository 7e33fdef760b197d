package dev.cloister.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Identity;
import dev.cloister.ffm.LinuxConstant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CallerTest {
  private static final List<String> STATUS =
      List.of(
          "Name:\tjava: with a colon",
          "Umask:\t0022",
          "Uid:\t1000\t1000\t1000\t1000",
          "Gid:\t100\t100\t100\t100",
          "Groups:\t4 24 1000 ",
          "CapEff:\t000001fffeffffff",
          "NoNewPrivs:\t1",
          "Seccomp:\t2",
          "Seccomp_filters:\t1");

  private static List<String> with(String line) {
    String name = line.substring(0, line.indexOf(':') + 1);
    List<String> changed = new ArrayList<>(STATUS);
    changed.replaceAll(old -> old.startsWith(name) ? line : old);
    return changed;
  }

  private static Caller parse(String line) {
    return Caller.parse(with(line), "allow");
  }

  @Test
  void isTheSameByProcAndBySystemCalls() throws Exception {
    Caller byProc = Caller.current();
    Caller bySystemCalls = Caller.bySystemCalls();
    assertEquals(
        byProc.toString().replaceAll("seccomp .*", ""),
        bySystemCalls.toString().replaceAll("seccomp .*", ""));
    assertEquals(byProc.canDropGroups(), bySystemCalls.canDropGroups());
  }

  @Test
  void readsWhatTheKernelShows() {
    assertEquals(
        new Caller(1000, 100, false, List.of(4L, 24L, 1000L), true, 0x1ff_feff_ffffL, true, 2),
        Caller.parse(STATUS, "allow"));
    assertEquals(0xffff_fffeL, parse("Uid:\t4294967294\t4294967294\t0\t0").uid());
  }

  @Test
  void noGroupsAreNoGroups() {
    assertEquals(List.of(), parse("Groups:\t ").groups());
    assertEquals(List.of(), parse("Groups:").groups());
  }

  @Test
  void aKernelWithoutAFieldHasItsDefault() {
    List<String> old = new ArrayList<>(STATUS);
    old.removeIf(line -> line.startsWith("NoNewPrivs") || line.startsWith("Seccomp"));
    Caller caller = Caller.parse(old, "allow");
    assertFalse(caller.noNewPrivs());
    assertEquals(0, caller.seccomp());
  }

  @Test
  void noticesThatItWasStartedAsAnother() {
    assertFalse(Caller.parse(STATUS, "allow").setuid());
    Caller setuid = parse("Uid:\t1000\t0\t0\t0");
    assertTrue(setuid.setuid());
    assertEquals(0, setuid.uid());
    assertTrue(parse("Gid:\t100\t5\t5\t5").setuid());
  }

  @Test
  void knowsItsCapabilities() {
    Caller admin = parse("CapEff:\t0000000000200000");
    assertTrue(admin.has(LinuxConstant.CAP_SYS_ADMIN));
    assertTrue(admin.isPrivileged());
    assertFalse(admin.has(LinuxConstant.CAP_SETUID));
    assertFalse(admin.canDropGroups());
    Caller groups = parse("CapEff:\t0000000000000040");
    assertTrue(groups.canDropGroups());
    assertFalse(groups.isPrivileged());
    assertFalse(Caller.parse(with("CapEff:\t0000000000000040"), "deny").canDropGroups());
  }

  @Test
  void readsThisProcess() throws Exception {
    Caller caller = Caller.current();
    assertEquals(Identity.current().effectiveUser(), caller.uid());
    assertEquals(Identity.current().effectiveGroup(), caller.gid());
  }
}
