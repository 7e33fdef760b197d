package dev.cloister.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.Caller;
import dev.cloister.host.Evidence;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.recipe.Steps;
import dev.cloister.spec.OsString;
import dev.cloister.strategy.Assessment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Causes that cannot be provoked on every host; ProbeIT provokes the others. */
class DiagnosisTest {
  private static final String CLONE = "kernel.unprivileged_userns_clone";
  private static final String RESTRICT = "kernel.apparmor_restrict_unprivileged_userns";
  private static final Evidence NOTHING = sysctls("user.max_user_namespaces", "100");

  /** A host with these sysctls, names and values in turn, and nothing else to see. */
  private static Evidence sysctls(String... words) {
    Map<String, String> sysctls = new HashMap<>();
    for (int i = 0; i < words.length; i += 2) {
      sysctls.put(words[i], words[i + 1]);
    }
    return shows(sysctls, Optional.empty(), Optional.empty(), List.of());
  }

  private static Evidence shows(
      Map<String, String> sysctls,
      Optional<String> label,
      Optional<String> chroot,
      List<String> coveredProc) {
    return new Evidence(
        "Linux",
        sysctls,
        List.of(),
        label,
        List.of("0 0 4294967295"),
        List.of("0 0 4294967295"),
        20,
        chroot,
        false,
        coveredProc,
        Optional.empty());
  }

  private static Evidence labelled(String label, String... sysctls) {
    return shows(sysctls(sysctls).sysctls(), Optional.of(label), Optional.empty(), List.of());
  }

  private static Evidence chroot() {
    return shows(Map.of(), Optional.empty(), Optional.of("/proc/1/mountinfo: there"), List.of());
  }

  private static Evidence covered(String... points) {
    return shows(Map.of(), Optional.empty(), Optional.empty(), List.of(points));
  }

  private static final Call UNSHARE =
      Call.of(SystemCall.UNSHARE, Operand.of(LinuxConstant.CLONE_NEWUSER));
  private static final Call MOUNT =
      Call.of(SystemCall.MOUNT, Operand.of("a"), Operand.of("b"), Operand.NULL)
          .hint(Errno.EBUSY, "it is busy");

  private static Assessment.Unusable diagnose(
      int seccomp, Evidence evidence, Call call, Errno errno) {
    Caller caller = new Caller(1000, 1000, false, List.of(), true, 0, false, seccomp);
    SyscallProgram program = new SyscallProgram("test", List.<Instruction>of(call));
    return assertInstanceOf(
        Assessment.Unusable.class,
        new Diagnosis(caller, () -> evidence).of(program, new Outcome.Failure(1, errno.number())));
  }

  @Test
  void namesTheCallAndTheErrno() {
    Assessment.Unusable verdict = diagnose(0, NOTHING, UNSHARE, Errno.EPERM);
    assertTrue(
        verdict.reason().startsWith("unshare(CLONE_NEWUSER): EPERM (Operation not permitted)"),
        verdict::reason);
  }

  @Test
  void knowsTheLimit() {
    Evidence evidence = sysctls("user.max_user_namespaces", "0");
    Assessment.Unusable verdict = diagnose(0, evidence, UNSHARE, Errno.ENOSPC);
    assertTrue(verdict.reason().endsWith("user.max_user_namespaces is 0"), verdict::reason);
    assertEquals(List.of("/proc/sys/user/max_user_namespaces: 0"), verdict.cause().evidence());
  }

  @Test
  void blamesTheLimitThatIsInTheWay() {
    Evidence evidence = sysctls("user.max_user_namespaces", "100", "user.max_net_namespaces", "0");
    Call network =
        Call.of(
            SystemCall.UNSHARE,
            Operand.of(LinuxConstant.CLONE_NEWUSER, LinuxConstant.CLONE_NEWNET));
    Assessment.Unusable verdict = diagnose(0, evidence, network, Errno.ENOSPC);
    assertTrue(verdict.reason().endsWith("user.max_net_namespaces is 0"), verdict::reason);
    assertTrue(verdict.remedy().contains("sysctl user.max_net_namespaces="), verdict::remedy);
    // Here the network's limit is not asked for, and the other is not 0: it need not be this one.
    Assessment.Unusable unknown = diagnose(0, evidence, UNSHARE, Errno.ENOSPC);
    assertTrue(unknown.reason().contains("or in an enclosing user namespace"), unknown::reason);
    assertTrue(unknown.reason().contains("user.max_user_namespaces is 100"), unknown::reason);
  }

  @Test
  void knowsTheCapabilityThatMapsRoot() {
    Call map = Call.of(SystemCall.WRITE, Operand.of(new Slot("uid_map")));
    SyscallProgram program = new SyscallProgram("test", List.<Instruction>of(map));
    Outcome refused = new Outcome.Failure(1, Errno.EPERM.number());
    Caller root = new Caller(0, 0, false, List.of(), true, 0, false, 0);
    assertTrue(reason(root, program, refused).contains("lacks CAP_SETFCAP"));
    Outcome bwrap = new Outcome.Other(1, "bwrap: setting up uid map: Operation not permitted");
    assertTrue(reason(root, program, bwrap).contains("lacks CAP_SETFCAP"));
    Caller user = new Caller(1000, 1000, false, List.of(), true, 0, false, 0);
    assertFalse(reason(user, program, refused).contains("CAP_SETFCAP"));
  }

  private static String reason(Caller caller, SyscallProgram program, Outcome outcome) {
    Assessment verdict = new Diagnosis(caller, () -> NOTHING).of(program, outcome);
    return assertInstanceOf(Assessment.Unusable.class, verdict).reason();
  }

  @Test
  void namesWhatCoversProc() {
    Evidence covered = covered("/proc/kcore", "/proc/acpi");
    Call proc = Steps.mountProc(OsString.of("proc"));
    Assessment.Unusable verdict = diagnose(2, covered, proc, Errno.EPERM);
    assertTrue(verdict.reason().endsWith("/proc/kcore, /proc/acpi"), verdict::reason);
    assertTrue(verdict.remedy().startsWith("pivot_root and chroot need none"), verdict::remedy);
    assertTrue(diagnose(2, NOTHING, proc, Errno.EPERM).reason().contains("seccomp filter"));
    assertTrue(diagnose(2, covered, MOUNT, Errno.EPERM).reason().contains("seccomp filter"));
  }

  @Test
  void knowsThatLandlockIsSwitchedOff() {
    Call landlock = Call.of(SystemCall.LANDLOCK_CREATE_RULESET);
    Assessment.Unusable verdict = diagnose(0, NOTHING, landlock, Errno.EOPNOTSUPP);
    assertTrue(verdict.remedy().contains("lsm="), verdict::remedy);
  }

  @Test
  void knowsTheSysctlOfDebian() {
    Evidence evidence = sysctls(CLONE, "0");
    Assessment.Unusable verdict = diagnose(0, evidence, UNSHARE, Errno.EPERM);
    assertTrue(verdict.reason().contains("unprivileged_userns_clone is 0"), verdict::reason);
  }

  @Test
  void knowsTheRestrictionOfUbuntu() {
    Evidence evidence = labelled("unconfined", RESTRICT, "1");
    Assessment.Unusable verdict = diagnose(0, evidence, MOUNT, Errno.EACCES);
    assertTrue(verdict.reason().contains("AppArmor"), verdict::reason);
    assertTrue(verdict.remedy().startsWith("install bubblewrap"), verdict::remedy);
  }

  @Test
  void blamesTheFilterWhereTheRestrictionWouldLetTheCallPass() {
    Evidence evidence = labelled("docker (enforce)", RESTRICT, "1");
    assertTrue(diagnose(2, evidence, UNSHARE, Errno.EPERM).reason().contains("seccomp filter"));
    assertTrue(diagnose(2, evidence, MOUNT, Errno.EPERM).reason().contains("AppArmor lets"));
  }

  @Test
  void namesTheProfileThatDeniesAMount() {
    Evidence evidence = labelled("docker (enforce)");
    Assessment.Unusable verdict = diagnose(2, evidence, MOUNT, Errno.EACCES);
    assertTrue(verdict.reason().contains("profile docker (enforce)"), verdict::reason);
    assertTrue(diagnose(2, evidence, MOUNT, Errno.EPERM).reason().contains("seccomp filter"));
  }

  @Test
  void knowsWhyBubblewrapMakesNoNamespace() {
    Evidence none = sysctls("user.max_user_namespaces", "0");
    Assessment.Unusable limit = ofBwrap(none, "bwrap: Creating new namespace failed: (ENOSPC)");
    assertTrue(limit.reason().endsWith("user.max_user_namespaces is 0"), limit::reason);
    assertTrue(limit.remedy().contains("sysctl user.max_user_namespaces"), limit::remedy);
    Assessment.Unusable inside =
        ofBwrap(chroot(), "bwrap: No permissions to create new namespace, likely because");
    assertTrue(inside.reason().contains("is in a chroot, and"), inside::reason);
  }

  @Test
  void doesNotAdviseBubblewrapWhereItFailsItself() {
    Evidence evidence = labelled("unconfined", RESTRICT, "1");
    Assessment.Unusable verdict = ofBwrap(evidence, "bwrap: setting up uid map: Permission denied");
    assertTrue(verdict.reason().contains("AppArmor"), verdict::reason);
    assertTrue(verdict.remedy().contains("distribution has for bwrap"), verdict::remedy);
  }

  @Test
  void guessesNoCauseForOtherWordsOfBubblewrap() {
    Assessment.Unusable verdict = ofBwrap(NOTHING, "bwrap: Can't find source path /x");
    assertEquals("bwrap: Can't find source path /x", verdict.reason());
    assertEquals("", verdict.cause().text());
  }

  private static Assessment.Unusable ofBwrap(Evidence evidence, String message) {
    Caller caller = new Caller(1000, 1000, false, List.of(), true, 0, false, 0);
    return assertInstanceOf(
        Assessment.Unusable.class,
        new Diagnosis(caller, () -> evidence)
            .of(new SyscallProgram("test", List.of()), new Outcome.Other(1, message)));
  }

  @Test
  void knowsASeccompFilter() {
    assertTrue(diagnose(2, NOTHING, UNSHARE, Errno.EPERM).reason().contains("seccomp filter"));
    assertTrue(diagnose(2, NOTHING, MOUNT, Errno.ENOSYS).reason().contains("seccomp filter"));
  }

  @Test
  void knowsAnOldKernel() {
    Assessment.Unusable verdict = diagnose(0, NOTHING, MOUNT, Errno.ENOSYS);
    assertTrue(verdict.reason().endsWith("this kernel does not have mount"), verdict::reason);
    assertEquals("a newer kernel", verdict.remedy());
  }

  @Test
  void knowsAChrootByItsRootThatIsNoMountPoint() {
    assertTrue(
        diagnose(0, chroot(), UNSHARE, Errno.EPERM).reason().contains("is in a chroot, and"));
  }

  @Test
  void takesTheHintOfTheCallForOtherErrnos() {
    assertEquals("it is busy", diagnose(0, NOTHING, MOUNT, Errno.EBUSY).remedy());
  }

  @Test
  void passesOnWhatAnotherProgramSaid() {
    Caller caller = new Caller(1000, 1000, false, List.of(), true, 0, false, 0);
    Diagnosis diagnosis = new Diagnosis(caller, () -> NOTHING);
    SyscallProgram program = new SyscallProgram("test", List.of());
    assertEquals(
        "it broke; badly",
        assertInstanceOf(
                Assessment.Unusable.class,
                diagnosis.of(program, new Outcome.Other(1, "it broke\nbadly")))
            .reason());
    assertEquals(Assessment.USABLE, diagnosis.of(program, new Outcome.Success()));
  }

  @Test
  void tellsTheCallTheErrnoAndTheStepApart() {
    Assessment.Unusable verdict = diagnose(0, NOTHING, MOUNT, Errno.EBUSY);
    assertEquals(
        Optional.of(new Assessment.Failure(1, "mount(\"a\", \"b\", NULL)", 16)), verdict.failure());
    assertEquals("EBUSY", verdict.failure().orElseThrow().errno());
  }

  @Test
  void certainCausesComeBeforeAFilterThatMayBeInnocent() {
    assertTrue(diagnose(2, chroot(), UNSHARE, Errno.EPERM).reason().contains("in a chroot, and"));
    Evidence sysctl = sysctls(CLONE, "0");
    assertTrue(diagnose(2, sysctl, UNSHARE, Errno.EPERM).reason().contains(CLONE));
  }

  @Test
  void knowsIdsThatTheUserNamespaceDoesNotKnow() {
    Evidence other =
        new Evidence(
            "Linux",
            Map.of(),
            List.of(),
            Optional.empty(),
            List.of("0 100000 1000", "1001 200000 10"),
            List.of("0 0 4294967295"),
            20,
            Optional.empty(),
            false,
            List.of(),
            Optional.empty());
    Assessment.Unusable verdict = diagnose(0, other, UNSHARE, Errno.EPERM);
    assertTrue(verdict.reason().contains("has no mapping"), verdict::reason);
  }

  @Test
  void knowsWhatCannotBeNestedDeeper() {
    Assessment.Unusable verdict = diagnose(0, NOTHING, UNSHARE, Errno.EUSERS);
    assertTrue(verdict.reason().contains("32 deep"), verdict::reason);
  }

  @Test
  void knowsTheRootThatCannotBeMoved() {
    Call pivot = Call.of(SystemCall.PIVOT_ROOT, Operand.of("."), Operand.of("."));
    Evidence initramfs =
        new Evidence(
            "Linux",
            Map.of(),
            List.of(),
            Optional.empty(),
            List.of(),
            List.of(),
            1,
            Optional.empty(),
            true,
            List.of(),
            Optional.empty());
    Assessment.Unusable verdict = diagnose(0, initramfs, pivot, Errno.EINVAL);
    assertTrue(verdict.reason().contains("initramfs"), verdict::reason);
    assertTrue(verdict.remedy().contains("--strategy chroot"), verdict::remedy);
    String said = "bwrap: pivot_root: Invalid argument";
    assertEquals(verdict.cause(), ofBwrap(initramfs, said).cause());
    assertEquals("", ofBwrap(NOTHING, said).cause().text());
    assertTrue(diagnose(0, chroot(), pivot, Errno.EINVAL).reason().contains("in a chroot"));
    assertEquals("", diagnose(0, NOTHING, pivot, Errno.EINVAL).cause().text());
  }

  @Test
  void knowsThatMemoryFilesAreForbidden() {
    Call create = Call.of(SystemCall.MEMFD_CREATE, Operand.of("cloister"), Operand.of(0));
    Assessment.Unusable verdict =
        diagnose(0, sysctls("vm.memfd_noexec", "2"), create, Errno.EACCES);
    assertTrue(verdict.reason().contains("vm.memfd_noexec is 2"), verdict::reason);
    assertTrue(verdict.remedy().contains("sysctl vm.memfd_noexec=1"), verdict::remedy);
  }

  @Test
  void knowsAProcThatCannotBeWritten() {
    Call open =
        Call.of(SystemCall.OPENAT, Operand.of(new Slot("proc")), Operand.of("self/uid_map"));
    assertTrue(diagnose(0, NOTHING, open, Errno.EROFS).reason().contains("read-only"));
    assertTrue(diagnose(0, NOTHING, open, Errno.ENOENT).reason().contains("no procfs"));
    assertTrue(diagnose(0, NOTHING, open, Errno.EACCES).reason().contains("Landlock"));
    Evidence seLinux = labelled("system_u:system_r:container_t:s0:c1,c2");
    Assessment.Unusable verdict = diagnose(0, seLinux, open, Errno.EACCES);
    assertTrue(verdict.reason().contains("SELinux"), verdict::reason);
    assertTrue(verdict.remedy().contains("label=type:"), verdict::remedy);
  }

  @Test
  void suspectsLandlockWhereNothingElseShows() {
    assertTrue(diagnose(0, NOTHING, MOUNT, Errno.EPERM).reason().contains("Landlock"));
    assertFalse(diagnose(2, NOTHING, MOUNT, Errno.EPERM).reason().contains("Landlock"));
  }

  @Test
  void knowsTheLimitOnMounts() {
    Assessment.Unusable verdict = diagnose(0, sysctls("fs.mount-max", "30"), MOUNT, Errno.ENOSPC);
    assertEquals("/proc/sys/fs/mount-max: 30", verdict.cause().evidence().getFirst());
  }

  @Test
  void tellsWhatIsWrongWithBubblewrap() {
    Assessment.Unusable old = ofBwrap(NOTHING, "bwrap: Unknown option --perms");
    assertTrue(old.reason().endsWith("does not know --perms"), old::reason);
    SyscallProgram program =
        new SyscallProgram(
            "test",
            List.of(
                new Instruction.ExecuteProgram(
                    OsString.of("/usr/bin/bwrap"), List.of(OsString.of("bwrap")))));
    Caller caller = new Caller(1000, 1000, false, List.of(), true, 0, false, 0);
    for (Outcome outcome :
        List.of(
            new Outcome.Other(1, "cloister: bwrap could not"),
            new Outcome.Failure(0, Errno.ENOEXEC.number()))) {
      assertTrue(reason(caller, program, outcome).contains("is broken"), outcome::toString);
    }
  }

  /** Who turns a protection off for all should not read that first. */
  @Test
  void noRemedyStartsWithTurningAProtectionOff() {
    Evidence ubuntu = labelled("unconfined", RESTRICT, "1");
    for (Assessment.Unusable verdict :
        List.of(
            diagnose(0, ubuntu, MOUNT, Errno.EACCES),
            diagnose(0, sysctls(CLONE, "0"), UNSHARE, Errno.EPERM),
            diagnose(2, NOTHING, UNSHARE, Errno.EPERM),
            diagnose(2, labelled("docker (enforce)"), MOUNT, Errno.EACCES))) {
      assertFalse(verdict.remedy().contains("unconfined"), verdict::remedy);
      assertFalse(verdict.remedy().contains(RESTRICT + "=0"), verdict::remedy);
      assertFalse(verdict.remedy().startsWith("sysctl"), verdict::remedy);
    }
  }

  @Test
  void listsTheCallsThatAFilterMustAllow() {
    Assessment.Unusable verdict = diagnose(2, NOTHING, UNSHARE, Errno.EPERM);
    String profile = String.join("\n", verdict.cause().attachment());
    for (String call : List.of("unshare", "mount", "pivot_root", "move_mount", "umount2")) {
      assertTrue(profile.contains('"' + call + '"'), profile);
    }
  }
}
